"""The last step: parts become vectors, vectors verdicts, and verdicts rows and messages."""

import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import pyarrow as pa

from scoring.engine import parts
from scoring.engine.decision import Outcome
from scoring.engine.history import EVENT, KINDS, Rows
from scoring.engine.scorer import Scores
from scoring.engine.transaction import EPOCH, UNITS, microseconds
from scoring.streaming.spark.columns import Batches, numbers, rows_of, whole
from scoring.streaming.spark.job import Job
from scoring.streaming.spark.steps import NAMES, REFUSED, Batch

TIME = pa.timestamp("us", tz="UTC")
DECIDED = pa.schema(
    [
        ("place", pa.string()),
        ("transaction_id", pa.string()),
        ("event_time", TIME),
        ("known_at", TIME),
        ("amount", pa.float64()),
        ("user", pa.string()),
        ("risk_score", pa.float64()),
        ("probability", pa.float64()),
        ("level", pa.string()),
        ("outcome", pa.string()),
        ("reason_codes", pa.list_(pa.string())),
        ("hits", pa.string()),
        ("degraded", pa.string()),
        ("late", pa.bool_()),
        ("model", pa.int64()),
        ("policy", pa.int64()),
        ("vector", pa.binary()),
        ("message", pa.string()),
        ("refused", pa.string()),
        ("raw", pa.string()),
    ]
)


def decided(batches: Batches, job: Job, batch: Batch) -> Batches:
    """A row per payment with its verdict, and one per record that was refused."""
    table = whole(batches)
    if table is None:
        return
    kinds = numbers(table, "kind")
    yield from _refused(table.filter(pa.array(kinds == REFUSED)))
    paid = table.filter(pa.array(kinds == KINDS["user"])).sort_by("number")
    if len(paid):
        events, vectors = rows_of(paid["event"], EVENT), _vectors(table, kinds, paid)
        scores = job.scorer.rescore(events, vectors)
        yield from _rows(paid, events, scores, job, batch).to_batches()


def _vectors(table: pa.Table, kinds: Any, paid: pa.Table) -> parts.Floats:
    places, vectors = numbers(paid, "number"), parts.empty(len(paid))
    for kind, entity in NAMES.items():
        mine, columns = table.filter(pa.array(kinds == kind)), parts.COLUMNS[entity]
        values = rows_of(mine["part"], np.float64).reshape(len(mine), len(columns))
        at = np.searchsorted(places, numbers(mine, "number"))
        vectors[at[:, None], columns] = values
    return vectors


def _refused(rows: pa.Table) -> Batches:
    if len(rows):
        told = {"place": rows["place"], "refused": rows["reasons"], "raw": rows["raw"]}
        yield from _filled(told, len(rows)).to_batches()


def _rows(paid: pa.Table, events: Rows, scores: Scores, job: Job, batch: Batch) -> pa.Table:
    risks = np.where(np.isnan(scores.risk_score), job.scorer.policy.high_above, scores.risk_score)
    known_at = microseconds(batch.received_at)
    verdicts, many = scores.verdicts, len(paid)
    told: dict[str, Any] = {
        "place": paid["place"],
        "transaction_id": paid["id"],
        "event_time": _moments(events["time"]),
        "known_at": _moments(np.full(many, known_at)),
        "amount": pa.array(events["units"] / UNITS),
        "user": [f"{key & (2**64 - 1):016x}" for key in events["user"].tolist()],
        "risk_score": pa.array(risks),
        "probability": pa.nulls(many) if scores.probability is None else scores.probability,
        "level": [str(one.level) for one in verdicts],
        "outcome": [str(one.outcome) for one in verdicts],
        "reason_codes": [one.reason_codes for one in verdicts],
        "hits": [json.dumps([vars(hit) for hit in hits]) if hits else "[]" for hits in scores.hits],
        "degraded": scores.degraded,
        "late": pa.array(events["time"] < batch.watermark),
        "model": [job.model] * many,
        "policy": [job.policy] * many,
        "vector": [vector.tobytes() for vector in scores.vectors],
    }
    told["message"] = _messages(told, paid, scores, job)
    return _filled(told, many)


def _messages(told: dict[str, Any], paid: pa.Table, scores: Scores, job: Job) -> list[str | None]:
    """What is told of a decision that is no approval, as webhooks tell it. Its id is the same
    however often it is told."""
    ids = paid["id"].to_pylist()
    moments = told["event_time"].to_pylist()
    risks, name = told["risk_score"].tolist(), job.told["source"]["name"]
    made: list[str | None] = [None] * len(paid)
    for at, verdict in enumerate(scores.verdicts):
        if verdict.outcome != Outcome.APPROVE:
            data = {
                "transaction_id": ids[at],
                "source": name,
                "risk_score": risks[at],
                "probability": None
                if scores.probability is None
                else float(scores.probability[at]),
                "level": verdict.level,
                "outcome": verdict.outcome,
                "reason_codes": verdict.reason_codes,
                "degraded": scores.degraded[at] or None,
                "model": job.model,
                "event_time": moments[at].isoformat(),
            }
            own = str(uuid5(NAMESPACE_URL, f"anomalyshield:{name}:{ids[at]}"))
            body = {"type": "anomaly.detected", "id": own, "data": data}
            made[at] = json.dumps(body, ensure_ascii=False)
    return made


def _moments(since_2000: Any) -> pa.Array:
    return pa.array(since_2000 + SHIFT).cast(pa.int64()).cast(TIME)


SHIFT = int(EPOCH.timestamp()) * 1_000_000


def _filled(told: dict[str, Any], many: int) -> pa.Table:
    columns = []
    for field in DECIDED:
        column = told.get(field.name)
        if column is None:
            column = pa.nulls(many, field.type)
        if not isinstance(column, pa.Array | pa.ChunkedArray):
            column = pa.array(column, field.type)
        columns.append(column.cast(field.type))
    return pa.Table.from_arrays(columns, schema=DECIDED)
