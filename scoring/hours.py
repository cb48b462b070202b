"""What is read of merchants: the payments of the last hour, and the sums of whole hours before."""

from typing import Any

import numpy as np

from scoring.engine.features import DAYS
from scoring.engine.history import HOUR, HOURS, MOST_UNITS, Rows

MONTH = DAYS * 24 * HOUR
# Of a merchant's payments the kernel reads no more than this; it is a part of HISTORY.
MET = np.dtype([(name, "<i8") for name in "id time units user card device merchant".split()])
MET_COLUMNS = "id, event_time, amount_units, user_key, card_key, device_key, merchant_key"
START = "date_bin('1 hour', event_time, timestamptz '2000-01-01 00:00+00')"


def _in_ranges(columns: str, table: str, time: str) -> str:
    """A SELECT of some merchants, each from one moment to before another (µs since 2000).

    Each range is looked up by itself: with OFFSET they are never joined as sets, whatever the
    planner believes of a table that a file is just filling.
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
        OFFSET 0
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


def last_hour(events: Rows) -> dict[str, Any]:
    """Where PAYMENTS finds those of the hour before each event, none twice."""
    sorted = _by_merchant(events)
    times, new = sorted["time"], _new(sorted)
    new[1:] |= np.diff(times) > HOUR
    return _ranges(sorted, new, times - HOUR, times + 1)


def month_before(events: Rows) -> dict[str, Any]:
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


def _ranges(sorted: Rows, new: np.ndarray, firsts: np.ndarray, lasts: np.ndarray) -> dict[str, Any]:
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(sorted))[: len(starts)] - 1
    return {
        "merchants": sorted["merchant"][starts].tolist(),
        "firsts": firsts[starts].tolist(),
        "lasts": lasts[ends].tolist(),
    }


def summed(parts: Rows) -> Rows:
    """The hours that rows of HOURS add up to, sorted by (merchant, hour)."""
    if not len(parts):
        return parts
    parts = parts[np.lexsort((parts["hour"], parts["merchant"]))]
    new = _new(parts)
    new[1:] |= np.diff(parts["hour"]) != 0
    starts = np.flatnonzero(new)
    found = np.empty(len(starts), HOURS)
    found["merchant"], found["hour"] = parts["merchant"][starts], parts["hour"][starts]
    for name in ("count", "units"):
        found[name] = np.add.reduceat(parts[name], starts)
    return found[found["count"] != 0]  # all of its payments were deleted
