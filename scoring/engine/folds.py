"""Prequential folds: learn from what was known before a week began, measure on that week.

A label exists from the moment it became known, not from the payment's. So a fold's training sees
each fraud only if it had been reported by then, and payments nobody had spoken of count as genuine
only after the time a report usually takes: the maturity.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine.history import FOREVER

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
DAY = 86_400_000_000  # microseconds
WEEK = 7


@dataclass(frozen=True)
class Outcomes:
    """What became of each row, and when that was known. One entry a row, in any order.

    `labels` are 1 fraud, 0 genuine, NaN nobody can say; `known` is the moment the label was given
    (microseconds since 2000, as `times`), FOREVER where nobody ever said anything.
    """

    times: Integers
    users: Integers
    labels: Floats
    known: Integers

    def as_of(self, moment: int, maturity: int) -> Floats:
        """The labels as they stood then: given ones, silence as 0 once matured, NaN otherwise."""
        silent = np.where(self.times < moment - maturity, 0.0, np.nan)
        return np.asarray(np.where(self.known <= moment, self.labels, silent))


@dataclass(frozen=True)
class Fold:
    """What is learnt from, with the labels of that day, and what is measured on: row numbers."""

    start: int  # of the test, microseconds since 2000
    end: int
    train: Integers
    labels: Floats  # of the training rows, as known at the start
    known: (
        Integers | None
    )  # when each of those labels was given, FOREVER: silence; None: all at once
    test: Integers
    compromised: int  # rows of the test left out, because their user was known by then


@dataclass(frozen=True)
class Protocol:
    """How long a fold learns and measures, all in days; `window` None is everything before."""

    window: float | None = 28
    maturity: float = 7  # silence counts as genuine after so many days
    test: float = WEEK
    without_known: bool = True  # leave out users already known to be compromised


def weekly(outcomes: Outcomes, protocol: Protocol, *, until: int, weeks: int = 4) -> list[Fold]:
    """The last so many test weeks that end by `until`, the earliest first.

    Give as `until` a moment by which the last week's labels have matured.
    """
    length = round(protocol.test * DAY)
    return [fold(outcomes, protocol, until - at * length) for at in range(weeks, 0, -1)]


def fold(outcomes: Outcomes, protocol: Protocol, start: int) -> Fold:
    """The fold whose test begins at `start`.

    Training ends one maturity before it. Younger rows wait, reported or not: among them only what
    was noticed has a label, and a model would learn that whatever grows with time is fraud.
    """
    maturity, end = round(protocol.maturity * DAY), start + round(protocol.test * DAY)
    since = -FOREVER if protocol.window is None else start - maturity - round(protocol.window * DAY)
    labels = outcomes.as_of(start, maturity)
    learnt = (outcomes.times >= since) & (outcomes.times < start - maturity) & ~np.isnan(labels)
    tested = (outcomes.times >= start) & (outcomes.times < end) & ~np.isnan(outcomes.labels)
    known = known_compromised(outcomes, start, since) & tested
    left_out = known if protocol.without_known else np.zeros(len(known), bool)
    train = np.flatnonzero(learnt)
    test = np.flatnonzero(tested & ~left_out)
    heard = np.where(outcomes.known <= start, outcomes.known, FOREVER)
    return Fold(start, end, train, labels[train], heard[train], test, int(left_out.sum()))


def known_compromised(outcomes: Outcomes, start: int, since: int) -> Mask:
    """Rows of users with a fraud since then that was known before the row's day began.

    Days are counted from `start`. With reports after seven days and `since` at the start of the
    training week this is the rule of the Fraud Detection Handbook: frauds of the training week, and
    for each test day those of up to eight days before.
    """
    frauds = np.flatnonzero((outcomes.labels == 1) & (outcomes.times >= since))
    users, place = np.unique(outcomes.users[frauds], return_inverse=True)
    if not len(users):
        return np.zeros(len(outcomes.times), bool)
    first = np.full(len(users), FOREVER, np.int64)
    np.minimum.at(first, place, outcomes.known[frauds])
    morning = start + (outcomes.times - start) // DAY * DAY
    at = np.minimum(np.searchsorted(users, outcomes.users), len(users) - 1)
    return np.asarray((users[at] == outcomes.users) & (first[at] <= morning))


def described(folds: Iterable[Fold]) -> list[dict[str, int]]:
    """Rows and frauds of each fold, for tables."""
    return [
        {
            "start": one.start,
            "trained_rows": len(one.train),
            "trained_frauds": int(np.sum(one.labels == 1)),
            "rows": len(one.test),
            "compromised": one.compromised,
        }
        for one in folds
    ]
