"""The rows a detector learns from: all frauds, and a share of the genuine ones with weights."""

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from scoring.engine.detectors.base import Unlearnable
from scoring.engine.families import FAMILIES
from scoring.engine.register import NAMES

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Share:
    """How many genuine rows are kept: this share, within these bounds, and as many as frauds."""

    genuine: float = 0.20
    least: int = 20_000
    most: int = 200_000

    def of(self, genuine: int, frauds: int) -> int:
        wanted = min(max(int(genuine * self.genuine), self.least), self.most)
        return min(max(wanted, frauds), genuine)


@dataclass(frozen=True)
class Drawn:
    """Rows to learn from, without the columns wholly unknown in them, as 32-bit floats.

    Columns that are never known take no part: they would dilute the features drawn for each tree.
    """

    rows: NDArray[np.float32]
    labels: Floats
    weights: NDArray[np.float32]
    columns: NDArray[np.int64]  # where each column of `rows` stands in a vector
    chosen: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))  # whence


def sample(
    labels: Floats, share: Share, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """All frauds and a share of the genuine rows, with weights that undo the sampling."""
    frauds, genuine = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    wanted = share.of(len(genuine), len(frauds))
    chosen = np.random.default_rng(seed).choice(genuine, wanted, replace=False)
    rows = np.sort(np.concatenate([frauds, chosen]))
    weight = len(genuine) / max(wanted, 1)
    return rows, np.where(labels[rows] == 1, 1.0, weight).astype(np.float32)


def check(labels: Floats) -> None:
    """Unlearnable unless both frauds and genuine transactions are among them."""
    if not 0 < labels.sum() < len(labels):
        raise Unlearnable("Both frauds and genuine transactions are needed to learn a difference.")


@cache
def sequential() -> NDArray[np.int64]:
    """Where the steps of a sequence stand: one by one they tell a tree nothing but noise."""
    return np.flatnonzero([name in FAMILIES["sequence"].features for name in NAMES])


def draw(vectors: Floats, labels: Floats, share: Share, seed: int) -> Drawn:
    """The sampled rows; Unlearnable unless there are frauds, genuine rows and known values."""
    rows, weights = sample(labels, share, seed)
    check(labels[rows])
    columns = np.flatnonzero(np.isfinite(vectors[rows]).any(axis=0))
    columns = columns[~np.isin(columns, sequential())]  # notes of a pipeline stand behind them
    if not len(columns):
        raise Unlearnable("No feature is known: there is nothing to learn from.")
    limit = float(np.finfo(np.float32).max)
    seen = np.clip(vectors[np.ix_(rows, columns)], -limit, limit).astype(np.float32)
    return Drawn(seen, labels[rows].astype(np.float64), weights, columns, rows)
