"""Where history is read: fixed-width binary rows straight from PostgreSQL into numpy.

Every column is eight bytes and never null, so the binary COPY format is an array with a header
and needs no parsing at all.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from django.db import connection

from scoring.engine.features import DAYS, MOST_ROWS
from scoring.engine.fields import offset_seconds
from scoring.engine.history import EVENT, HISTORY, History, Rows, ordered

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
HEADER, TRAILER = 19, 2  # bytes around the rows of a binary COPY
PAST = (
    "id, event_time, amount_units, user_key, card_key, device_key, merchant_key, place_key,"
    " category_key, coalesce(latitude, 'NaN'), coalesce(longitude, 'NaN')"
)
NOW = (
    f"{PAST}, coalesce(is_online::int::float8, 'NaN'), 0::int8,"
    " coalesce(nullif(mcc, ''), '0')::int8"
)
ENTITIES = ("user", "card", "device")


def copied(sql: str, params: Sequence[object], dtype: np.dtype) -> Rows:
    """The rows of a SELECT whose columns are all eight bytes wide, as that dtype."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT BINARY)", params) as copy,
    ):
        content = b"".join(copy)
    wire = []
    for name, (kind, _) in dtype.fields.items():
        wire += [(f"{name} length", ">i4"), (name, f">{kind.kind}8")]
    packed = np.dtype([("columns", ">i2"), *wire])
    count = (len(content) - HEADER - TRAILER) // packed.itemsize
    found = np.frombuffer(content, packed, count, HEADER)
    rows = np.empty(count, dtype)
    for name in dtype.names or ():
        rows[name] = found[name]
    return rows


def events_of(ids: Sequence[int]) -> Rows:
    """Stored transactions that nobody has decided yet, as events in the order of time."""
    undecided = (
        f"SELECT {NOW} FROM scoring_transaction AS t WHERE id = ANY(%s)"
        " AND NOT EXISTS (SELECT FROM scoring_decision WHERE transaction_id = t.id)"
    )
    return _in_local_time(copied(undecided, [list(ids)], EVENT))


def stored_events(ids: Sequence[int]) -> Rows:
    """Stored transactions as events, decided or not."""
    sql = f"SELECT {NOW} FROM scoring_transaction WHERE id = ANY(%s)"
    return _in_local_time(copied(sql, [list(ids)], EVENT))


def _in_local_time(events: Rows) -> Rows:
    """Fills in the local clocks, which Python's time zones decide, as they do for one request."""
    events = events[np.lexsort((events["id"], events["time"]))]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, timezone, event_time FROM scoring_transaction"
            " WHERE id = ANY(%s) AND timezone NOT IN ('', 'UTC')",
            [events["id"].tolist()],
        )
        offsets = {id: offset_seconds(zone, moment) for id, zone, moment in cursor}
    if offsets:
        events["offset"] = [offsets.get(id, 0) for id in events["id"].tolist()]
    return events


def read(events: Rows, *, known_at: datetime) -> History:
    """All that was known by `known_at` of the users, cards and devices of these events."""
    if not len(events):
        return History.none()
    first = moment(int(events["time"].min())) - timedelta(days=DAYS)
    last = moment(int(events["time"].max()))
    past = [
        ordered(_of(entity, np.unique(events[entity]), first, last, known_at), entity)
        for entity in ENTITIES
    ]
    return History(*past)


def _of(entity: str, keys: Rows, first: datetime, last: datetime, known_at: datetime) -> Rows:
    known = keys[keys != 0].tolist()
    if not known:
        return np.empty(0, HISTORY)
    sql = (
        f"SELECT {PAST} FROM scoring_transaction WHERE {entity}_key = ANY(%s)"
        " AND event_time BETWEEN %s AND %s AND recorded_at <= %s"
    )
    if entity != "user":
        sql += f" AND {entity}_key <> 0"  # lets the partial index be used
    return copied(sql, [known, first, last, known_at], HISTORY)


def read_one(event: Rows, *, known_at: datetime) -> History:
    """The same for one event, in one round trip."""
    last = moment(int(event["time"][0]))
    first = last - timedelta(days=DAYS)
    parts, params = [], []
    for number, entity in enumerate(ENTITIES):
        if key := int(event[entity][0]):
            some = "" if entity == "user" else f" AND {entity}_key <> 0"
            parts.append(
                f"(SELECT {number}::int8, {PAST} FROM scoring_transaction"
                f" WHERE {entity}_key = %s AND event_time BETWEEN %s AND %s"
                f" AND recorded_at <= %s{some} ORDER BY event_time DESC, id DESC LIMIT %s)"
            )
            # One more than the kernel looks at: the event itself is among them.
            params += [key, first, last, known_at, MOST_ROWS + 1]
    rows = copied(" UNION ALL ".join(parts), params, TAGGED)
    past = [_untagged(rows[rows["part"] == number]) for number in range(len(ENTITIES))]
    return History(*(ordered(own, entity) for own, entity in zip(past, ENTITIES, strict=True)))


TAGGED = np.dtype([("part", "<i8"), *HISTORY.descr])


def _untagged(rows: Rows) -> Rows:
    plain = np.empty(len(rows), HISTORY)
    for name in HISTORY.names or ():
        plain[name] = rows[name]
    return plain


def moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)
