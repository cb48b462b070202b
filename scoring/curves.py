"""What is kept of a measurement, small enough to be drawn later without the rows it was made on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.dataset import Dataset
from scoring.engine import evaluation

Floats = NDArray[np.float64]
POINTS = 60
BARS = 20
STEPS = 100  # of the threshold
LEAST_FRAUDS = 5  # fewer held-out frauds measure nothing


def curves(test: Dataset, scores: Floats, probability: Floats | None) -> dict[str, Any]:
    """All of them, under the names the page asks for."""
    if test.frauds < LEAST_FRAUDS:
        return {}
    found: dict[str, Any] = {
        "pr": precision_recall(test.labels, scores),
        "roc": roc(test.labels, scores),
        "histogram": histogram(test.labels, scores),
        "cuts": cuts(test, scores),
    }
    if probability is not None:
        found["calibration"] = reliability(test.labels, probability)
    return found


def precision_recall(labels: Floats, scores: Floats) -> list[list[float]]:
    """[recall, precision] from the highest score down, thinned to what a screen can show."""
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(labels[order])
    frauds = np.flatnonzero(labels[order])  # precision only peaks where a fraud is found
    kept = frauds[np.unique(np.linspace(0, len(frauds) - 1, POINTS).astype(int))]
    points = np.column_stack([found[kept] / found[-1], found[kept] / (kept + 1)])
    return [[round(float(x), 4), round(float(y), 4)] for x, y in points]


def roc(labels: Floats, scores: Floats) -> list[list[float]]:
    """[share of genuine rows raised, share of frauds found] from the corner up, thinned."""
    false, true = evaluation.roc_points(labels, scores)
    if not len(true):
        return []
    # Even along both axes: where one rises steeply the other says little.
    way = np.cumsum(np.abs(np.diff(false, prepend=0)) + np.abs(np.diff(true, prepend=0)))
    wanted = np.linspace(0, way[-1], POINTS)
    kept = np.unique(np.searchsorted(way, wanted).clip(0, len(way) - 1))
    return [[round(float(false[at]), 5), round(float(true[at]), 5)] for at in kept]


def histogram(labels: Floats, scores: Floats) -> dict[str, list[float]]:
    """Rows per step of the risk score, frauds and genuine ones apart."""
    edges = np.linspace(0, 1, BARS + 1)
    fraud, legitimate = (np.histogram(scores[labels == kind], edges)[0] for kind in (1, 0))
    return {
        "edges": [round(float(edge), 3) for edge in edges],
        "fraud": [int(count) for count in fraud],
        "legitimate": [int(count) for count in legitimate],
    }


def reliability(labels: Floats, probability: Floats, bins: int = 10) -> list[list[float]]:
    """[foretold, found, rows] over parts of equal size, from the least probable up."""
    parts = np.array_split(np.argsort(probability, kind="stable"), bins)
    return [
        [round(float(probability[at].mean()), 4), round(float(labels[at].mean()), 4), len(at)]
        for at in parts
        if len(at)
    ]


def cuts(test: Dataset, scores: Floats) -> dict[str, Any]:
    """For each hundredth of the risk score: frauds, genuine rows and stolen money strictly above.

    With `frauds`, `genuine` and `stolen` in all, every figure of every threshold follows from it.
    """
    fraud, steps = test.labels == 1, np.arange(STEPS + 1) / STEPS
    above = scores[None, :] > steps[:, None]
    return {
        "steps": STEPS,
        "frauds": int(fraud.sum()),
        "genuine": int((~fraud).sum()),
        "stolen": round(float(test.amounts[fraud].sum()), 2),
        "days": round(float(test.times[-1] - test.times[0]) / 86_400, 3),
        "true": [int(row.sum()) for row in above & fraud],
        "false": [int(row.sum()) for row in above & ~fraud],
        "caught": [round(float(test.amounts[row].sum()), 2) for row in above & fraud],
    }
