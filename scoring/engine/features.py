"""Vectors: the features of the register, computed from events and history."""

from collections.abc import Callable
from functools import cache
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from scoring.engine.history import EVENT, FRAUDS, HISTORY, HOURS, History, Rows, as_history
from scoring.engine.register import FEATURES, NAMES, Feature, column

__all__ = ["FEATURES", "NAMES", "Feature", "column", "compute", "spec_id", "widened", "widths"]

# Raise this when a value changes while the names stay: models of another revision are refused.
REVISION = 1
DAYS = 30  # nothing older is looked at
MOST_ROWS = 4096  # the latest events of one entity; a busier one is described by these
FIRST = 55  # features of the first release; all since stand behind them


@cache
def spec_id(count: int | None = None) -> str:
    """What a vector of the first `count` features means (all by default), in 16 characters."""
    named = [(f.name, f.entity, f.window) for f in FEATURES[:count]]
    said = repr((REVISION, DAYS, MOST_ROWS, named))
    return sha256(said.encode()).hexdigest()[:16]


@cache
def widths() -> dict[str, int]:
    """How many features a vector of each known spec holds: always the first ones of today's."""
    return {spec_id(count): count for count in range(FIRST, len(FEATURES) + 1)}


def widened(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """A vector of an earlier spec with all that was not computed then as not known."""
    later = np.full(len(FEATURES) - len(vector), np.nan)
    return np.concatenate([vector, later]) if len(later) else vector


def compute(events: Rows, history: History) -> NDArray[np.float64]:
    """One vector per event, from the rows of history strictly before its (time, id).

    Bit for bit the same for an event alone and for the same event in any batch.
    """
    vectors = np.empty((len(events), len(FEATURES)))
    if len(events):
        pasts = (history.by_user, history.by_card, history.by_device, history.by_merchant)
        user, card, device, merchant = (_integers(as_history(rows), HISTORY) for rows in pasts)
        hours, frauds = _integers(history.hours, HOURS), _integers(history.frauds, FRAUDS)
        own = _integers(events, EVENT)
        _kernel()(
            *(own, own.view(np.float64)),
            *(user, card, device, user.view(np.float64)),
            *(merchant, hours, _before(history.hours)),
            *(frauds, frauds.view(np.float64)),
            vectors,
        )
    return vectors


def _before(hours: Rows) -> NDArray[np.int64]:
    """How many and how much there was before each of these hours, and in all of them.

    Over many merchants the sums may wrap around; the difference of two is right all the same.
    """
    sums = np.zeros((2, len(hours) + 1), np.int64)
    np.cumsum(hours["count"], out=sums[0, 1:])
    np.cumsum(hours["units"], out=sums[1, 1:])
    return sums


def _integers(rows: Rows, dtype: np.dtype[np.void]) -> NDArray[np.int64]:
    """The rows as a table of 8-byte integers, without copying them."""
    plain = np.ascontiguousarray(rows, dtype)
    return plain.view(np.int64).reshape(len(plain), dtype.itemsize // 8)


@cache
def _kernel() -> Callable[..., None]:
    from scoring.engine import kernel  # numba and the compiled code, only where vectors are made

    if kernel.NAMES != NAMES:
        raise RuntimeError("engine/kernel.py and the register name different features")
    return kernel.describe
