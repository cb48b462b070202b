"""The four steps of a micro-batch, each a function from batches of Arrow to batches of Arrow.

Between them Spark brings together what belongs together: by transaction id, so that nothing is
taken twice; by user, card, device and merchant, whose pasts lie on shelves of their own; and by
payment, whose parts make the vector that is scored.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.engine import parts, strictjson
from scoring.engine.history import EVENT, HOUR, HOURS, KINDS, Rows, as_history, summed
from scoring.engine.keys import entity_key
from scoring.engine.transaction import Invalid, event_of
from scoring.streaming.spark.columns import Batches, binaries, numbers, parted, rows_of, whole
from scoring.streaming.spark.job import Job
from scoring.streaming.spark.keeping import SEEN, Shelf

UNIX = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 24 * HOUR
PAST_DAYS = 30  # features.DAYS, and of merchants' hours
SEEN_DAYS = 7  # an id that comes again later than this is taken for a new payment
REFUSED = 0  # among the kinds of entities: a record that goes through as it is
KNOWN_OTHERWISE = "is already known with other content"
LONGEST_RAW = 10_000
# Numbers of events break ties in time. Those of messages follow their place in the topic, and lie
# above all that a database has numbered.
BASE, OFFSET_BITS, PARTITION_BITS = 2**60, 18, 10


@dataclass(frozen=True)
class Batch:
    """Which batch this is, and when it is done."""

    number: int  # Spark's and 1
    received_at: datetime
    watermark: int  # microseconds since 2000; an event before it is late
    shards: int
    state: Path

    def shelf(self, kind: str, shard: int) -> Shelf:
        return Shelf.of(self.state, kind, shard)


def read(batches: Batches, job: Job, batch: Batch) -> Batches:
    """From messages to events, or to records that are refused and why."""
    gate, topics = job.gate(batch.received_at), job.told["topics"]
    for came in batches:
        named = [came[name].to_pylist() for name in ("topic", "partition", "offset", "value")]
        sent = came["timestamp"].cast(pa.int64()).to_pylist()
        messages = zip(*named, map(_moment, sent), strict=True)
        rows = [_read(gate, job, topics, *message) for message in messages]
        yield _batch(READ, rows, batch.shards) if rows else _nothing(READ)


def _read(
    gate: Any,
    job: Job,
    topics: list[str],
    topic: str,
    partition: int,
    offset: int,
    value: bytes | None,
    sent: datetime | None,
) -> tuple[Any, ...]:
    number = BASE + (offset << OFFSET_BITS) + (topics.index(topic) << PARTITION_BITS) + partition
    place = f"{topic}/{partition}@{offset}"
    try:
        found = gate.admit(_record(value), sent)
    except Invalid as invalid:
        reasons = json.dumps(invalid.reasons, ensure_ascii=False)
        return number, number, "", place, None, None, reasons, _told(value, job)
    key = entity_key(found.external_id)
    event = np.array([event_of(found, number)], EVENT).tobytes()
    # It goes along as far as ids are known: what contradicts one is refused there.
    told = _told(value, job)
    return key, number, found.external_id, place, event, found.digest, None, told


def _told(value: bytes | None, job: Job) -> str | None:
    """A record as it may be kept when it is refused."""
    if not job.tells_records:
        return None
    return job.cleaned_text((value or b"").decode("utf-8", "replace")[:LONGEST_RAW])


def _moment(since_1970: int | None) -> datetime | None:
    """From microseconds; None for what no clock shows, as senders may write any number."""
    try:
        return UNIX + timedelta(microseconds=since_1970) if since_1970 and since_1970 > 0 else None
    except OverflowError:
        return None


def _record(value: bytes | None) -> Any:
    if not value:
        raise Invalid({"record": "is empty"})
    try:
        record = strictjson.loads(value)
    except strictjson.Malformed as malformed:
        raise Invalid({"record": f"cannot be read: {malformed.text}"}) from None
    if not isinstance(record, Mapping):
        raise Invalid({"record": "is not an object"})
    return record


def _batch(schema: pa.Schema, rows: list[tuple[Any, ...]], shards: int) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True))
    shard = [key % shards for key in columns[0]]
    arrays = [
        pa.array(column, field.type)
        for column, field in zip([shard, *columns], schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


READ = pa.schema(
    [
        ("shard", pa.int32()),
        ("key", pa.int64()),
        ("number", pa.int64()),
        ("id", pa.string()),
        ("place", pa.string()),
        ("event", pa.binary()),
        ("mark", pa.binary()),
        ("reasons", pa.string()),
        ("raw", pa.string()),
    ]
)


def _nothing(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=schema)


# --- each id once ---------------------------------------------------------------------------------
ONCE = pa.schema(
    [
        ("kind", pa.int32()),
        ("shard", pa.int32()),
        ("number", pa.int64()),
        ("id", pa.string()),
        ("place", pa.string()),
        ("event", pa.binary()),
        ("reasons", pa.string()),
        ("raw", pa.string()),
    ]
)


def once(batches: Batches, job: Job, batch: Batch) -> Batches:
    """What is new, a row for each of its entities; what says other things under a known id is
    refused, and what says the same is dropped."""
    table = whole(batches)
    for shard, mine in parted(table, "shard") if table else ():
        good = mine.filter(pc.is_null(mine["reasons"])).sort_by("number")
        bad = mine.filter(pc.is_valid(mine["reasons"]))
        yield from _refused(bad, batch.shards)
        if len(good):
            fresh, other = _sorted_out(good, batch.shelf("seen", shard), batch)
            again = good.take(pa.array(other, pa.int64()))
            reasons = json.dumps({"transaction_id": KNOWN_OTHERWISE})
            said = pa.array([reasons] * len(again), pa.string())
            at = again.schema.get_field_index("reasons")
            yield from _refused(again.set_column(at, "reasons", said), batch.shards)
            yield from _by_entity(good.take(pa.array(fresh, pa.int64())), batch.shards)


def _sorted_out(good: pa.Table, shelf: Shelf, batch: Batch) -> tuple[list[int], list[int]]:
    """The rows that are new, and those that contradict what is known."""
    keys, marks = numbers(good, "key"), good["mark"].to_pylist()
    horizon = batch.watermark - SEEN_DAYS * DAY
    shelf.settle(before=batch.number, keep=lambda rows: rows[rows["time"] > horizon])
    known = shelf.find(keys, before=batch.number)
    said = dict(zip(known["key"].tolist(), map(bytes, known["mark"]), strict=True))
    fresh, other = [], []
    for at, (key, mark) in enumerate(zip(keys.tolist(), marks, strict=True)):
        if key not in said:
            said[key] = mark
            fresh.append(at)
        elif said[key] != mark:
            other.append(at)
    events = rows_of(good["event"], EVENT)[fresh]
    rows = np.empty(len(fresh), SEEN)
    rows["key"], rows["time"], rows["id"] = keys[fresh], events["time"], events["id"]
    rows["mark"] = [np.void(marks[at]) for at in fresh]
    shelf.put(rows, number=batch.number)
    return fresh, other


def _refused(rows: pa.Table, shards: int) -> Batches:
    if len(rows):
        numbers_ = numbers(rows, "number")
        kinds = pa.array(np.full(len(rows), REFUSED, np.int32))
        shard = pa.array((numbers_ % shards).astype(np.int32))
        nothing = pa.nulls(len(rows), pa.binary())
        named = [rows[name] for name in ("number", "id", "place")]
        told = [kinds, shard, *named, nothing, rows["reasons"], rows["raw"]]
        yield from pa.Table.from_arrays(told, schema=ONCE).to_batches()


def _by_entity(rows: pa.Table, shards: int) -> Batches:
    events = rows_of(rows["event"], EVENT)
    for entity, kind in KINDS.items():
        which = np.flatnonzero(events[entity])
        some = rows.take(pa.array(which))
        if kind == KINDS["user"]:  # everybody has one; what is told once goes along with it
            named = [some["id"], some["place"]]
        else:
            named = [pa.nulls(len(some), pa.string())] * 2
        shard = pa.array((events[entity][which] % shards).astype(np.int32))
        silent = [pa.nulls(len(some), pa.string())] * 2
        kinds = pa.array(np.full(len(some), kind, np.int32))
        told = [kinds, shard, some["number"], *named, some["event"], *silent]
        yield from pa.Table.from_arrays(told, schema=ONCE).to_batches()


# --- what each entity's past says -----------------------------------------------------------------
DESCRIBED = pa.schema(
    [
        ("number", pa.int64()),
        ("kind", pa.int32()),
        ("id", pa.string()),
        ("place", pa.string()),
        ("event", pa.binary()),
        ("part", pa.binary()),
        ("reasons", pa.string()),
        ("raw", pa.string()),
    ]
)
NAMES = {kind: entity for entity, kind in KINDS.items()}


def described(batches: Batches, job: Job, batch: Batch) -> Batches:
    """The part of the vector that each entity's past tells; its shelf holds these events, too."""
    table = whole(batches)
    if table is None:
        return
    for kind, of_kind in parted(table, "kind"):
        for shard, mine in parted(of_kind, "shard"):
            if kind == REFUSED:
                part = pa.nulls(len(mine), pa.binary())
            else:
                events = rows_of(mine["event"], EVENT)
                part = binaries(_part(events, NAMES[kind], shard, job, batch))
            event = mine["event"] if kind <= KINDS["user"] else pa.nulls(len(mine), pa.binary())
            told = [mine["number"], mine["kind"], mine["id"], mine["place"], event, part]
            told += [mine["reasons"], mine["raw"]]
            yield from pa.Table.from_arrays(told, schema=DESCRIBED).to_batches()


