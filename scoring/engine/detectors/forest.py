"""Forests that vote: what random forests and extra trees have in common.

Each leaf holds the share of frauds among its training rows, drawn towards the share among all of
them as if that had been seen a few times more; the forest's probability is the mean over its trees,
and the raw score its log-odds, so that it can take part in a mean of log-odds.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine.compiled import compiled
from scoring.engine.detectors.arrays import Arrays, Malformed
from scoring.engine.detectors.sampling import Drawn
from scoring.engine.detectors.shapley import shares
from scoring.engine.detectors.trees import Trees, below, joined

Floats = NDArray[np.float64]
FLOOR = 1e-6  # probabilities stay this far from 0 and 1


@dataclass(frozen=True)
class VotingForest:
    """Log-odds of the mean probability of trees."""

    trees: Trees  # its raw score is the probability

    def raw(self, vectors: Floats) -> Floats:
        found = self.trees.raw(vectors)
        _to_odds(found)
        return found

    def contributions(self, vectors: Floats) -> tuple[float, Floats]:
        """Shares of the probability, scaled by Δlog-odds / Δprobability so that they add up."""
        usual, parts = shares(self.trees, vectors)
        ends = np.array([usual])
        _to_odds(ends)
        change, moved = self.raw(vectors) - ends[0], parts.sum(axis=1)
        kept = min(max(usual, FLOOR), 1 - FLOOR)
        steep = np.full(len(vectors), 1 / (kept * (1 - kept)))
        some = np.abs(moved) > 1e-9
        steep[some] = change[some] / moved[some]
        return float(ends[0]), parts * steep[:, None]

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        return self.trees.arrays()


def restore(arrays: Arrays, features: int) -> VotingForest:
    """The forest of the arrays it once gave; Malformed if they are not such."""
    trees = Trees.of(arrays, features)
    leaves = trees.value[trees.feature < 0] * len(trees.roots)
    if leaves.min() < 0 or leaves.max() > 1 + 1e-9 or trees.base[0] != 0:
        raise Malformed("a leaf holds no probability")
    return VotingForest(trees)


def flattened(fitted: list[Any], drawn: Drawn, smoothing: float) -> VotingForest:
    """Our arrays of scikit-learn's fitted classification trees."""
    whole = drawn.weights.sum(dtype=np.float64)
    prior = float((drawn.weights * drawn.labels).sum(dtype=np.float64) / whole)
    parts = [_tree(one.tree_, drawn.columns, prior, smoothing, len(fitted)) for one in fitted]
    return VotingForest(joined(parts, base=0.0))


def _tree(
    tree: Any, columns: NDArray[np.int64], prior: float, smoothing: float, count: int
) -> dict[str, NDArray[np.generic]]:
    left, right = np.asarray(tree.children_left), np.asarray(tree.children_right)
    inner = left >= 0
    rows = np.asarray(tree.weighted_n_node_samples, np.float64)
    frauds = np.asarray(tree.value)[:, 0, 1] * rows
    chance = (frauds + smoothing * prior) / (rows + smoothing)
    return {
        "feature": np.where(inner, columns[np.where(inner, tree.feature, 0)], -1),
        "threshold": np.where(inner, below(np.asarray(tree.threshold)), 0),
        "left": left,
        "right": right,
        "missing": np.where(np.asarray(tree.missing_go_to_left, bool), left, right),
        "value": np.where(inner, 0.0, chance / count),
        "cover": rows,
    }


@compiled
def _to_odds(chances: Floats) -> None:
    for at in range(chances.shape[0]):
        kept = min(max(chances[at], FLOOR), 1 - FLOOR)
        chances[at] = np.log(kept / (1 - kept))
