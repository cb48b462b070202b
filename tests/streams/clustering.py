"""The steps of a Spark batch one after another in this process, and what both ways are fed with."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from scoring.engine.transaction import microseconds
from scoring.streaming.spark import keeping, steps, verdicts
from scoring.streaming.spark.job import Job
from scoring.streaming.spark.marks import Marks

MESSAGE = pa.schema(
    [
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("timestamp", pa.timestamp("us", tz="UTC")),
        ("value", pa.binary()),
    ]
)
Message = tuple[str, int, int, datetime, bytes | None]


def messages(
    values: Sequence[bytes | None], first: int = 0, topic: str = "transactions"
) -> list[Message]:
    now = datetime.now(UTC)
    return [(topic, 0, first + at, now, value) for at, value in enumerate(values)]


class Cluster:
    """Does what Spark does with the steps: parts rows and calls, but in one process."""

    def __init__(self, job: Job, state: Path, shards: int = 3) -> None:
        self.job, self.shards, self.marks = job, shards, Marks.of(state, shards)

    def batch(
        self,
        number: int,
        came: Sequence[Message],
        job: Job | None = None,
        *,
        broken_off: bool = False,
    ) -> list[dict[str, Any]]:
        mark = self.marks.begin(number)
        keeping.forget(self.marks.folder, number + 1)  # as after a start
        batch = steps.Batch(
            number + 1, datetime.now(UTC), mark.watermark, self.shards, self.marks.folder
        )
        columns = [
            pa.array(column, field.type)
            for column, field in zip(zip(*came, strict=True), MESSAGE, strict=True)
        ]
        table = pa.Table.from_arrays(columns, schema=MESSAGE)
        job = job or self.job
        for step, by in (
            (steps.read, ""),
            (steps.once, "shard"),
            (steps.described, "shard"),
            (verdicts.decided, "number"),
        ):
            table = self._done(lambda part, step=step: step(part, job, batch), table, by)
        rows = table.to_pylist()
        if broken_off:
            return rows
        times = [microseconds(row["event_time"]) for row in rows if row["event_time"]]
        self.marks.done(number, max(times, default=0))
        return rows

    def _done(
        self,
        step: Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]],
        table: pa.Table,
        by: str,
    ) -> pa.Table:
        parts = [table]
        if by:
            home = table[by].to_numpy() % self.shards
            parts = [table.filter(pa.array(home == one)) for one in np.unique(home)]
        made = [batch for part in parts for batch in step(iter(part.to_batches()))]
        return pa.Table.from_batches(made)


# --- a stream with something of everything --------------------------------------------------------
def stream(many: int, seed: int = 7) -> list[bytes | None]:
    """Payments in the order of time with large amounts, hours of the night, bursts in several
    cities, repetitions, contradictions and what is no payment at all."""
    random = np.random.default_rng(seed)
    at = datetime(2026, 11, 3, tzinfo=UTC)
    said: list[bytes | None] = []
    for number in range(many):
        burst = number % 97 > 90
        at += timedelta(seconds=9 if burst else float(random.exponential(400)))
        user = 5 if burst else int(random.integers(0, 40))
        record = {
            "transaction_id": f"s{number}",
            "user_id": f"customer-{user:04d}",
            "amount": round(float(random.lognormal(3.5, 1.2)), 2),
            "timestamp": at.isoformat(),
            "shop": f"Shop {random.integers(0, 12)}",
            "location": f"City {random.integers(0, 5) if burst else user % 4}",
            "card_id": f"card-{user}-{random.integers(0, 2)}",
            "device_id": "" if number % 5 == 0 else f"device-{user % 25}",
            "mcc": "7995" if number % 50 == 3 else "5411",
            "country": "DE" if number % 9 else "FR",
            "channel": ["web", "app", "pos", "atm"][number % 4],
            "note": "4111 1111 1111 1111" if number % 60 == 8 else "",
        }
        if number % 40 == 20:
            record["amount"] = 12_000 + number
        said.append(json.dumps(record).encode())
        if number % 70 == 30:
            said.append(said[-3])  # again, with the same content
        if number % 70 == 50:
            said.append(json.dumps(record | {"amount": 1}).encode())  # or with other content
        if number % 100 == 60:
            said += [b"\xff no", b"", b"[3]", json.dumps({"transaction_id": "x"}).encode()]
    return said
