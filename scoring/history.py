"""Where history is read: what was known of an event's entities, of many events or of one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
from django.db import connection

from anomalyshield import prepared
from scoring import arrays, frauds, hours
from scoring.engine.features import DAYS, MOST_ROWS
from scoring.engine.fields import offset_seconds
from scoring.engine.history import (
    EVENT,
    FOREVER,
    FRAUDS,
    HISTORY,
    HOUR,
    HOURS,
    KINDS,
    History,
    Rows,
    in_order,
    ordered,
)
from scoring.engine.names import CHANNELS, OTHER_CHANNEL

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
KEYED = (
    "id, event_time, amount_units, user_key, card_key, device_key, merchant_key, place_key,"
    " category_key"
)
# keys.country_number and names.channel_number, as the database counts them.
COUNTRY = "(ascii(country) * 256 + ascii(right(country, 1)))::int8"
CHANNEL = "CASE lower(channel) WHEN '' THEN 0::int8 {} ELSE {}::int8 END".format(
    " ".join(f"WHEN '{word}' THEN {number}::int8" for word, number in CHANNELS.items()),
    OTHER_CHANNEL,
)
PAST = f"{KEYED}, coalesce(latitude, 'NaN'), coalesce(longitude, 'NaN'), {COUNTRY}"
NOW = (
    f"{PAST}, coalesce(is_online::int::float8, 'NaN'), (timezone NOT IN ('', 'UTC'))::int::int8,"
    f" coalesce(nullif(mcc, ''), '0')::int8, {CHANNEL}"
)
ENTITIES = ("user", "card", "device")
NOBODY: Rows = np.empty(0, np.int64)


def events_of(ids: Sequence[int]) -> Rows:
    """Stored transactions that nobody has decided yet, as events in the order of time."""
    # The decided ones are looked up together: an anti-join goes down the index for each row.
    undecided = (
        f"SELECT {NOW} FROM scoring_transaction WHERE id = ANY(%(ids)s::int8[]) AND id NOT IN"
        " (SELECT transaction_id FROM scoring_decision WHERE transaction_id = ANY(%(ids)s::int8[]))"
    )
    return _in_local_time(arrays.fetched(undecided, {"ids": arrays.literal(ids)}, EVENT))


def stored_events(ids: Sequence[int]) -> Rows:
    """Stored transactions as events, decided or not."""
    sql = f"SELECT {NOW} FROM scoring_transaction WHERE id = ANY(%s::int8[])"
    return _in_local_time(arrays.fetched(sql, [arrays.literal(ids)], EVENT))


def _in_local_time(events: Rows) -> Rows:
    """Fills in the local clocks, which Python's time zones decide, as they do for one request.

    `offset` comes as 1 where there is a zone to ask: most payments are read once, not twice.
    """
    events = events[np.lexsort((events["id"], events["time"]))]
    elsewhere = events["offset"] != 0
    if elsewhere.any():
        events["offset"][elsewhere] = _offsets(events["id"][elsewhere].tolist())
    return events


def _offsets(ids: list[int]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, timezone, event_time FROM scoring_transaction WHERE id = ANY(%s::int8[])",
            [arrays.literal(ids)],
        )
        offsets = {id: offset_seconds(zone, moment) for id, zone, moment in cursor}
    return [offsets[id] for id in ids]


def read(
    events: Rows, *, known_at: datetime, recount: bool = False, again: bool = False
) -> History:
    """All that was known by `known_at` of the entities of these events.

    To `recount` merchants' hours takes longer and is exact of any moment, however long ago.
    If it will be read `again` as of the same moment, what does not change until then is kept.
    """
    if not len(events):
        return History.none()
    first = moment(int(events["time"].min())) - timedelta(days=DAYS)
    last = moment(int(events["time"].max()))
    keys = {entity: np.unique(events[entity]) for entity in ENTITIES}
    theirs = _of("user", keys["user"], first, last, known_at)
    past = [ordered(theirs, "user")]
    for entity in ENTITIES[1:]:
        others = _of(entity, keys[entity], first, last, known_at, but=keys["user"])
        mine = past[0][np.isin(past[0][entity], keys[entity])]
        past.append(ordered(np.concatenate([mine, others]), entity))
    return History(
        *past,
        by_merchant=_of_merchants(events, known_at),
        hours=_as_of(known_at).of(events) if again else _hours(events, known_at, recount),
        frauds=_frauds(events, last, known_at),
    )


def read_users(events: Rows, *, known_at: datetime) -> Rows:
    """Of the past that `read` gives, the payments of the users alone."""
    first = moment(int(events["time"].min())) - timedelta(days=DAYS)
    last = moment(int(events["time"].max()))
    return ordered(_of("user", np.unique(events["user"]), first, last, known_at), "user")


def _of(
    entity: str,
    keys: Rows,
    first: datetime,
    last: datetime,
    known_at: datetime,
    *,
    but: Rows = NOBODY,
) -> Rows:
    """The payments of these entities, `but` not of these users: those are read already, and most
    cards and devices are somebody's own."""
    known = keys[keys != 0].tolist()
    if not known:
        return np.empty(0, HISTORY)
    sql = (
        f"SELECT {PAST} FROM scoring_transaction WHERE {entity}_key = ANY(%s::int8[])"
        " AND event_time BETWEEN %s AND %s AND recorded_at <= %s"
    )
    asked = [arrays.literal(known), first, last, known_at]
    if entity != "user":
        sql += f" AND {entity}_key <> 0"  # lets the partial index be used
        sql += " AND user_key <> ALL(%s::int8[])"
        asked.append(arrays.literal(but.tolist()))
    return arrays.fetched(sql, asked, HISTORY)


