"""LightGBM: boosted trees that grow where the error is largest, from a package of the extras.

Like the other boosters at their defaults it collapses on rare frauds, so it is bridled as they are.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine.detectors import sampling
from scoring.engine.detectors.base import TreeDetector, Unlearnable
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
    try:
        import lightgbm  # training only
    except OSError as error:  # its Linux wheel needs the system's libgomp
        raise Unlearnable(f"LightGBM is installed but does not load: {error}") from error

    settings = settings or Settings()
    drawn = sampling.draw(vectors, labels, settings.share, seed)
    booster = lightgbm.train(
        {
            "objective": "binary",
            "num_leaves": settings.leaves,
            "learning_rate": settings.rate,
            "lambda_l2": settings.l2,
            "feature_fraction": settings.feature_share,
            "min_data_in_leaf": settings.least_rows,
            "num_threads": 1,  # sums in the order of threads would differ from run to run
            "deterministic": True,
            "force_col_wise": True,
            "seed": seed,
            "verbosity": -1,
        },
        lightgbm.Dataset(drawn.rows, drawn.labels, weight=drawn.weights),
        num_boost_round=settings.rounds,
    )
    return TreeDetector(flattened(booster.dump_model(), drawn.columns))


def flattened(model: dict[str, Any], columns: NDArray[np.int64]) -> Trees:
    """Our arrays of a booster's description. It starts from the prior within its first tree."""
    trees = [_tree(one["tree_structure"], columns) for one in model["tree_info"]]
    return joined(trees, base=0.0)


def _tree(root: dict[str, Any], columns: NDArray[np.int64]) -> dict[str, NDArray[np.generic]]:
    nodes: list[dict[str, Any]] = []
    children: list[tuple[int, int]] = []
    waiting: list[tuple[dict[str, Any], int, int]] = [(root, -1, 0)]
    while waiting:
        node, parent, side = waiting.pop()
        if parent >= 0:
            pair = list(children[parent])
            pair[side] = len(nodes)
            children[parent] = (pair[0], pair[1])
        if "left_child" in node:
            waiting.append((node["right_child"], len(nodes), 1))
            waiting.append((node["left_child"], len(nodes), 0))
        nodes.append(node)
        children.append((-1, -1))
    inner = np.array(["left_child" in node for node in nodes])
    left, right = np.array(children).T
    limits = np.array([node.get("threshold", 0.0) for node in nodes], np.float64)
    used = np.array([node.get("split_feature", 0) for node in nodes])
    return {
        "feature": np.where(inner, columns[used], -1),
        "threshold": np.where(inner, below(limits), 0),
        "left": left,
        "right": right,
        "missing": np.where([_unknown_goes_left(node) for node in nodes], left, right),
        "value": np.array([node.get("leaf_value", 0.0) for node in nodes], np.float64),
        "cover": _covers(nodes, left, right),
    }


def _unknown_goes_left(node: dict[str, Any]) -> bool:
    """Where no value was unknown in training, an unknown one counts as 0."""
    if node.get("missing_type") == "NaN":
        return bool(node["default_left"])
    return bool(node.get("threshold", 0.0) >= 0)


def _covers(
    nodes: list[dict[str, Any]], left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The weights of the leaves below each node: those told of inner nodes leave out the root."""
    covers = np.array([max(float(node.get("leaf_weight", 0.0)), 1e-12) for node in nodes])
    for node in range(len(nodes) - 1, -1, -1):
        if left[node] >= 0:
            covers[node] = covers[left[node]] + covers[right[node]]
    return covers
