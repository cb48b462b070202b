"""The arithmetic behind the pages: labels that are still to come, backlogs, and money. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

import numpy as np

from scoring.engine.costs import Bill, Costs, Counted, cost_of
from scoring.engine.reporting import LEAST

RIPE = 0.9  # of the labels a time will ever get; with fewer its figures may still turn


# --- labels come late -----------------------------------------------------------------------------
def arrival(delays: Iterable[tuple[int, int, int]]) -> list[float]:
    """By day of delay, the share of labels that come within it; [] without a label.

    `delays` are (delay, age, count): whole days from payment to label, and from payment to now.
    A payment of yesterday can only show short delays, so the plain shares would be too hopeful.
    This is the nonparametric estimate for data cut off on the right (Lagakos, Barraj, De
    Gruttola 1988): of the labels with at most this delay, among payments at least as old as it,
    those with exactly it; the shares multiply from the longest delay down. That is the longest
    that LEAST labels (of a few, half of them) could have shown: one late label among payments of
    its age alone would else say that nothing ever comes earlier.
    """
    rows = [(delay, max(age, delay), count) for delay, age, count in delays if delay >= 0]
    if not rows:
        return []
    seen = np.zeros((max(d for d, _, _ in rows) + 1, max(age for _, age, _ in rows) + 1))
    for delay, age, count in rows:
        seen[delay, age] += count
    within = [seen[: day + 1, day:].sum() for day in range(len(seen))]
    enough = min(LEAST, seen.sum() / 2)
    longest = max((day for day, count in enumerate(within) if count >= enough), default=0)
    shares = [1.0] * (longest + 1)
    for day in range(longest, 0, -1):
        stays = 1 - seen[day].sum() / within[day] if within[day] else 1.0
        shares[day - 1] = float(shares[day] * stays)
    return shares


def ripeness(shares: Sequence[float], age_days: float) -> float | None:
    """The share of labels that have come for payments of this age; None: nothing is known."""
    if not shares or age_days < 0:
        return None if not shares else 0.0
    return shares[min(int(age_days), len(shares) - 1)]


def is_ripe(shares: Sequence[float], age_days: float) -> bool:
    """Whether figures of this age will hardly turn any more; without any label nothing is ripe."""
    return (ripeness(shares, age_days) or 0.0) >= RIPE


def days_until_ripe(shares: Sequence[float]) -> int | None:
    """After how many days so many labels have come."""
    return next((day for day, share in enumerate(shares) if share >= RIPE), None)


# --- queues ---------------------------------------------------------------------------------------
def backlogs(open_now: int, steps: Sequence[tuple[int, int]], after: tuple[int, int]) -> list[int]:
    """How many were open at the end of each step, told backwards from now.

    `steps` are (came, went), oldest first; `after` is what came and went since the last one ended.
    """
    last = open_now - after[0] + after[1]
    backwards = [last, *(went - came for came, went in reversed(steps[1:]))]
    return list(accumulate(backwards))[::-1][: len(steps)] if steps else []


# --- money ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Day:
    """What happened on one day under one cost model; amounts in the base currency."""

    day: date
    era: int  # which cost model was in force, by its place
    counted: Counted
    decided: int = 0  # alerts that people closed
    frauds: int = 0  # of these, frauds


@dataclass(frozen=True)
class Sum:
    """Several days together."""

    bill: Bill
    counted: Counted
    decided: int
    frauds: int

    @property
    def per_alert(self) -> float | None:
        """Reviews and friction for each alert decided."""
        return (self.bill.review + self.bill.friction) / self.decided if self.decided else None

    @property
    def per_fraud(self) -> float | None:
        """Reviews and friction for each alert that was a fraud."""
        return (self.bill.review + self.bill.friction) / self.frauds if self.frauds else None

    @property
    def stopped_share(self) -> float | None:
        """Of the money of all known frauds, what was stopped."""
        known = self.bill.prevented + self.bill.missed
        return self.bill.prevented / known if known else None


def sum_of(days: Iterable[Day], eras: Sequence[Costs]) -> Sum:
    """Each day by the costs of its time, added up."""
    found = list(days)
    bills = [cost_of(eras[min(one.era, len(eras) - 1)], one.counted) for one in found]
    return Sum(
        Bill(
            prevented=sum(bill.prevented for bill in bills),
            missed=sum(bill.missed for bill in bills),
            review=sum(bill.review for bill in bills),
            friction=sum(bill.friction for bill in bills),
        ),
        _together([one.counted for one in found]),
        sum(one.decided for one in found),
        sum(one.frauds for one in found),
    )


def _together(counts: Sequence[Counted]) -> Counted:
    names = Counted.__dataclass_fields__
    return Counted(**{name: sum(getattr(one, name) for one in counts) for name in names})


def by_step(
    days: Iterable[Day], eras: Sequence[Costs], starts: Sequence[date]
) -> list[tuple[date, Sum]]:
    """The same in steps that begin on these dates, also where nothing happened."""
    parts: Mapping[date, list[Day]] = {start: [] for start in starts}
    for one in days:
        start = max((s for s in starts if s <= one.day), default=None)
        if start is not None:
            parts[start].append(one)
    return [(start, sum_of(found, eras)) for start, found in parts.items()]
