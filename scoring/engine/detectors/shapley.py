"""Shapley values of flattened trees: each feature's share of a raw score, adding up to it.

The path-dependent TreeSHAP of Lundberg et al. (Nature Machine Intelligence 2, 2020), taken leaf by
leaf. It is ours because `import shap` costs a web process 1.4 s and its C extension has crashed
(shap#3948); tests hold it against shap.TreeExplainer.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scoring.engine.compiled import compiled
from scoring.engine.detectors.trees import Floats, Indices, Singles, Trees


@dataclass(frozen=True)
class Paths:
    """For each leaf: the steps from its root, and the different features on that way.

    Step s asks node `node[s]` and went to `child[s]`; it belongs to part `part[s]` of its leaf.
    Part p is feature `feature[p]`, which a share `kept[p]` of the training rows passes.
    """

    leaf: Indices
    step_start: Indices
    part_start: Indices
    node: Indices
    child: Indices
    part: Indices
    feature: Indices
    kept: Floats
    expected: float  # the mean raw score of the training rows
    most_parts: int


@lru_cache(maxsize=16)
def _paths_of(identity: int, trees: "_Held") -> Paths:
    return _paths(trees.trees)


class _Held:
    """A forest as a cache key: equal to itself alone."""

    def __init__(self, trees: Trees) -> None:
        self.trees = trees

    def __hash__(self) -> int:
        return id(self.trees)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.trees is self.trees


def shares(trees: Trees, vectors: Floats) -> tuple[float, Floats]:
    """The expected raw score, and for each row the contribution of each feature."""
    paths = _paths_of(id(trees), _Held(trees))
    with np.errstate(over="ignore"):
        singles = np.ascontiguousarray(vectors, np.float32)
    out = np.zeros(vectors.shape)
    chosen = np.empty(len(trees.feature), np.int32)
    _share(
        singles,
        trees.feature,
        trees.threshold,
        trees.left,
        trees.right,
        trees.missing,
        trees.value,
        paths.leaf,
        paths.step_start,
        paths.part_start,
        paths.node,
        paths.child,
        paths.part,
        paths.feature,
        paths.kept,
        paths.most_parts,
        chosen,
        out,
    )
    return paths.expected, out


def _paths(trees: Trees) -> Paths:
    leaf: list[int] = []
    step_start, part_start = [0], [0]
    node: list[int] = []
    child: list[int] = []
    part: list[int] = []
    feature: list[int] = []
    kept: list[float] = []
    expected = float(trees.base[0])
    most = 0
    for root in trees.roots.tolist():
        waiting: list[tuple[int, list[tuple[int, int]], float]] = [(root, [], 1.0)]
        while waiting:
            at, steps, share = waiting.pop()
            if trees.feature[at] >= 0:
                for next_one in (int(trees.left[at]), int(trees.right[at])):
                    passed = float(trees.cover[next_one] / trees.cover[at])
                    waiting.append((next_one, [*steps, (at, next_one)], share * passed))
                continue
            parts: dict[int, int] = {}
            for parent, taken in steps:
                own = int(trees.feature[parent])
                if own not in parts:
                    parts[own] = len(parts)
                    feature.append(own)
                    kept.append(1.0)
                number = parts[own]
                kept[part_start[-1] + number] *= float(trees.cover[taken] / trees.cover[parent])
                node.append(parent)
                child.append(taken)
                part.append(number)
            leaf.append(at)
            step_start.append(len(node))
            part_start.append(len(feature))
            expected += share * float(trees.value[at])
            most = max(most, len(parts))
    return Paths(
        leaf=np.array(leaf, np.int32),
        step_start=np.array(step_start, np.int32),
        part_start=np.array(part_start, np.int32),
        node=np.array(node, np.int32),
        child=np.array(child, np.int32),
        part=np.array(part, np.int32),
        feature=np.array(feature, np.int32),
        kept=np.array(kept),
        expected=expected,
        most_parts=most,
    )


@compiled
def _choose(
    row: Singles,
    feature: Indices,
    threshold: Singles,
    left: Indices,
    right: Indices,
    missing: Indices,
    chosen: Indices,
) -> None:
    """Where the row would go at every node."""
    for node in range(feature.shape[0]):
        if feature[node] >= 0:
            seen = row[feature[node]]
            if seen < threshold[node]:
                chosen[node] = left[node]
            elif seen == seen:
                chosen[node] = right[node]
            else:
                chosen[node] = missing[node]


@compiled
def _weigh(weights: Floats, kept: Floats, passes: NDArray[np.int8], first: int, count: int) -> None:
    """Weights of the subsets of the path's features, by size, extended one feature at a time."""
    weights[0] = 1.0
    for length in range(1, count + 1):
        weights[length] = 0.0
        zero, one = kept[first + length - 1], passes[length - 1]
        for size in range(length - 1, -1, -1):
            weights[size + 1] += one * weights[size] * (size + 1) / (length + 1)
            weights[size] = zero * weights[size] * (length - size) / (length + 1)


@compiled
def _without(weights: Floats, zero: float, one: int, count: int) -> float:
    """The sum of the weights had one feature not been on the path."""
    total = 0.0
    if one:
        following = weights[count]
        for size in range(count - 1, -1, -1):
            part = following * (count + 1) / (size + 1)
            total += part
            following = weights[size] - part * zero * (count - size) / (count + 1)
    else:
        for size in range(count):
            total += weights[size] * (count + 1) / (zero * (count - size))
    return total


@compiled
def _share(
    rows: Singles,
    feature: Indices,
    threshold: Singles,
    left: Indices,
    right: Indices,
    missing: Indices,
    value: Floats,
    leaf: Indices,
    step_start: Indices,
    part_start: Indices,
    node: Indices,
    child: Indices,
    part: Indices,
    part_feature: Indices,
    kept: Floats,
    most: int,
    chosen: Indices,
    out: Floats,
) -> None:
    passes = np.empty(most + 1, np.int8)
    weights = np.empty(most + 2)
    for at in range(rows.shape[0]):
        _choose(rows[at], feature, threshold, left, right, missing, chosen)
        for number in range(leaf.shape[0]):
            first = part_start[number]
            count = part_start[number + 1] - first
            passes[:count] = 1
            for step in range(step_start[number], step_start[number + 1]):
                if chosen[node[step]] != child[step]:
                    passes[part[step]] = 0
            _weigh(weights, kept, passes, first, count)
            for own in range(count):
                zero, one = kept[first + own], passes[own]
                share = _without(weights, zero, one, count) * (one - zero)
                out[at, part_feature[first + own]] += share * value[leaf[number]]
