"""The figures of a test beyond its ranking: false alarms, money, calibration, parts of the rows."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from scoring.engine.evaluation import average_precision, roc_points

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
FALSE_ALARMS = (0.001, 0.005, 0.01)  # shares of the genuine rows
LEAST_FRAUDS = 5  # a smaller part of the rows has no average precision worth telling
JUMP = 0.10  # of average precision: more than methods gain, and what leaks look like
BOUND = 0.98  # an average precision that is not met with where labels come late


def recall_at_false_alarms(labels: Floats, scores: Floats, share: float) -> float:
    """The share of frauds found while at most this share of genuine rows is raised."""
    false, true = roc_points(labels, scores)
    return float(true[false <= share].max()) if len(true) else float("nan")


def confusion(labels: Floats, raised: Mask) -> dict[str, int]:
    """The four counts of a test at one threshold."""
    fraud = labels == 1
    return {
        "true": int((fraud & raised).sum()),
        "false": int((~fraud & raised).sum()),
        "missed": int((fraud & ~raised).sum()),
        "quiet": int((~fraud & ~raised).sum()),
    }


def foretold_over_found(labels: Floats, probabilities: Floats) -> float:
    """The mean probability over the share of frauds; 1 is right."""
    base = float(labels.mean()) if len(labels) else 0.0
    return float(probabilities.mean()) / base if base else float("nan")


def parts(
    named: Mapping[str, Mask], labels: Floats, scores: Floats, amounts: Floats, raised: Mask
) -> list[dict[str, object]]:
    """One line for each part of the rows: how many, how many frauds, how many of them were raised.

    `raised` marks the alerts of the whole test, so the lines tell who is served worse by it. A part
    of frauds only (a typology) has no precision of its own: give it with all genuine rows.
    """
    return [
        _part(name, rows, labels, scores, amounts, raised)
        for name, rows in named.items()
        if rows.any()
    ]


def _part(
    name: str, rows: Mask, labels: Floats, scores: Floats, amounts: Floats, raised: Mask
) -> dict[str, object]:
    fraud, shown = rows & (labels == 1), rows & raised
    frauds, stolen = int(fraud.sum()), float(amounts[fraud].sum())
    told: dict[str, object] = {
        "name": name,
        "rows": int(rows.sum()),
        "frauds": frauds,
        "alerts": int(shown.sum()),
        "found": int((fraud & raised).sum()),
        "value": round(float(amounts[fraud & raised].sum()) / stolen, 4) if stolen else None,
        "ap": None,
    }
    if frauds >= LEAST_FRAUDS and frauds < told["rows"]:  # type: ignore[operator]
        told["ap"] = round(average_precision(labels[rows], scores[rows]), 4)
    return told


def too_good(reached: float, beside: Mapping[str, float], *, bound: float = BOUND) -> Iterable[str]:
    """Reasons to look for a leak before anybody believes these figures; none is the usual case.

    `beside` are average precisions of comparable models under the names a reader knows.
    """
    if reached > bound:
        yield f"average precision {reached:.3f} is above {bound:.2f}"
    for name, theirs in beside.items():
        if reached - theirs > JUMP:
            yield f"average precision jumped from {theirs:.3f} ({name}) to {reached:.3f}"