def _of_merchants(events: Rows, known_at: datetime) -> Rows:
    met = _of_ranges(hours.PAYMENTS, hours.last_hour(events), known_at, hours.MET)
    rows = np.zeros(len(met), HISTORY)
    rows["lat"] = rows["lon"] = np.nan
    for name in met.dtype.names or ():
        rows[name] = met[name]
    return ordered(rows, "merchant")


def _hours(events: Rows, known_at: datetime, recount: bool) -> Rows:
    sql = hours.COUNTED if recount else hours.KEPT
    return hours.summed(_of_ranges(sql, hours.month_before(events), known_at, HOURS))


def _of_ranges(sql: str, ranges: hours.Ranges, known_at: datetime, dtype: np.dtype) -> Rows:
    lists = {name: arrays.literal(numbers) for name, numbers in ranges.items()}
    return arrays.fetched(sql, {**lists, "known_at": known_at}, dtype)


@lru_cache(maxsize=2)  # a worker does the chunks of a file one after another
def _as_of(known_at: datetime) -> hours.AsOf:
    return hours.AsOf(lambda ranges: _of_ranges(hours.KEPT, ranges, known_at, HOURS))


def _frauds(events: Rows, last: datetime, known_at: datetime) -> Rows:
    keys = {kind: np.unique(events[entity]) for entity, kind in KINDS.items()}
    kinds = np.repeat(list(keys), [len(some) for some in keys.values()])
    said = {
        "kinds": arrays.literal(kinds.tolist()),
        "keys": arrays.literal(np.concatenate(list(keys.values())).tolist()),
        "long_ago": moment(int(events["time"].min())) - timedelta(days=frauds.DAYS),
        "last": last,
        "known_at": known_at,
    }
    sql = frauds.KNOWN.format(
        whose="unnest(%(kinds)s::int8[], %(keys)s::int8[])", known="%(known_at)s"
    )
    return ended(arrays.fetched(sql, said, FRAUDS))


def ended(known: Rows) -> Rows:
    if not len(known):
        return known
    known["until"] = np.minimum(known["until"], FOREVER)  # the database's infinity is later
    return in_order(known)


def read_now(event: Rows) -> tuple[History, datetime]:
    """All that is known at this moment about one event's entities, and which moment it was."""
    return _one(event, None)


def read_one(event: Rows, *, known_at: datetime, recount: bool = False) -> History:
    """All that was known by `known_at` about one event's entities; `recount` is that of `read`."""
    past, _ = _one(event, known_at)
    return replace(past, hours=_hours(event, known_at, recount)) if recount else past


# Now, or the moment asked for; the same throughout a statement.
KNOWN = "coalesce(%(known_at)s, statement_timestamp())"


