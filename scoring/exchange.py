"""What changes if one version takes another's place: alert by alert, and by size of payment."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.dataset import Dataset

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]
BANDS = (0.0, 50.0, 500.0, 5_000.0, np.inf)  # base currency


def exchanged(test: Dataset, own: Floats, theirs: Floats, budget: float) -> dict[str, Any]:
    """Frauds, genuine rows and stolen money shown by both, by one alone, by neither.

    Both raise as many alerts: the share `budget` of the rows, the highest scores.
    """
    count = round(len(test) * budget)
    mine, yours = highest(own, count), highest(theirs, count)
    parts = {
        "both": mine & yours,
        "own": mine & ~yours,
        "theirs": yours & ~mine,
        "neither": ~mine & ~yours,
    }
    return {name: _told(test, rows) for name, rows in parts.items()}


def by_amount(test: Dataset, own: Floats, theirs: Floats, budget: float) -> list[dict[str, Any]]:
    """The same per size of payment: where one finds more than the other."""
    count = round(len(test) * budget)
    mine, yours = highest(own, count), highest(theirs, count)
    told = []
    for low, high in pairwise(BANDS):
        within = (test.amounts >= low) & (test.amounts < high)
        frauds = within & (test.labels == 1)
        told.append(
            {
                "from": low,
                "until": None if np.isinf(high) else high,
                "frauds": int(frauds.sum()),
                "own": int((frauds & mine).sum()),
                "theirs": int((frauds & yours).sum()),
                "own_alerts": int((within & mine).sum()),
                "their_alerts": int((within & yours).sum()),
            }
        )
    return told


def highest(scores: Floats, count: int) -> Rows:
    """Which rows are among the `count` highest; ties in their order, as a queue takes them."""
    chosen = np.zeros(len(scores), bool)
    chosen[np.argsort(-scores, kind="stable")[:count]] = True
    return chosen


def overlap(own: Floats, theirs: Floats, count: int) -> float:
    """The share of the `count` highest rows that both have in common."""
    return float((highest(own, count) & highest(theirs, count)).sum()) / count if count else 0.0


def _told(test: Dataset, rows: Rows) -> dict[str, Any]:
    fraud = rows & (test.labels == 1)
    return {
        "frauds": int(fraud.sum()),
        "genuine": int((rows & (test.labels == 0)).sum()),
        "stolen": round(float(test.amounts[fraud].sum()), 2),
    }
