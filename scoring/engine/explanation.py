"""Why a score is what it is: contributions that add up, and sentences people can check."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine.bundle import Bundle
from scoring.engine.features import FEATURES
from scoring.engine.wording import sentence_of

Floats = NDArray[np.float64]
LEAST = 0.01  # log-odds; less is not worth a sentence


@dataclass(frozen=True)
class Contributions:
    """Log-odds: `base` plus the sum of a row of `values` is that row's `margin` within 1e-6."""

    base: float
    margin: Floats
    values: Floats  # one row per vector, one column per feature


def explain(bundle: Bundle, vectors: Floats, *, novel: bool = False) -> Contributions:
    """Shapley values of the margin. ArithmeticError if they do not add up to it.

    `novel` is for what came in by the novelty lane: the margin and the parts are its member's.
    """
    base, values = bundle.ensemble.contributions(vectors, novel=novel)
    margin = bundle.ensemble.margin(vectors, novel=novel)
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
