"""Isolation Forest: a row that random cuts soon set apart from all others is unusual.

One-sided where the register says so: a value on the harmless side of a feature's median counts as
the median, because an unusually small amount is not what fraud looks like.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine.detectors.base import TreeDetector, Unlearnable
from scoring.engine.detectors.trees import below, joined
from scoring.engine.features import FEATURES

Floats = NDArray[np.float64]
restore = TreeDetector.of
EULER = 0.5772156649015329


@dataclass(frozen=True)
class Settings:
    """How many trees, of how many rows each, and the share expected to be anomalous."""

    trees: int = 150
    samples: int = 256
    contamination: float = 0.01


# 1024 rows a tree instead of the documents' 256 find two to four times as much (average precision
# on two public-style sets), because rare combinations of ordinary values need deeper trees.
PRESETS = {
    "default": Settings(samples=1024),
    "s0": Settings(),
    "s1": Settings(contamination=0.10),
    "s2": Settings(trees=100, contamination=0.05),
}


def train(
    vectors: Floats, *, settings: Settings = PRESETS["default"], seed: int = 7
) -> TreeDetector:
    """A forest that scores raw vectors: `2**raw` negated is scikit-learn's `score_samples`.

    Only features with a rarity take part: on many irrelevant ones a forest loses most of its
    precision. Constant and wholly unknown features are left out for the same reason.
    """
    from sklearn.ensemble import IsolationForest  # training only; scoring needs our arrays alone

    columns, prepared, medians = prepare(vectors)
    forest = IsolationForest(
        n_estimators=settings.trees,
        max_samples=min(settings.samples, len(prepared)),
        contamination=settings.contamination,
        random_state=seed,
    ).fit(prepared)
    scale = len(forest.estimators_) * _average_path(np.array([forest.max_samples_]))[0]
    parts = [
        _flattened(estimator.tree_, columns, medians, float(scale))
        for estimator in forest.estimators_
    ]
    return TreeDetector(joined(parts, base=0.0))


def prepare(vectors: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """The columns looked at, with unknown values at the median and one-sided ones clipped to it."""
    columns, kept, medians = [], [], []
    for column, feature in enumerate(FEATURES):
        values = vectors[:, column]
        known = values[np.isfinite(values)]
        if not feature.rarity or not len(known) or known.min() == known.max():
            continue
        median = float(np.float32(np.median(known)))
        filled = np.where(np.isfinite(values), values, median)
        kept.append(
            np.maximum(filled, median) if feature.rarity > 0 else np.minimum(filled, median)
        )
        columns.append(column)
        medians.append(median)
    if not columns:
        raise Unlearnable("Every feature is constant: there is nothing to differ in.")
    return np.array(columns), np.column_stack(kept), np.array(medians)


def _average_path(rows: NDArray[np.int64]) -> Floats:
    """The mean depth at which a search in a random tree of so many rows ends unsuccessfully."""
    counts = rows.astype(np.float64)
    paths = np.where(counts == 2, 1.0, 0.0)
    many = counts > 2
    paths[many] = 2 * (np.log(counts[many] - 1) + EULER) - 2 * (counts[many] - 1) / counts[many]
    return paths


def _flattened(
    tree: object, columns: NDArray[np.int64], medians: Floats, scale: float
) -> dict[str, NDArray[np.generic]]:
    left = np.asarray(tree.children_left)  # type: ignore[attr-defined]
    right = np.asarray(tree.children_right)  # type: ignore[attr-defined]
    used = np.asarray(tree.feature)  # type: ignore[attr-defined]
    rows = np.asarray(tree.n_node_samples)  # type: ignore[attr-defined]
    inner = left >= 0
    own = np.where(inner, used, 0)
    limit = below(np.asarray(tree.threshold))  # type: ignore[attr-defined]
    # No cut lies on the harmless side of the median, so unclipped values go where clipped ones do.
    missing = np.where(medians[own] < limit, left, right)
    return {
        "feature": np.where(inner, columns[own], -1),
        "threshold": np.where(inner, limit, 0),
        "left": left,
        "right": right,
        "missing": missing,
        "value": np.where(inner, 0.0, -(_depths(left, right) + _average_path(rows)) / scale),
        "cover": rows.astype(np.float64),
    }


def _depths(left: NDArray[np.int64], right: NDArray[np.int64]) -> Floats:
    depths = np.zeros(len(left))
    for node in range(len(left)):  # parents come before children
        if left[node] >= 0:
            depths[left[node]] = depths[right[node]] = depths[node] + 1
    return depths
