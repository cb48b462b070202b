"""What is read of merchants: the payments of the last hour, and the sums of whole hours before."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from scoring.engine.features import DAYS
from scoring.engine.history import HOUR, HOURS, MOST_UNITS, Rows, summed
from scoring.engine.transaction import microseconds

MONTH, WEEK = DAYS * 24 * HOUR, 7 * 24 * HOUR
# Of a merchant's payments the kernel reads no more than this; it is a part of HISTORY.
MET = np.dtype([(name, "<i8") for name in "id time units user card device merchant".split()])
Ranges = dict[str, list[int]]  # `merchants`, and of each `firsts` and `lasts`
MET_COLUMNS = "id, event_time, amount_units, user_key, card_key, device_key, merchant_key"
START = "date_bin('1 hour', event_time, timestamptz '2000-01-01 00:00+00')"


def _in_ranges(columns: str, table: str, time: str) -> str:
    """A SELECT of some merchants, each from one moment to before another (µs since 2000).

    Each range is looked up by itself: ordered they are never joined as sets, whatever the planner
    believes of a table that a file is just filling, and the index is walked without a bitmap.
    """
    start, end = (
        f"timestamptz '2000-01-01 00:00+00' + whose.{side} * interval '1 microsecond'"
        for side in ("first", "last")
    )
    return f"""
    SELECT part.* FROM unnest(%(merchants)s::int8[], %(firsts)s::int8[], %(lasts)s::int8[])
        AS whose (merchant, first, last)
    CROSS JOIN LATERAL (
        SELECT {columns} FROM {table}
        WHERE merchant_key = whose.merchant AND merchant_key <> 0
          AND {time} >= {start} AND {time} < {end} AND recorded_at <= %(known_at)s
        ORDER BY {time}
    ) AS part
    """


PAYMENTS = _in_ranges(MET_COLUMNS, "scoring_transaction", "event_time")
KEPT = _in_ranges("merchant_key, hour, count::int8, units", "scoring_merchanthour", "hour")
# The same from the payments themselves: what was merged since makes no difference to these.
ONE_BY_ONE = f"merchant_key, {START}, 1::int8, least(amount_units, {MOST_UNITS})"
COUNTED = f"""
SELECT merchant, hour, sum(count)::int8, sum(units)::int8
FROM ({_in_ranges(ONE_BY_ONE, "scoring_transaction", "event_time")})
    AS paid (merchant, hour, count, units)
GROUP BY merchant, hour
"""


def last_hour(events: Rows) -> Ranges:
    """Where PAYMENTS finds those of the hour before each event, none twice."""
    sorted = _by_merchant(events)
    times, new = sorted["time"], _new(sorted)
    new[1:] |= np.diff(times) > HOUR
    return _ranges(sorted, new, times - HOUR, times + 1)


def month_before(events: Rows) -> Ranges:
    """Where KEPT finds the whole hours of thirty days before each event."""
    sorted = _by_merchant(events)
    hour = sorted["time"] // HOUR * HOUR
    return _ranges(sorted, _new(sorted), hour - MONTH, hour)


def _by_merchant(events: Rows) -> Rows:
    known = events[events["merchant"] != 0]
    return known[np.lexsort((known["time"], known["merchant"]))]


def _new(sorted: Rows) -> np.ndarray:
    new = np.ones(len(sorted), bool)
    new[1:] = sorted["merchant"][1:] != sorted["merchant"][:-1]
    return new


def _ranges(sorted: Rows, new: np.ndarray, firsts: np.ndarray, lasts: np.ndarray) -> Ranges:
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(sorted))[: len(starts)] - 1
    return {
        "merchants": sorted["merchant"][starts].tolist(),
        "firsts": firsts[starts].tolist(),
        "lasts": lasts[ends].tolist(),
    }


def without(found: Rows, payments: Iterable[Any]) -> Rows:
    """The same hours as if these stored transactions were not in them."""
    taken = np.array(
        [
            (
                one.merchant_key,
                microseconds(one.event_time) // HOUR * HOUR,
                -1,
                -min(one.amount_units, MOST_UNITS),
            )
            for one in payments
        ],
        HOURS,
    )
    which = ["merchant", "hour"]
    return summed(np.concatenate([found, taken[np.isin(taken[which], found[which])]]))


class AsOf:
    """Hours as they were known at one moment, of the merchants asked for so far.

    The chunks of a file share that moment and many merchants. What was recorded by then does not
    change any more, so it is read once and not once per chunk.
    """

    MOST = 2_000_000  # rows of 32 bytes; then it begins again

    def __init__(self, fetch: Callable[[Ranges], Rows]) -> None:
        self._fetch = fetch
        self._forget()

    def of(self, events: Rows) -> Rows:
        """At least the hours of thirty days before each event."""
        wanted = month_before(events)
        merchants = wanted["merchants"]
        if not merchants:
            return np.empty(0, HOURS)
        if sum(map(len, self._rows.values())) > self.MOST:
            self._forget()
        self._read(merchants, min(wanted["firsts"]), max(wanted["lasts"]))
        return np.concatenate([self._rows[merchant] for merchant in merchants])

    def _read(self, merchants: list[int], first: int, last: int) -> None:
        if not self._first <= first <= last <= self._last:
            if self._rows:
                first, last = min(first, self._first), max(last, self._last)
            self._forget()
            # The next chunk begins and ends about there, a little earlier or later.
            self._first, self._last = first - WEEK, last + WEEK
        new = [merchant for merchant in merchants if merchant not in self._rows]
        if new:
            ends = {"firsts": [self._first] * len(new), "lasts": [self._last] * len(new)}
            rows = summed(self._fetch({"merchants": new, **ends}))
            starts = np.searchsorted(rows["merchant"], new)
            self._rows |= zip(new, np.split(rows, starts[1:]), strict=True)

    def _forget(self) -> None:
        self._rows: dict[int, Rows] = {}
        self._first, self._last = 0, -1
