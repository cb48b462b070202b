"""Public data sets as the engine sees them: events, what became of them, and known when."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scoring.engine.features import NAMES, compute
from scoring.engine.folds import DAY, Outcomes
from scoring.engine.history import EVENT, FOREVER, FRAUDS, KINDS, History, Rows
from scoring.engine.transaction import EPOCH, UNITS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Data:
    """A data set in the order of time. `raw` are its columns as a beginner would take them."""

    name: str
    events: Rows
    outcomes: Outcomes
    raw: Floats
    typology: Integers
    episode: Integers  # below 0 where no fraud is
    amounts: Floats = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "amounts", self.events["units"] / UNITS)

    def day(self, number: float) -> int:
        """The moment a day of the data begins; day 0 is that of its first payment."""
        return int(self.events["time"][0] // DAY * DAY + round(number * DAY))

    def frauds(self, known: Integers | None = None) -> Rows:
        """Each reported fraud once for each of its entities, from the moment it was known.

        `known` is that moment where it is another one than that of the outcomes.
        """
        known = self.outcomes.known if known is None else known
        reported = np.flatnonzero((self.outcomes.labels == 1) & (known < FOREVER))
        events, known = self.events[reported], known[reported]
        vectors = compute(events, History.of(self.events))
        multiples = vectors[:, NAMES.index("amount_over_median")]
        parts = [_frauds_of(kind, events, multiples, known) for kind in KINDS]
        return np.concatenate(parts)


def _frauds_of(kind: str, events: Rows, multiples: Floats, known: Integers) -> Rows:
    rows = np.zeros(len(events), FRAUDS)
    rows["kind"], rows["key"] = KINDS[kind], events[kind]
    for name in ("time", "id", "units"):
        rows[name] = events[name]
    rows["multiple"], rows["known"], rows["until"] = multiples, known, FOREVER
    return rows[rows["key"] != 0]


def events_of(times: "pd.Series[pd.Timestamp]", amounts: "pd.Series[float]") -> Rows:
    """Events with a number, a time and an amount; everything else is unknown."""
    events = np.zeros(len(times), EVENT)
    events["id"] = np.arange(1, len(times) + 1)
    events["time"] = microseconds(times)
    events["units"] = np.round(amounts.to_numpy(float) * UNITS).astype(np.int64)
    for name in ("lat", "lon", "online"):
        events[name] = np.nan
    return events


def microseconds(times: "pd.Series[pd.Timestamp]") -> Integers:
    """Since 2000, as the engine counts."""
    since = pd.Timestamp(EPOCH).tz_localize(None)
    return np.asarray((times - since) // pd.Timedelta(microseconds=1), np.int64)


def keys(column: "pd.Series[object]") -> Integers:
    """A number from 1 for every value; 0 for a missing or empty one."""
    codes, _ = pd.factorize(column.where(column.astype(str) != ""))
    return np.asarray(codes + 1, np.int64)


Loader = Callable[[Path], Data]
