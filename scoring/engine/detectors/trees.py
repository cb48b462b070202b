"""Forests as plain arrays: tree detectors are scored without the library they came from."""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scoring.engine.compiled import compiled
from scoring.engine.detectors.arrays import ANY, Arrays, Malformed, taken
from scoring.engine.detectors.marching import March, laid

__all__ = ["Malformed", "Trees", "below", "extended", "joined"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.int32]
FEW = 16  # rows; so many and more go down in step


@dataclass(frozen=True)
class Trees:
    """Nodes of all trees one after another, parents before children.

    A row goes left where its value, as a 32-bit float, is below the threshold, and to `missing`
    where it is NaN. Leaves have feature -1. The raw score is `base` plus the values of the leaves.
    """

    roots: Indices
    feature: Indices
    threshold: Singles
    left: Indices
    right: Indices
    missing: Indices
    value: Floats
    cover: Floats  # how many training rows (or their weight) came through: explanations need it
    base: Floats  # of length 1

    def raw(self, vectors: Floats) -> Floats:
        """The raw score of each row; the same bits whether rows come alone or together."""
        with np.errstate(over="ignore"):  # beyond 32 bits is infinite, and larger than anything
            singles = np.ascontiguousarray(vectors, np.float32)
        base = float(self.base[0])
        if len(vectors) >= FEW and self._march is not None:
            return self._march.raw(singles, base)
        out = np.empty(len(vectors))
        own = self.feature, self.threshold, self.left, self.right, self.missing
        _descend(singles, self.roots, *own, self.value, base, out)
        return out

    @cached_property
    def _march(self) -> March | None:
        return laid(
            self.roots,
            self.feature,
            self.threshold,
            self.left,
            self.right,
            self.missing,
            self.value,
        )

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What is kept in a bundle."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def of(cls, arrays: Arrays, features: int) -> "Trees":
        """The forest of these arrays, or Malformed. The compiled loops rely on what is checked."""
        lengths = {"roots": ANY, "feature": ANY, "base": 1}
        count = len(taken(arrays, "feature", np.int32, ANY))
        found = {
            name: taken(arrays, name, kind, lengths.get(name, count))
            for name, kind in TYPES.items()
        }
        trees = cls(**found)  # type: ignore[arg-type]
        trees.check(features)
        return trees

    def check(self, features: int) -> None:
        """Malformed unless every walk from a root ends in a leaf of this forest."""
        count = len(self.feature)
        nodes = np.arange(count)
        inner = self.feature >= 0
        if not len(self.roots) or not count or self.roots.min() < 0:
            raise Malformed("there is no root")
        if self.roots.max() >= count or self.feature.max() >= features or self.feature.min() < -1:
            raise Malformed("a root or a feature lies outside")
        for child in (self.left, self.right, self.missing):
            if np.any(child[inner] <= nodes[inner]) or np.any(child[inner] >= count):
                raise Malformed("a node points to itself, backwards or outside")
        self._check_trees(nodes[inner], inner)
        if not np.all(self.cover > 0):
            raise Malformed("a node has no cover")

    def _check_trees(self, asking: NDArray[np.int64], inner: NDArray[np.bool_]) -> None:
        """Malformed unless trees follow one another and no node points out of its own."""
        if self.roots[0] != 0 or np.any(np.diff(self.roots) <= 0):
            raise Malformed("the roots do not rise from 0")
        tree = np.searchsorted(self.roots, np.arange(len(self.feature)), side="right")
        for child in (self.left[inner], self.right[inner]):
            if np.any(tree[child] != tree[asking]):
                raise Malformed("a tree reaches into another")
        aside = (self.missing != self.left) & (self.missing != self.right)
        if np.any(aside[inner]):
            raise Malformed("an unknown value goes neither left nor right")


TYPES = {
    "roots": np.int32,
    "feature": np.int32,
    "threshold": np.float32,
    "left": np.int32,
    "right": np.int32,
    "missing": np.int32,
    "value": np.float64,
    "cover": np.float64,
    "base": np.float64,
}


def joined(parts: list[dict[str, NDArray[np.generic]]], base: float) -> Trees:
    """One forest of single trees whose child numbers count from their own root."""
    sizes = [len(part["feature"]) for part in parts]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    arrays: dict[str, NDArray[np.generic]] = {"roots": starts, "base": np.array([base])}
    for name in ("feature", "threshold", "value", "cover"):
        arrays[name] = np.concatenate([part[name] for part in parts])
    for name in ("left", "right", "missing"):
        moved = [
            np.where(part["left"] != -1, part[name] + start, -1)
            for part, start in zip(parts, starts, strict=True)
        ]
        arrays[name] = np.concatenate(moved)
    return Trees.of(arrays, features=int(arrays["feature"].max()) + 1)


def extended(first: Trees, second: Trees, scale: float) -> Trees:
    """A forest whose raw score is that of the first plus `scale` times that of the second."""
    nodes = len(first.feature)
    arrays: dict[str, NDArray[np.generic]] = {
        "roots": np.concatenate([first.roots, second.roots + np.int32(nodes)]),
        "value": np.concatenate([first.value, scale * second.value]),
        "base": first.base + scale * second.base,
    }
    for name in ("feature", "threshold", "cover"):
        arrays[name] = np.concatenate([getattr(first, name), getattr(second, name)])
    for name in ("left", "right", "missing"):
        child = getattr(second, name)
        moved = np.where(child != -1, child + np.int32(nodes), child).astype(np.int32)
        arrays[name] = np.concatenate([getattr(first, name), moved])
    return Trees.of(arrays, features=int(np.max(arrays["feature"])) + 1)


def below(thresholds: Floats) -> Singles:
    """The 32-bit t for which `x < t` says what scikit-learn's `x <= threshold` says.

    An infinite threshold only parts known from unknown values; it becomes the largest number.
    """
    most = float(np.finfo(np.float32).max)
    limits = np.clip(thresholds, -most, most)
    single = limits.astype(np.float32)
    down = np.nextafter(single, np.float32(-np.inf))
    floor = np.where(single.astype(np.float64) > limits, down, single)
    with np.errstate(over="ignore"):
        above: Singles = np.nextafter(floor, np.float32(np.inf))
    return np.minimum(above, np.float32(most))


@compiled
def _descend(
    rows: Singles,
    roots: Indices,
    feature: Indices,
    threshold: Singles,
    left: Indices,
    right: Indices,
    missing: Indices,
    value: Floats,
    base: float,
    out: Floats,
) -> None:
    """Each row down each tree by itself: the quickest way for one."""
    out[:] = base
    for at in range(rows.shape[0]):
        for root in roots:
            node = root
            while feature[node] >= 0:
                seen = rows[at, feature[node]]
                if seen < threshold[node]:
                    node = left[node]
                elif seen == seen:
                    node = right[node]
                else:
                    node = missing[node]
            out[at] += value[node]
