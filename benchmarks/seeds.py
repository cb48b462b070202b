"""The recipe this product grew from: three rules, and an isolation forest on the raw columns."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.sets import Data
from scoring.engine.transaction import UNITS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
HIGH_AMOUNT = 10_000 * UNITS
NIGHT = (2, 5)  # hours
MINUTE = 60_000_000


def rules(data: Data, rows: Integers) -> Floats:
    """How many of the three rules a payment breaks."""
    events = data.events[rows]
    hour = (events["time"] + events["offset"] * 1_000_000) // (60 * MINUTE) % 24
    broken = (events["units"] > HIGH_AMOUNT).astype(float)
    broken += (hour >= NIGHT[0]) & (hour < NIGHT[1])
    return broken + hurried(data)[rows]


def hurried(data: Data) -> NDArray[np.bool_]:
    """More than three payments of a user within a minute, not all in one place."""
    order = np.lexsort((data.events["time"], data.events["user"]))
    user, time, place = (data.events[name][order] for name in ("user", "time", "place"))
    fast = np.zeros(len(order), bool)
    for at in range(3, len(order)):
        if user[at - 3] == user[at] and time[at] - time[at - 3] <= MINUTE:
            fast[order[at]] = len(set(place[at - 3 : at + 1])) > 1
    return fast


def forest(data: Data, train: Integers, test: Integers) -> Floats:
    """150 trees of 256 rows, learnt without labels; the higher, the stranger."""
    raw = np.nan_to_num(data.raw)
    return isolated(raw[train], raw[test])


def isolated(train: Floats, test: Floats) -> Floats:
    from sklearn.ensemble import IsolationForest

    learnt = IsolationForest(n_estimators=150, max_samples=256, random_state=42).fit(train)
    return np.asarray(-learnt.score_samples(test))
