"""Histogram gradient boosting: trees that each mend the errors of those before, heavily bridled.

scikit-learn's learner at its defaults collapses on one fraud in a thousand; l2, few features for
each cut and leaves of many rows cure it.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine.detectors import sampling
from scoring.engine.detectors.base import TreeDetector
from scoring.engine.detectors.trees import Trees, below, joined

Floats = NDArray[np.float64]
restore = TreeDetector.of


@dataclass(frozen=True)
class Settings:
    rounds: int = 200
    leaves: int = 16
    rate: float = 0.06
    l2: float = 50.0
    feature_share: float = 0.3
    least_rows: int = 20  # of a leaf
    share: sampling.Share = field(default_factory=sampling.Share)


def train(
    vectors: Floats, labels: Floats, *, settings: Settings | None = None, seed: int = 7
) -> TreeDetector:
    """Trees whose raw score is the log-odds of fraud. The same input gives the same trees."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # training only
    from threadpoolctl import threadpool_limits

    settings = settings or Settings()
    drawn = sampling.draw(vectors, labels, settings.share, seed)
    learner = HistGradientBoostingClassifier(
        max_iter=settings.rounds,
        max_leaf_nodes=settings.leaves,
        learning_rate=settings.rate,
        l2_regularization=settings.l2,
        max_features=settings.feature_share,
        min_samples_leaf=settings.least_rows,
        early_stopping=False,
        random_state=seed,
    )
    with threadpool_limits(1):  # sums in the order of threads would differ from run to run
        learner.fit(drawn.rows, drawn.labels, sample_weight=drawn.weights)
    return TreeDetector(flattened(learner, drawn.columns))


def flattened(learner: Any, columns: NDArray[np.int64]) -> Trees:
    """Our arrays of a fitted learner that has seen 32-bit values of only these columns."""
    base = float(np.ravel(learner._baseline_prediction)[0])
    return joined([_tree(one[0].nodes, columns) for one in learner._predictors], base=base)


def _tree(nodes: NDArray[np.void], columns: NDArray[np.int64]) -> dict[str, NDArray[np.generic]]:
    inner = nodes["is_leaf"] == 0
    left = np.where(inner, nodes["left"].astype(np.int64), -1)
    right = np.where(inner, nodes["right"].astype(np.int64), -1)
    return {
        "feature": np.where(inner, columns[np.where(inner, nodes["feature_idx"], 0)], -1),
        "threshold": np.where(inner, below(nodes["num_threshold"]), 0),
        "left": left,
        "right": right,
        "missing": np.where(nodes["missing_go_to_left"] == 1, left, right),
        "value": np.where(inner, 0.0, nodes["value"]),
        "cover": np.maximum(nodes["count"].astype(np.float64), 1e-12),
    }