def _branch(part: int, entity: str) -> str:
    """The latest payments of one entity; of a merchant, those of the last hour.

    Ties in time may lie across the limit: all of them are read, and the kernel knows their order.
    """
    columns, first = (MET_NOW, "hour_ago") if entity == "merchant" else (PAST, "first")
    some = "" if entity == "user" else f" AND {entity}_key <> 0"
    # One more than the kernel looks at: the event itself may be among them.
    return (
        f"(SELECT {part}::int8, {columns} FROM scoring_transaction"
        f" WHERE {entity}_key = %({entity})s{some} AND recorded_at <= {KNOWN}"
        f" AND event_time BETWEEN %({first})s AND %(last)s"
        f" ORDER BY event_time DESC FETCH FIRST {MOST_ROWS + 1} ROWS WITH TIES)"
    )


MET_NOW = f"{hours.MET_COLUMNS}, 0::int8, 0::int8, 'NaN'::float8, 'NaN'::float8, 0::int8"
HOURS_NOW = f"""
SELECT hour, sum(count), sum(units)::int8 FROM scoring_merchanthour
WHERE merchant_key = %(merchant)s AND hour >= %(month_ago)s AND hour < %(this_hour)s
  AND recorded_at <= {KNOWN}
GROUP BY hour HAVING sum(count) <> 0 ORDER BY hour
"""
SUMS = np.dtype(HOURS.descr[1:])  # the merchant is known
# One round trip, and one row whatever the number of transactions: an array per column. Its binary
# form is fixed-width, so numpy reads it in place. Prepared, it takes a seventh of the time of a
# COPY, which PostgreSQL plans anew each time (measured: 0.16 ms against 1.1 ms for 36 rows).
PARTED = np.dtype([("part", "<i8"), *HISTORY.descr])
OWN = "(VALUES {})".format(
    ", ".join(f"({kind}::int8, %({entity})s)" for entity, kind in KINDS.items())
)
MOMENTS = ("known_at", "last", "hour_ago", "this_hour", "month_ago", "first", "long_ago")
ONE = prepared.Statement(
    f"""
    SELECT {KNOWN}, past.*, hours.*, frauds.*
    FROM {arrays.arrays(" UNION ALL ".join(map(_branch, range(4), KINDS)), PARTED, "past")},
         {arrays.arrays(HOURS_NOW, SUMS, "hours")},
         {arrays.arrays(frauds.KNOWN.format(whose=OWN, known=KNOWN), FRAUDS, "frauds")}
    """,
    {**dict.fromkeys(MOMENTS, "timestamptz"), **dict.fromkeys(KINDS, "int8")},
)
HOURS_AT = 1 + len(PARTED.descr)
FRAUDS_AT = HOURS_AT + len(SUMS.descr)
WIDTH = len(HISTORY.descr)
TIME = (HISTORY.names or ()).index("time")
DAY = 24 * HOUR


def _one(event: Rows, known_at: datetime | None) -> tuple[History, datetime]:
    last = int(event["time"][0])
    hour = last // HOUR * HOUR
    spans = HOUR, last - hour, last - hour + DAYS * DAY, DAYS * DAY, frauds.DAYS * DAY
    keys = [int(event[entity][0]) for entity in KINDS]
    answer = prepared.run_again(ONE, (known_at, last, *(last - span for span in spans), *keys))
    # Not fetched as a row: the driver would make Python objects of every array.
    known = moment(int.from_bytes(answer.get_value(0, 0), "big", signed=True))
    found = arrays.whole(answer, 1, 1 + WIDTH)
    past = [_turned(found[found[:, 0] == part, 1:], entity) for part, entity in enumerate(KINDS)]
    sums = arrays.whole(answer, HOURS_AT, len(SUMS.descr))
    kept = np.empty((len(sums), 1 + sums.shape[1]), np.int64)
    kept[:, 0], kept[:, 1:] = event["merchant"], sums
    known_frauds = ended(arrays.table(answer, FRAUDS_AT, FRAUDS))
    return History(*past, kept.view(HOURS)[:, 0], known_frauds), known


def _turned(latest_first: np.ndarray, entity: str) -> Rows:
    """The rows of one entity, as `arrays.whole` gives them, as a History has them."""
    numbers = np.ascontiguousarray(latest_first[::-1])
    times, rows = numbers[:, TIME], numbers.view(HISTORY)[:, 0]
    return rows if (times[1:] > times[:-1]).all() else ordered(rows, entity)


def moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)
