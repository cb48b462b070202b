"""A vector put together from what each entity's past says is the vector of all of them at once."""

import numpy as np
from hypothesis import given, settings

from scoring.engine import features, parts
from scoring.engine.history import EVENT, KINDS, History, Rows
from tests.engine.streams import crowd, streams


def assembled(events: Rows) -> parts.Floats:
    vectors = parts.empty(len(events))
    nothing = History.of(events).frauds
    for entity in KINDS:
        at = np.flatnonzero(events[entity])
        mine = events[at]
        hours = parts.hours_in(mine)
        made = parts.part(mine, mine, entity, hours=hours, frauds=nothing)
        vectors[at[:, None], parts.COLUMNS[entity]] = made
    return vectors


def test_every_column_is_told_by_one_entity():
    told = np.sort(np.concatenate(list(parts.COLUMNS.values())))
    assert told.tolist() == list(range(len(features.FEATURES)))


def test_parts_of_a_crowd_make_its_vectors_bit_for_bit():
    events = crowd(3_000, days=20)
    whole = features.compute(events, History.of(events))
    assert assembled(events).tobytes() == whole.tobytes()


@settings(max_examples=40, deadline=None)
@given(streams())
def test_and_of_nasty_streams(events):
    events = events[events["user"] != 0].astype(EVENT)
    whole = features.compute(events, History.of(events))
    assert assembled(events).tobytes() == whole.tobytes()
