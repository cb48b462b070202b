"""Boosted trees learnt from labels by XGBoost, scored from our own arrays."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine.detectors import sampling
from scoring.engine.detectors.base import TreeDetector
from scoring.engine.detectors.trees import Trees, joined

Floats = NDArray[np.float64]
restore = TreeDetector.of
MANY = 1_000  # frauds that carry finer rules than a few hundred do
EXACT_UP_TO = 25_000  # rows; beyond, many bins lost nothing measurable and took a sixth


@dataclass(frozen=True)
class Settings:
    """Regularised, because boosters at their defaults collapse on one fraud in a thousand."""

    rounds: int = 200
    depth: int = 4
    rate: float = 0.06
    l2: float = 20.0
    feature_share: float = 0.4
    least_weight: float = 2.0
    share: sampling.Share = field(default_factory=sampling.Share)  # of the genuine rows


def usual(labels: Floats) -> Settings:
    """Deeper and more freely from many frauds on; a few hundred would be learnt by heart."""
    if np.sum(labels == 1) < MANY:
        return Settings()
    return Settings(rounds=400, depth=5, rate=0.12, l2=5.0)


def train(
    vectors: Floats,
    labels: Floats,
    *,
    settings: Settings | None = None,
    seed: int = 7,
    start: Floats | None = None,
) -> TreeDetector:
    """A forest whose raw score is the log-odds of fraud. The same input gives the same trees.

    With `start`, log-odds of each row that are known already, it is what has to be added to them.
    """
    import xgboost  # training only

    settings = settings or usual(labels)
    drawn = sampling.draw(vectors, labels, settings.share, seed)
    data = xgboost.DMatrix(drawn.rows, drawn.labels, weight=drawn.weights)
    if start is not None:
        data.set_base_margin(start[drawn.chosen])
    exact = len(drawn.rows) <= EXACT_UP_TO
    booster = xgboost.train(
        {
            "objective": "binary:logistic",
            # An estimated base score cost up to ten points of average precision when few are fraud.
            "base_score": 0.5,
            "tree_method": "exact" if exact else "hist",
            **({} if exact else {"max_bin": 1024}),
            "max_depth": settings.depth,
            "eta": settings.rate,
            "lambda": settings.l2,
            "colsample_bytree": settings.feature_share,
            "min_child_weight": settings.least_weight,
            "nthread": 1,  # sums in the order of threads would differ from run to run
            "seed": seed,
            "verbosity": 0,
        },
        data,
        num_boost_round=settings.rounds,
    )
    return TreeDetector(flattened(json.loads(booster.save_raw("json")), drawn.columns))


def flattened(model: dict[str, Any], columns: NDArray[np.int64]) -> Trees:
    """Our arrays of a booster's JSON, which counts only the columns it has seen."""
    learner = model["learner"]
    base = str(learner["learner_model_param"]["base_score"]).strip("[]")
    prior = float(base)
    trees = learner["gradient_booster"]["model"]["trees"]
    return joined([_tree(tree, columns) for tree in trees], base=float(np.log(prior / (1 - prior))))


def _tree(tree: dict[str, Any], columns: NDArray[np.int64]) -> dict[str, NDArray[np.generic]]:
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    inner = left >= 0
    conditions = np.array(tree["split_conditions"], np.float32)
    return {
        "feature": np.where(inner, columns[np.where(inner, tree["split_indices"], 0)], -1),
        "threshold": np.where(inner, conditions, 0),
        "left": left,
        "right": right,
        "missing": np.where(np.array(tree["default_left"], bool), left, right),
        "value": np.where(inner, 0.0, conditions.astype(np.float64)),
        "cover": np.maximum(np.array(tree["sum_hessian"], np.float64), 1e-12),
    }
