"""The rules: a register of small questions to an event and its vector, each with a sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from scoring.engine.decision import RAISING, Hit, Policy
from scoring.engine.features import column
from scoring.engine.history import Rows
from scoring.engine.transaction import UNITS

Vectors = NDArray[np.float64]
Fired = tuple[NDArray[np.bool_], NDArray[np.float64], float]  # which rows, what they showed, limit
MICROSECONDS_PER_HOUR = 3_600_000_000


def high_amount(events: Rows, vectors: Vectors, policy: Policy) -> Fired:
    """The amount in the base currency is above the limit."""
    amounts = events["units"] / UNITS
    return amounts > policy.high_amount, amounts, policy.high_amount


def velocity_multi_city(events: Rows, vectors: Vectors, policy: Policy) -> Fired:
    """More transactions of one user within a minute than the limit, from different cities."""
    count = vectors[:, column("transaction_count_1m")] + 1  # this one included
    cities = vectors[:, column("distinct_places_1m")]
    fired = (count > policy.velocity_count) & (cities >= policy.velocity_cities)
    return fired, count, float(policy.velocity_count)


def unusual_hour(events: Rows, vectors: Vectors, policy: Policy) -> Fired:
    """The local time falls into the hours in which few people pay."""
    hours = local_hours(events)
    start, end = policy.unusual_from, policy.unusual_until
    after, before = hours >= start, hours < end
    fired = after & before if start <= end else after | before  # the latter is over midnight
    return fired, hours.astype(np.float64), float(start)


def high_risk_mcc(events: Rows, vectors: Vectors, policy: Policy) -> Fired:
    """The merchant category code is one in which fraud is frequent."""
    codes = events["mcc"]
    listed = _numbers(policy.high_risk_mcc)
    fired = (codes[:, None] == listed).any(axis=1) & (codes != 0)
    return fired, codes.astype(np.float64), 0.0


@cache
def _numbers(codes: tuple[str, ...]) -> NDArray[np.int64]:
    return np.array([int(code) for code in codes], np.int64)


@dataclass(frozen=True)
class Rule:
    """A reason code, what asks for it, and the sentence a hit reads as."""

    code: str
    fires: Callable[[Rows, Vectors, Policy], Fired]
    sentence: str  # {observed}, {limit}, {policy}
    title: str  # as a case is called

    @property
    def meaning(self) -> str:
        return (self.fires.__doc__ or "").strip()

    @property
    def raises(self) -> bool:
        """Whether a hit alone is enough for a person to look."""
        return self.code in RAISING


RULES = [
    Rule(
        "HIGH_AMOUNT",
        high_amount,
        "The amount of {observed:,.2f} is above the limit of {limit:,.2f}.",
        "High amount",
    ),
    Rule(
        "VELOCITY_MULTI_CITY",
        velocity_multi_city,
        "{observed:.0f} transactions within one minute from at least "
        "{policy.velocity_cities} cities; more than {limit:.0f} are unusual.",
        "Several cities within a minute",
    ),
    Rule(
        "UNUSUAL_HOUR",
        unusual_hour,
        "It happened in the hour from {observed:02.0f}:00 local time; the hours from "
        "{policy.unusual_from:02d}:00 to {policy.unusual_until:02d}:00 are unusual.",
        "Unusual hour",
    ),
    Rule(
        "HIGH_RISK_MCC",
        high_risk_mcc,
        "The merchant category {observed:04.0f} is on the list of high-risk categories.",
        "High-risk merchant category",
    ),
]


def hits(events: Rows, vectors: Vectors, policy: Policy) -> list[list[Hit]]:
    """The rules each event fires, in the order of the register.

    A NaN in a vector fires nothing, so rules that need no history work when features failed.
    """
    found: list[list[Hit]] = [[] for _ in range(len(events))]
    for rule in RULES:
        fired, observed, limit = rule.fires(events, vectors, policy)
        for row in fired.nonzero()[0]:
            shown = float(observed[row])
            text = rule.sentence.format(observed=shown, limit=limit, policy=policy)
            found[row].append(Hit(rule.code, text, shown, limit))
    return found


def local_hours(events: Rows) -> NDArray[np.int64]:
    """The hour on the entity's clocks, 0 to 23."""
    local = events["time"] + events["offset"] * 1_000_000
    hours: NDArray[np.int64] = (local // MICROSECONDS_PER_HOUR) % 24
    return hours
