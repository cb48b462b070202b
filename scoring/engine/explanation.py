"""Why a score is what it is: contributions that add up, and sentences people can check."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine.bundle import Bundle
from scoring.engine.features import FEATURES, Feature, column

Floats = NDArray[np.float64]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LEAST = 0.01  # log-odds; less is not worth a sentence


@dataclass(frozen=True)
class Contributions:
    """Log-odds: `base` plus the sum of a row of `values` is that row's `margin` within 1e-6."""

    base: float
    margin: Floats
    values: Floats  # one row per vector, one column per feature


def explain(bundle: Bundle, vectors: Floats) -> Contributions:
    """Shapley values of the margin. ArithmeticError if they do not add up to it."""
    base, values = bundle.ensemble.contributions(vectors)
    margin = bundle.ensemble.score(vectors).margin
    gap = np.abs(base + values.sum(axis=1) - margin)
    if not np.all(gap <= 1e-6):
        raise ArithmeticError(f"contributions miss the score by {gap.max():.2g}")
    return Contributions(base, margin, values)


def sentences(vector: Floats, contributions: Floats, top: int = 5) -> list[dict[str, Any]]:
    """The strongest contributions of one transaction, strongest first, each with its sentence.

    Features that say the same thing in the same words (amount and its logarithm) are told once.
    """
    told: list[dict[str, Any]] = []
    for number in np.argsort(-np.abs(contributions), kind="stable"):
        strength = float(contributions[number])
        if len(told) == top or abs(strength) < LEAST:
            break
        sentence = sentence_of(FEATURES[number], vector)
        if all(sentence != earlier["sentence"] for earlier in told):
            value = float(vector[number])
            told.append(
                {
                    "feature": FEATURES[number].name,
                    "value": value if np.isfinite(value) else None,
                    "contribution": strength,
                    "direction": "raises" if strength > 0 else "lowers",
                    "sentence": sentence,
                }
            )
    return told


def sentence_of(feature: Feature, vector: Floats) -> str:
    """What this feature says about the transaction, beside the entity's own past."""
    value = float(vector[column(feature.name)])
    if not np.isfinite(value):
        return f"{feature.meaning}: not known."
    sentence = feature.phrase.format(
        value=value,
        amount=float(vector[column("amount")]),
        hour=float(vector[column("hour")]),
        weekday=WEEKDAYS[int(value) % 7],
        duration=_duration(value),
        **{"not": "" if value else "not "},
    )
    return sentence + _baseline(feature, vector)


def _baseline(feature: Feature, vector: Floats) -> str:
    """The past the value was compared with, where the register names one."""
    if not feature.baseline:
        return ""
    value = float(vector[column(feature.baseline)])
    return feature.baseline_phrase.format(value=value) if np.isfinite(value) else ""


def _duration(minutes: float) -> str:
    for size, unit in ((1440, "days"), (60, "hours"), (1, "minutes")):
        if minutes >= 2 * size:
            return f"{minutes / size:.0f} {unit}"
    return f"{minutes * 60:.0f} seconds"
