"""How sure a figure is: users drawn again and again, and the figure taken of each draw.

The frauds of one user are not independent of each other, so users are drawn, not payments. Two
scores are compared on the same draws: most of what varies then varies for both and cancels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
ROUNDS = 200
MOST_LOSS = 0.01  # of average precision: a promotion has to exclude a larger one
MEASURES = ("ap", "auc")


@dataclass(frozen=True)
class Ranked:
    """Rows of one test in the order of one score, highest first; `ends` close equal scores."""

    users: Integers  # places among all drawn users
    labels: Floats
    ends: Integers

    @classmethod
    def by(cls, scores: Floats, labels: Floats, users: Integers) -> "Ranked":
        order = np.argsort(-scores, kind="stable")
        ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
        return cls(users[order], labels[order], ends)

    def measured(self, weights: Floats) -> tuple[float, float]:
        """Average precision and area under the ROC curve, each row counting as often as drawn."""
        weight = weights[self.users]
        seen = np.cumsum(weight)[self.ends]
        found = np.cumsum(weight * self.labels)[self.ends]
        frauds, genuine = found[-1], seen[-1] - found[-1]
        if not frauds or not genuine:
            return float("nan"), float("nan")
        precise = np.divide(found, seen, out=np.zeros(len(seen)), where=seen > 0)
        precision = float(np.sum(np.diff(found, prepend=0) * precise) / frauds)
        true, false = np.append(0.0, found), np.append(0.0, seen - found)
        return precision, float(np.trapezoid(true, false) / (frauds * genuine))


@dataclass(frozen=True)
class Sample:
    """The rows of one test, and what one or more scores said of them."""

    labels: Floats
    users: Integers
    scores: Sequence[Floats]


@dataclass(frozen=True)
class Interval:
    """A figure and the middle 95 % of what the draws gave for it."""

    value: float
    low: float
    high: float

    def as_list(self) -> list[float]:
        return [round(self.value, 5), round(self.low, 5), round(self.high, 5)]


def resampled(tests: Sequence[Sample], *, rounds: int = ROUNDS, seed: int = 7) -> Floats:
    """Means over the tests, (1 + rounds, scores, measures): as they are, then of each draw.

    A user who is in several tests is drawn for all of them together. A draw without a fraud in one
    of the tests says nothing and is NaN.
    """
    crowd = np.unique(np.concatenate([test.users for test in tests]))
    ranked = [
        [
            Ranked.by(scores, test.labels, np.searchsorted(crowd, test.users))
            for scores in test.scores
        ]
        for test in tests
    ]
    random = np.random.default_rng(seed)
    found = np.empty((rounds + 1, len(tests[0].scores), len(MEASURES)))
    for draw in range(rounds + 1):
        chosen = random.integers(0, len(crowd), len(crowd)) if draw else np.arange(len(crowd))
        weights = np.bincount(chosen, minlength=len(crowd)).astype(np.float64)
        found[draw] = np.mean([[one.measured(weights) for one in test] for test in ranked], 0)
    return found


def interval(draws: Floats) -> Interval:
    """Of one column of `resampled`, or of the difference of two of them."""
    told = draws[1:][np.isfinite(draws[1:])]
    if not len(told):
        return Interval(float(draws[0]), float("nan"), float("nan"))
    low, high = np.quantile(told, [0.025, 0.975])
    return Interval(float(draws[0]), float(low), float(high))


def verdict(difference: Interval) -> str:
    """What a paired difference of average precision says: better, not worse, worse, undecided.

    `not worse` excludes a loss of more than MOST_LOSS; only it and `better` allow a promotion.
    """
    if not np.isfinite(difference.low):
        return "undecided"
    if difference.low > 0:
        return "better"
    if difference.low >= -MOST_LOSS:
        return "not worse"
    return "worse" if difference.high < 0 else "undecided"
