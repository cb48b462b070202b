"""Made-up streams of events for the engine's tests."""

from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from scoring.engine.history import EVENT, FOREVER, FRAUDS, KINDS, Rows
from scoring.engine.transaction import UNITS

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
START = 9_000 * DAY  # some day in 2024


def event(**fields: float) -> Rows:
    """One event at START by user 1, with these fields."""
    row = np.zeros(1, EVENT)
    given = {"id": 1, "time": START, "user": 1, "units": 100 * UNITS, "lat": np.nan, "lon": np.nan}
    for name, value in {**given, "online": np.nan, **fields}.items():
        row[name] = value
    return row


def stream(*rows: Rows) -> Rows:
    """Events one after another, numbered as they came."""
    joined = np.concatenate(rows)
    joined["id"] = np.arange(1, len(joined) + 1)
    return joined


def crowd(count: int, seed: int = 1, days: int = 60) -> Rows:
    """A random stream of users with habits; dense enough that every window holds something."""
    random = np.random.default_rng(seed)
    rows = np.zeros(count, EVENT)
    rows["id"] = np.arange(1, count + 1)
    rows["time"] = START + np.sort(random.integers(0, days * DAY, count))
    rows["user"] = random.integers(1, max(2, count // 60), count)
    rows["units"] = (random.lognormal(3.5, 1.0, count) * UNITS).astype(np.int64) // 100 * 100
    sizes = {"card": 90, "device": 80, "merchant": 300, "place": 20, "category": 12}
    for name, size in sizes.items():
        own = rows["user"] * 7 + random.integers(0, 3, count)
        rows[name] = np.where(random.random(count) < 0.9, own % size + 1, 0)
    known = random.random(count) < 0.8
    rows["lat"] = np.where(known, random.uniform(-60, 60, count), np.nan)
    rows["lon"] = np.where(known, random.uniform(-180, 180, count), np.nan)
    rows["online"] = random.choice([0.0, 1.0, np.nan], count)
    rows["country"] = np.where(random.random(count) < 0.9, rows["user"] % 5 + 1, 0)
    rows["channel"] = random.integers(0, 6, count)
    rows["offset"] = random.choice([0, 19_800, -18_000], count)
    return rows


@st.composite
def streams(draw: st.DrawFn) -> Rows:
    """Short nasty streams: equal times, gaps at the very edge of windows, few entities."""
    edges = [0, 1, 60 * SECOND, 5 * 60 * SECOND, HOUR, DAY, 7 * DAY, 30 * DAY]
    gaps = [gap + nudge for gap in edges for nudge in (-1, 0, 1) if gap + nudge >= 0]
    key = st.integers(0, 2)
    row = st.tuples(
        st.sampled_from(gaps),
        st.integers(0, 10**9) | st.just(2**59),
        st.integers(1, 2),
        *[key] * 6,
        st.integers(0, 5),
        st.sampled_from([np.nan, 0.0, 51.5, -33.9]),
        st.sampled_from([np.nan, 0.0, 179.9]),
        st.sampled_from([0, 19_800, -18_000]),
    )
    drawn = draw(st.lists(row, min_size=1, max_size=25))
    rows = np.zeros(len(drawn), EVENT)
    names = ("units", "user", "card", "device", "merchant", "place", "category", "country")
    for number, values in enumerate(drawn):
        more = ("channel", "lat", "lon", "offset")
        for name, value in zip((*names, *more), values[1:], strict=True):
            rows[name][number] = value
    rows["time"] = START + np.cumsum([values[0] for values in drawn])
    rows["id"] = np.array(draw(st.permutations(range(1, len(drawn) + 1))))
    rows["online"] = np.nan
    assert all(a <= b for a, b in pairwise(rows["time"].tolist()))
    return rows


@st.composite
def streams_with_frauds(draw: st.DrawFn) -> tuple[Rows, Rows]:
    """A nasty stream, and which of its payments were called fraud from when until when."""
    rows = draw(streams())
    delay = st.sampled_from([0, 1, HOUR, DAY, 7 * DAY, 40 * DAY])
    said = st.tuples(st.booleans(), delay, st.none() | delay, st.sampled_from([np.nan, 1.0, 9.0]))
    called = draw(st.lists(said, min_size=len(rows), max_size=len(rows)))
    return rows, frauds_of(rows, called)


def frauds_of(rows: Rows, called) -> Rows:
    """One row per entity of each payment called fraud: (is it, known after, until, multiple)."""
    found = []
    for row, (fraud, delay, until, multiple) in zip(rows, called, strict=True):
        known = row["time"] + delay
        end = FOREVER if until is None else known + until
        for entity, kind in KINDS.items():
            if fraud and row[entity]:
                payment = (row["time"], row["id"], row["units"])
                found.append((kind, row[entity], *payment, multiple, known, end))
    return np.array(found, FRAUDS)
