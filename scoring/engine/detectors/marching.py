"""Blocks of rows down a forest in step: the way of many rows at once.

A node is one 64-bit word: what a value must reach to go right, where the left child stands (the
right one is next to it), and which column is asked. Values are compared as integers in the same
order; each column asked stands there once for nodes that send unknown values left and once for
those that send them right. So a step is two reads and a comparison, nothing branches on what a
row holds, and the processor works on many rows at a time. The sums are those of `Trees`, in the
same order and so to the same bit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine.compiled import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Halves = NDArray[np.int32]
BLOCK = 64  # rows that go through one tree together, while both are in the nearest cache
COLUMN_BITS, CHILD_BITS = 12, 20
MOST_COLUMNS, MOST_NODES = 2**COLUMN_BITS, 2**CHILD_BITS  # of a forest, and of one of its trees
NEVER = 2**31 - 1  # no value reaches it
UNKNOWN_LEFT, UNKNOWN_RIGHT = -(2**31), NEVER - 1  # below and above whatever a node asks for


@dataclass(frozen=True)
class March:
    """A forest laid out for blocks; its trees breadth first, at the same places as before."""

    roots: Integers
    depths: Integers
    words: Integers
    columns: Integers
    unknown: Halves  # what an unknown value of the column counts as
    value: Floats

    def raw(self, rows: NDArray[np.float32], base: float) -> Floats:
        """`base` plus the values of the leaves each row comes to."""
        out = np.empty(len(rows))
        ways = self.roots, self.depths, self.words, self.columns, self.unknown, self.value
        _march(rows.view(np.int32), *ways, base, out)
        return out


def laid(
    roots: Halves,
    feature: Halves,
    threshold: NDArray[np.float32],
    left: Halves,
    right: Halves,
    missing: Halves,
    value: Floats,
) -> March | None:
    """The forest of these arrays of `Trees`; None for one that does not fit into words."""
    order, child = np.zeros(len(feature), np.int64), np.zeros(len(feature), np.int64)
    depths = np.zeros(len(roots), np.int64)
    trees = _lay(roots, feature, left, right, order, child, depths)
    inner = feature[order] >= 0
    asked = 2 * feature.astype(np.int64) + (missing == right)
    columns, codes = np.unique(np.where(inner, asked[order], 0), return_inverse=True)
    largest = np.diff(roots, append=len(feature)).max()
    if not trees or largest > MOST_NODES or len(columns) > MOST_COLUMNS:
        return None
    reach = np.where(inner, ordinal(threshold)[order], NEVER)
    words = (reach << (CHILD_BITS + COLUMN_BITS)) | (child << COLUMN_BITS)
    return March(
        roots.astype(np.int64),
        depths,
        words | np.where(inner, codes, 0),
        columns // 2,
        np.where(columns % 2, UNKNOWN_RIGHT, UNKNOWN_LEFT).astype(np.int32),
        value[order],
    )


def ordinal(numbers: NDArray[np.float32]) -> Integers:
    """32-bit integers in the order of these numbers; of the two zeros there is one."""
    bits = (numbers + np.float32(0)).view(np.int32).astype(np.int64)
    return np.where(bits < 0, bits ^ 0x7FFFFFFF, bits)


@compiled
def _lay(
    roots: Halves,
    feature: Halves,
    left: Halves,
    right: Halves,
    order: Integers,
    child: Integers,
    depths: Integers,
) -> bool:
    """Which node stands where, and the place of its left child within its tree; its own of a leaf.

    False where two ways lead to one node, so that this is no tree.
    """
    level = np.zeros(feature.shape[0], np.int64)
    for tree in range(roots.shape[0]):
        first = roots[tree]
        end = roots[tree + 1] if tree + 1 < roots.shape[0] else feature.shape[0]
        order[first] = first
        place, free = first, first + 1
        while place < free:
            node = order[place]
            child[place] = place - first
            depths[tree] = level[place]
            if feature[node] >= 0:
                if free + 2 > end:
                    return False
                child[place] = free - first
                order[free], order[free + 1] = left[node], right[node]
                level[free] = level[free + 1] = level[place] + 1
                free += 2
            place += 1
    return True


@compiled
def _march(
    bits: Halves,
    roots: Integers,
    depths: Integers,
    words: Integers,
    columns: Integers,
    unknown: Halves,
    value: Floats,
    base: float,
    out: Floats,
) -> None:
    block = np.empty(columns.shape[0] * BLOCK, np.int32)
    place = np.empty(BLOCK, np.int64)
    for start in range(0, bits.shape[0], BLOCK):
        count = min(BLOCK, bits.shape[0] - start)
        for column in range(columns.shape[0]):
            for at in range(count):
                seen = bits[start + at, columns[column]]
                known = seen if seen >= 0 else seen ^ np.int32(0x7FFFFFFF)
                if seen == np.int32(-(2**31)):  # minus zero
                    known = np.int32(0)
                if seen & np.int32(0x7FFFFFFF) > np.int32(0x7F800000):
                    known = unknown[column]
                block[column * BLOCK + at] = known
        out[start : start + count] = base
        for tree in range(roots.shape[0]):
            own, worth = words[roots[tree] :], value[roots[tree] :]
            place[:count] = 0
            for _ in range(depths[tree]):
                for at in range(count):
                    word = own[np.uint64(place[at])]
                    seen = block[np.uint64((word & (MOST_COLUMNS - 1)) * BLOCK + at)]
                    right = seen >= (word >> (CHILD_BITS + COLUMN_BITS))
                    place[at] = ((word >> COLUMN_BITS) & (MOST_NODES - 1)) + right
            for at in range(count):
                out[start + at] += worth[np.uint64(place[at])]
