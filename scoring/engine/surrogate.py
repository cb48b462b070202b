"""A second opinion on one score: a small linear model of what happens around the payment.

After Ribeiro, Singh and Guestrin, “Why should I trust you?” (KDD 2016): neighbours of the vector
are made by giving some of its features ordinary values, the model scores them, near ones weigh
more, and a ridge regression says how much of the score each feature's own value holds up. It knows
nothing of how the model works inside: where it names the same reasons as the contributions, two
different ways have come to them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine.ensemble import Ensemble
from scoring.engine.features import NAMES

Floats = NDArray[np.float64]
Masks = NDArray[np.bool_]
NEIGHBOURS = 1_000
WIDTH = 0.35  # of the kernel, in the share of features that are ordinary
PENALTY = 1.0  # of the ridge, on standardised columns
TOP = 5
COMPARED = 15  # strongest features whose order is compared


@dataclass(frozen=True)
class Opinion:
    """Weights by feature in log-odds, how well they fit nearby, and how far they agree."""

    weights: dict[str, float]  # the strongest first
    fit: float  # weighted R², 1 is exact
    common: int  # of the five strongest reasons
    of: int
    same_direction: int  # of those in common
    rank_correlation: float  # Spearman's, over the strongest contributions
    neighbours: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def opinion(
    ensemble: Ensemble,
    vector: Floats,
    contributions: Floats,
    reference: Mapping[str, Mapping[str, Any]],
    seed: str,
) -> Opinion:
    """The second opinion on one vector, the same for the same seed, beside its contributions.

    `reference` is what `moving.reference` keeps of the training rows. ArithmeticError where the
    model gives no score nearby.
    """
    random = np.random.default_rng(int.from_bytes(blake2b(seed.encode(), digest_size=8).digest()))
    rows, own = neighbours(vector, reference, random)
    margin = ensemble.score(rows).margin
    if not np.all(np.isfinite(margin)):
        raise ArithmeticError("the model gives no score to what is near this payment")
    weights, fit = fitted(own, margin)
    return Opinion(
        weights=_strongest(weights),
        fit=fit,
        **agreement(contributions, weights),
        neighbours=len(rows),
    )


def neighbours(
    vector: Floats, reference: Mapping[str, Mapping[str, Any]], random: np.random.Generator
) -> tuple[Floats, Masks]:
    """Rows near the vector, and where each still has its value; the first is the vector itself."""
    drawn = np.tile(vector, (NEIGHBOURS, 1))
    shares = random.uniform(0, 1, NEIGHBOURS)[:, None]
    own = random.random(drawn.shape) >= shares
    own[0] = True
    for number, name in enumerate(NAMES):
        if name in reference:
            drawn[:, number] = ordinary(reference[name], NEIGHBOURS, random)
        else:
            own[:, number] = True  # the model learnt before there was such a feature
    return np.where(own, vector, drawn), own


def ordinary(kept: Mapping[str, Any], count: int, random: np.random.Generator) -> Floats:
    """Values as they lay in the training rows: of each bar its share, of those unknown theirs."""
    edges, rows = np.array(kept["edges"], np.float64), np.array(kept["rows"], np.float64)
    if not rows.sum() or not len(edges):
        return np.full(count, np.nan)
    step = edges[-1] - edges[-2] if len(edges) > 1 else 0.0
    highest = edges[-1] + (step if step > 1e-9 else 1.0)  # a flag's other value is 1
    lower = np.concatenate([edges[:1], edges])
    upper = np.concatenate([edges, [highest]])
    bar = random.choice(len(rows), count, p=rows / rows.sum())
    known = np.minimum(bar, len(edges))
    values: Floats = upper[known] - (upper - lower)[known] * random.random(count)
    # The last bar of a column of few values holds the next one, not something in between.
    few = known == len(edges) if step <= 1e-9 else np.zeros(count, bool)
    values[few] = highest
    values[bar == len(rows) - 1] = np.nan
    return values


def fitted(own: Masks, margin: Floats) -> tuple[Floats, float]:
    """Ridge weights of keeping each value, and the weighted R² of the fit."""
    far = 1 - own.mean(axis=1)
    weight = np.exp(-((far / WIDTH) ** 2))
    weight /= weight.sum()
    x, y = own.astype(np.float64), margin - weight @ margin
    x -= weight @ x
    spread = np.sqrt(weight @ x**2)
    still = spread < 1e-9
    x[:, still], spread[still] = 0.0, 1.0
    x /= spread
    gram = (x * weight[:, None]).T @ x
    found = np.linalg.solve(gram + PENALTY / len(x) * np.eye(len(gram)), x.T @ (weight * y))
    left = weight @ (y - x @ found) ** 2
    whole = weight @ y**2
    return found / spread, float(1 - left / whole) if whole > 0 else 1.0


def agreement(contributions: Floats, weights: Floats) -> dict[str, Any]:
    """How far two lists of reasons are the same: the five strongest, their direction, the order."""
    first, second = _order(contributions)[:TOP], set(_order(weights)[:TOP])
    common = [number for number in first if number in second]
    same = sum(np.sign(contributions[n]) == np.sign(weights[n]) for n in common)
    ranked = _order(contributions)[:COMPARED]
    return {
        "common": len(common),
        "of": min(TOP, len(first)),
        "same_direction": int(same),
        "rank_correlation": _spearman(np.abs(contributions[ranked]), np.abs(weights[ranked])),
    }


def _order(values: Floats) -> list[int]:
    """The places of all that is not nothing, the strongest first."""
    found = np.argsort(-np.abs(values), kind="stable")
    return [int(number) for number in found if values[number]]


def _strongest(weights: Floats) -> dict[str, float]:
    return {NAMES[number]: float(weights[number]) for number in _order(weights)[:TOP]}


def _spearman(one: Floats, other: Floats) -> float:
    if len(one) < 3:
        return 1.0
    ranks = [np.argsort(np.argsort(values, kind="stable")) for values in (one, other)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
