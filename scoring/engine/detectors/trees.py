"""Forests as plain arrays: tree detectors are scored without the library they came from."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from scoring.engine.compiled import compiled

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.int32]
BLOCK = 128  # rows that go through one tree together, while the tree is in the nearest cache


class Malformed(ValueError):
    """Arrays that are not a forest; following them would read other memory."""


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
        out = np.empty(len(vectors))
        with np.errstate(over="ignore"):  # beyond 32 bits is infinite, and larger than anything
            singles = np.ascontiguousarray(vectors, np.float32)
        _descend(
            singles,
            self.roots,
            self.feature,
            self.threshold,
            self.left,
            self.right,
            self.missing,
            self.value,
            float(self.base[0]),
            out,
        )
        return out

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What is kept in a bundle."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def of(cls, arrays: dict[str, NDArray[np.generic]], features: int) -> "Trees":
        """The forest of these arrays, or Malformed. The compiled loops rely on what is checked."""
        try:
            trees = cls(**{name: np.ascontiguousarray(arrays[name], TYPES[name]) for name in TYPES})
        except KeyError as missing:
            raise Malformed(f"the array {missing} is missing") from None
        trees.check(features)
        return trees

    def check(self, features: int) -> None:
        """Malformed unless every walk from a root ends in a leaf of this forest."""
        count = len(self.feature)
        nodes = np.arange(count)
        inner = self.feature >= 0
        for name in ("threshold", "left", "right", "missing", "value", "cover"):
            if getattr(self, name).shape != (count,):
                raise Malformed(f"{name} does not have one entry per node")
        if self.base.shape != (1,) or not len(self.roots) or self.roots.min() < 0:
            raise Malformed("there is no base or no root")
        if self.roots.max() >= count or self.feature.max() >= features or self.feature.min() < -1:
            raise Malformed("a root or a feature lies outside")
        for child in (self.left, self.right, self.missing):
            if np.any(child[inner] <= nodes[inner]) or np.any(child[inner] >= count):
                raise Malformed("a node points to itself, backwards or outside")
        if not np.all(np.isfinite(self.value)) or not np.all(self.cover > 0):
            raise Malformed("a leaf has no finite value or a node no cover")


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
    for start in range(0, rows.shape[0], BLOCK):
        end = min(start + BLOCK, rows.shape[0])
        out[start:end] = base
        for root in roots:
            for at in range(start, end):
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
