"""What came before: the rows of events, and the same rows ordered by user, card and device."""

from dataclasses import dataclass

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
Rows = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class History:
    """Rows by user, by card and by device, each sorted by (entity key, time, id).

    They may hold the scored events themselves and later ones: features take the rows strictly
    before (time, id) and no others.
    """

    by_user: Rows
    by_card: Rows
    by_device: Rows

    @classmethod
    def of(cls, rows: Rows) -> "History":
        """All three orders of one set of rows (EVENT or HISTORY)."""
        past = as_history(rows)
        return cls(*(ordered(past, entity) for entity in ("user", "card", "device")))

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
