"""A vector in parts: what each entity's own past says of an event, computed where that past lies.

Every feature looks at the event and at the past of one entity. So users, cards, devices and
merchants may be kept on different machines: each describes the events of its entities, and the
parts put together are the vector of `features.compute`, bit for bit.
"""

import numpy as np
from numpy.typing import NDArray

from scoring.engine import features
from scoring.engine.history import HISTORY, KINDS, History, Rows, as_history, hours_of, ordered

Floats = NDArray[np.float64]
OF_EVENT = "event"  # needs no past; told together with what the user's says


def _columns(entity: str) -> NDArray[np.int64]:
    own = {entity, OF_EVENT} if entity == "user" else {entity}
    return np.array([n for n, f in enumerate(features.FEATURES) if f.entity in own], np.int64)


COLUMNS = {entity: _columns(entity) for entity in KINDS}
NONE = np.empty(0, HISTORY)


def part(events: Rows, past: Rows, entity: str, *, hours: Rows, frauds: Rows) -> Floats:
    """The columns COLUMNS[entity] of each event, from the past of that entity alone.

    `past` are rows of HISTORY in any order, which may hold the events themselves; of merchants the
    last hour is enough, because `hours` say what was before. `frauds` as in `History`.
    """
    rows = dict.fromkeys(KINDS, NONE) | {entity: ordered(as_history(past), entity)}
    history = History(rows["user"], rows["card"], rows["device"], rows["merchant"], hours, frauds)
    vectors: Floats = features.compute(events, history)[:, COLUMNS[entity]]
    return vectors


def hours_in(rows: Rows) -> Rows:
    """The hours of merchants that these payments add up to."""
    return hours_of(ordered(as_history(rows), "merchant"))


def empty(count: int) -> Floats:
    """Vectors of so many events before any part is in: what nobody describes is not known."""
    return np.full((count, len(features.FEATURES)), np.nan)
