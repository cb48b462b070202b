"""What came before: earlier payments ordered by entity, merchants' hours, known frauds."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# Every field is 8 bytes wide, so the kernel can read a row as integers or as floats without a copy.
# HISTORY is what the past needs and a prefix of EVENT, which adds what only the event itself needs.
HISTORY = np.dtype(
    [
        ("id", "<i8"),  # the ingest number: breaks ties in time
        ("time", "<i8"),  # microseconds since 2000-01-01 UTC
        ("units", "<i8"),  # ten-thousandths of the base currency
        ("user", "<i8"),  # entity keys; 0 is none
        ("card", "<i8"),
        ("device", "<i8"),
        ("merchant", "<i8"),
        ("place", "<i8"),
        ("category", "<i8"),
        ("lat", "<f8"),  # NaN is unknown
        ("lon", "<f8"),
        ("country", "<i8"),  # its two letters as a number; 0 is none
    ]
)
EVENT = np.dtype(
    [
        *HISTORY.descr,
        ("online", "<f8"),  # 0, 1 or NaN
        ("offset", "<i8"),  # local clocks' distance from UTC at the event, in seconds
        ("mcc", "<i8"),  # 0 is none
        ("channel", "<i8"),  # names.CHANNELS; 0 is none
    ]
)
# A merchant may have too many payments to read: of its past beyond the last hour, whole hours are
# kept. An amount above MOST_UNITS counts as that in their sums, which stay within 64 bits.
HOURS = np.dtype(
    [
        ("merchant", "<i8"),
        ("hour", "<i8"),  # its start, microseconds since 2000-01-01 UTC
        ("count", "<i8"),
        ("units", "<i8"),
    ]
)
MOST_UNITS = 2**40
# One row per entity of a payment that was ever called fraud: what was said of whom, and since when.
FRAUDS = np.dtype(
    [
        ("kind", "<i8"),  # KINDS
        ("key", "<i8"),  # of the entity
        ("time", "<i8"),  # of the payment
        ("id", "<i8"),
        ("units", "<i8"),
        ("multiple", "<f8"),  # its amount over its user's median then; NaN is unknown
        ("known", "<i8"),  # from when it was known to be fraud …
        ("until", "<i8"),  # … and before when: FOREVER, or the moment it was called otherwise
    ]
)
KINDS = {"user": 1, "card": 2, "device": 3, "merchant": 4}
FOREVER = 2**62
HOUR = 3_600_000_000
Rows = NDArray[np.void]


def _nothing(dtype: np.dtype[np.void]) -> Rows:
    return np.empty(0, dtype)


@dataclass(frozen=True, slots=True)
class History:
    """Rows by user, card, device and merchant, each sorted by (entity key, time, id).

    They may hold the scored events themselves and later ones: features take the rows strictly
    before (time, id) and no others. Of merchants only the hour before each event need be there;
    `hours`, sorted by (merchant, hour) and one row for each, hold what came before in sums.
    `frauds` are sorted by (kind, key, time, id).
    """

    by_user: Rows
    by_card: Rows
    by_device: Rows
    by_merchant: Rows = field(default_factory=lambda: _nothing(HISTORY))
    hours: Rows = field(default_factory=lambda: _nothing(HOURS))
    frauds: Rows = field(default_factory=lambda: _nothing(FRAUDS))

    @classmethod
    def of(cls, rows: Rows, frauds: Rows | None = None) -> "History":
        """All orders of one set of rows (EVENT or HISTORY), with its merchants' hours."""
        past = as_history(rows)
        user, card, device, merchant = (ordered(past, entity) for entity in KINDS)
        known = _nothing(FRAUDS) if frauds is None else in_order(frauds)
        return cls(user, card, device, merchant, hours_of(merchant), known)

    @classmethod
    def none(cls) -> "History":
        """Nothing is known about anybody."""
        empty = np.empty(0, HISTORY)
        return cls(empty, empty, empty)


def as_history(rows: Rows) -> Rows:
    """The same rows with the fields of HISTORY only."""
    if rows.dtype == HISTORY:
        return rows
    past = np.empty(len(rows), HISTORY)
    for name in HISTORY.names or ():
        past[name] = rows[name]
    return past


def ordered(rows: Rows, entity: str) -> Rows:
    """The rows in which that entity is known, sorted by (entity key, time, id)."""
    known: Rows = rows[rows[entity] != 0]
    order = np.lexsort((known["id"], known["time"], known[entity]))
    return np.asarray(known[order])


def in_order(frauds: Rows) -> Rows:
    """Known frauds as the kernel reads them: sorted by (kind, key, time, id)."""
    order = np.lexsort((frauds["id"], frauds["time"], frauds["key"], frauds["kind"]))
    return np.asarray(frauds[order])


def hours_of(by_merchant: Rows) -> Rows:
    """The hours of all merchants in rows that are sorted by (merchant, time, id)."""
    if not len(by_merchant):
        return _nothing(HOURS)
    hour = by_merchant["time"] // HOUR * HOUR
    merchant = by_merchant["merchant"]
    first = np.ones(len(hour), bool)
    first[1:] = (merchant[1:] != merchant[:-1]) | (hour[1:] != hour[:-1])
    starts = np.flatnonzero(first)
    found = np.empty(len(starts), HOURS)
    found["merchant"], found["hour"] = merchant[starts], hour[starts]
    found["count"] = np.diff(np.append(starts, len(hour)))
    found["units"] = np.add.reduceat(np.minimum(by_merchant["units"], MOST_UNITS), starts)
    return found


def summed(parts: Rows) -> Rows:
    """The hours that rows of HOURS add up to, sorted by (merchant, hour)."""
    merchant, hour = parts["merchant"], parts["hour"]
    same, later = merchant[1:] == merchant[:-1], hour[1:] > hour[:-1]
    if np.all(np.where(same, later, merchant[1:] > merchant[:-1])) and parts["count"].all():
        return parts  # as they mostly come
    parts = parts[np.lexsort((hour, merchant))]
    new = np.ones(len(parts), bool)
    new[1:] = (np.diff(parts["merchant"]) != 0) | (np.diff(parts["hour"]) != 0)
    starts = np.flatnonzero(new)
    found = parts[starts]
    for name in ("count", "units"):
        found[name] = np.add.reduceat(parts[name], starts)
    return np.asarray(found[found["count"] != 0])  # else all of its payments were deleted