def _part(events: Rows, entity: str, shard: int, job: Job, batch: Batch) -> parts.Floats:
    keys, own = events[entity], as_history(events)
    window = HOUR if entity == "merchant" else PAST_DAYS * DAY
    past = _past(batch.shelf(entity, shard), keys, own, "time", batch, window)
    hours = np.empty(0, HOURS)
    if entity == "merchant":
        new, shelf = parts.hours_in(own), batch.shelf("hours", shard)
        hours = summed(_past(shelf, keys, new, "hour", batch, PAST_DAYS * DAY + HOUR))
    frauds = job.frauds[(job.frauds["kind"] == KINDS[entity]) & np.isin(job.frauds["key"], keys)]
    return parts.part(events, past, entity, hours=hours, frauds=frauds)


def _past(shelf: Shelf, keys: Any, own: Rows, time: str, batch: Batch, window: int) -> Rows:
    """What the shelf holds of these keys, and this batch's own, which it holds from now on."""
    horizon = batch.watermark - window
    shelf.settle(before=batch.number, keep=lambda rows: rows[rows[time] > horizon])
    found = shelf.find(keys, before=batch.number)
    shelf.put(own, number=batch.number)
    return np.concatenate([found, own])


def seeds(rows: Rows, shards: int, state: Path) -> Iterator[tuple[Shelf, Rows]]:
    """What was there before the first batch, by the shelf it belongs to."""
    for entity in KINDS:
        known = rows[rows[entity] != 0]
        for shard in range(shards):
            mine = known[known[entity] % shards == shard]
            yield Shelf.of(state, entity, shard), mine
            if entity == "merchant":
                yield Shelf.of(state, "hours", shard), parts.hours_in(mine)


def seeds_of_ids(rows: Rows, shards: int, state: Path) -> Iterator[tuple[Shelf, Rows]]:
    """Transactions that were decided elsewhere before the first batch."""
    for shard in range(shards):
        yield Shelf.of(state, "seen", shard), rows[rows["key"] % shards == shard]
