"""How good scores are, in the numbers the trade compares. Labels are 1 and 0, nothing else."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TOP_SHARE = 0.05
BINS = 10


def average_precision(labels: Floats, scores: Floats) -> float:
    """The mean of the precision at each fraud found; equal scores are found together."""
    found, seen = _found(labels, scores)
    if not len(found) or found[-1] == 0:
        return float("nan")
    gained = np.diff(found, prepend=0) / found[-1]
    return float(np.sum(gained * found / seen))


def roc_auc(labels: Floats, scores: Floats) -> float:
    """The chance that a fraud scores above a genuine transaction; equal scores count half."""
    false, true = roc_points(labels, scores)
    return float(np.trapezoid(true, false)) if len(true) else float("nan")


def roc_points(labels: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """Shares of genuine rows raised and of frauds found, from nobody raised to everybody.

    Empty where one of the two kinds is missing.
    """
    found, seen = _found(labels, scores)
    if not len(found) or found[-1] in (0, seen[-1]):
        return np.empty(0), np.empty(0)
    true = np.concatenate([[0], found / found[-1]])
    false = np.concatenate([[0], (seen - found) / (seen[-1] - found[-1])])
    return false, true


def _found(labels: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """Frauds and rows at or above each different score, from the highest down."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    if not len(order):
        return np.empty(0), np.empty(0)
    return np.cumsum(labels[order])[ends], ends + 1.0


def at_top(labels: Floats, scores: Floats, count: int) -> dict[str, float]:
    """Precision, recall and F1 when the `count` highest scores are looked at.

    Equal scores at the edge are taken in their order, as a queue would take them.
    """
    top = np.argsort(-scores, kind="stable")[: max(count, 0)]
    hits, frauds = float(labels[top].sum()), float(labels.sum())
    precision = hits / len(top) if len(top) else float("nan")
    recall = hits / frauds if frauds else float("nan")
    f1 = 2 * hits / (len(top) + frauds) if len(top) + frauds else float("nan")
    return {"precision": precision, "recall": recall, "f1": f1}


def at_share(labels: Floats, scores: Floats, share: float = TOP_SHARE) -> dict[str, float]:
    """The same for the highest share of all scores: "precision at 5 %"."""
    return at_top(labels, scores, round(len(scores) * share))


def calibration_error(labels: Floats, probabilities: Floats, bins: int = BINS) -> float:
    """ECE over quantile bins: the mean gap between what was foretold and what came."""
    if not len(labels):
        return float("nan")
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    gaps = [abs(probabilities[part].mean() - labels[part].mean()) * len(part) for part in parts]
    return float(sum(gaps) / len(labels))


def brier(labels: Floats, probabilities: Floats) -> float:
    """The mean squared error of the probabilities."""
    return float(np.mean((probabilities - labels) ** 2)) if len(labels) else float("nan")


def population_stability(expected: Sequence[float], found: Sequence[float]) -> float:
    """PSI between two histograms over the same bars: the sum of (q - p) ln(q / p) of their shares.

    Customarily, up to 0.1 is stable and above 0.25 has moved much. An empty bar counts as one row
    in ten thousand, so that one new value is not infinitely far.
    """
    p, q = (np.asarray(rows, np.float64) / max(sum(rows), 1) for rows in (expected, found))
    p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
    return float(np.sum((q - p) * np.log(q / p)))


def metrics(
    labels: Floats, scores: Floats, probabilities: Floats | None = None, *, at: int = 100
) -> dict[str, float]:
    """All of them under their names; without those that cannot be computed, which JSON lacks."""
    share, top = at_share(labels, scores), at_top(labels, scores, at)
    found = {
        "rows": float(len(labels)),
        "frauds": float(labels.sum()),
        "average_precision": average_precision(labels, scores),
        "roc_auc": roc_auc(labels, scores),
        "precision_at_5_percent": share["precision"],
        "recall_at_5_percent": share["recall"],
        "f1_at_5_percent": share["f1"],
        f"precision_at_{at}": top["precision"],
        f"recall_at_{at}": top["recall"],
    }
    if probabilities is not None:
        found["calibration_error"] = calibration_error(labels, probabilities)
        found["brier"] = brier(labels, probabilities)
        found["mean_probability"] = float(probabilities.mean()) if len(labels) else float("nan")
    return {name: value for name, value in found.items() if np.isfinite(value)}
