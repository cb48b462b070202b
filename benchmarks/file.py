"""Rows per second from a file on disk to committed, scored decisions; beside one row at a time.

The naive way is what a first version usually does: one ORM insert per row, the user's past read
into pandas, scikit-learn asked for one row, one ORM insert for the decision.
"""

import argparse
import csv
import os
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import aims, profiling, stack
from benchmarks.stack import installation

CITIES = ("Delhi", "Mumbai", "London", "Paris", "Lagos", "Lima", "Oslo", "Tokyo")
KINDS = ("groceries", "electronics", "travel", "fuel", "restaurants", "gambling")
COLUMNS = [
    "transaction_id",
    "user_id",
    "card_id",
    "device_id",
    "amount",
    "timestamp",
    "merchant",
    "merchant_category",
    "city",
]


def payments(rows: int, users: int, seed: int = 5):
    """Payments of `users` people over 60 days in the order of time."""
    chance = random.Random(seed)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=60)
    for number in range(rows):
        user = chance.randrange(users)
        moment = start + timedelta(seconds=60 * 86_400 * number / rows)
        kind = chance.choice(KINDS)
        shop = f"{kind} {chance.randrange(40)}"
        city = CITIES[user % len(CITIES)] if chance.random() < 0.97 else chance.choice(CITIES)
        amount = f"{chance.lognormvariate(3.4, 0.9):.2f}"
        person = (f"bu{user}", f"c{user}", f"d{user}")
        yield (f"b{number}", *person, amount, moment.isoformat(), shop, kind, city)


def write(path: Path, rows: int, users: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(payments(rows, users))


def work_until_done(ready: Any, start: Any) -> None:
    """What a worker does, in a process of its own, until the file is finished. It is there before
    the file comes, as in production."""
    import django

    django.setup()
    from anomalyshield import leases, worker
    from scoring.models import Chunk, Upload
    from scoring.tasks import PROMPT, look

    worker.prepare()
    while look(PROMPT):  # what the demo day has left to do
        pass
    ready.release()
    start.wait()
    while Upload.objects.latest("pk").stage != Upload.Stage.FINISHED:
        # A bell wakes workers in production; looking at everything all the time costs the others.
        if not (leases.ready(Upload) or leases.ready(Chunk)) or not look(PROMPT):
            time.sleep(0.1)


def ours(
    path: Path, workers: int, source: str = "bench", options: dict[str, Any] | None = None
) -> tuple[Any, float, float]:
    """The finished upload, seconds until stored, and until the last decision is committed."""
    from django.core.files import File

    from scoring import uploads
    from scoring.models import Source, Upload

    kind = "parquet" if path.suffix == ".parquet" else "csv"
    origin, _ = Source.objects.get_or_create(name=source, defaults={"kind": kind})
    stored = 0.0
    with stack.workers(workers, work_until_done) as begin:
        start = time.perf_counter()
        with path.open("rb") as file:
            upload = uploads.receive(
                by=None, source=origin, name=path.name, file=File(file), options=options or {}
            )
        begin.set()
        while upload.stage != Upload.Stage.FINISHED:
            time.sleep(0.1)
            upload.refresh_from_db()
            if not stored and upload.stored_at:
                stored = time.perf_counter() - start
        total = time.perf_counter() - start
    return upload, stored, total


def naive(rows: int) -> float:
    """Rows per second of one row at a time."""
    import numpy as np
    import pandas as pd
    from django.db import transaction as database
    from sklearn.ensemble import IsolationForest

    from scoring.engine.transaction import Defaults, parse
    from scoring.models import Decision, DecisionPolicy, Source, Transaction

    source, _ = Source.objects.get_or_create(name="naive", defaults={"kind": "csv"})
    policy = DecisionPolicy.objects.get(active=True)
    forest = IsolationForest(n_estimators=150, max_samples=256, random_state=1)
    forest.fit(np.random.default_rng(1).normal(size=(2000, 6)))
    defaults = Defaults("USD", "USD", "UTC", datetime.now(UTC))
    start = time.perf_counter()
    for values in payments(rows, 20, seed=6):
        parsed = parse(dict(zip(COLUMNS, values, strict=True)), defaults=defaults)
        fields = {name: getattr(parsed, name) for name in parsed._fields if name != "hints"}
        with database.atomic():
            row = Transaction.objects.create(source=source, **fields)
            past = Transaction.objects.filter(user_id=row.user_id).values("event_time", "amount")
            frame = pd.DataFrame(list(past))
            amounts = frame.set_index("event_time").sort_index()["amount"].astype(float)
            windows = [
                amounts.rolling(w).agg(["count", "sum"]).iloc[-1] for w in ("1h", "1D", "7D")
            ]
            score = -forest.score_samples([[v for window in windows for v in window]])[0]
            Decision.objects.create(
                transaction=row,
                policy=policy,
                risk_score=float(score),
                level="LOW",
                outcome="APPROVE",
                known_at=row.event_time,
            )
    return rows / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 2)
    parser.add_argument(
        "--profile",
        nargs="?",
        const="functions",
        choices=["functions", "plain"],
        help="tell where the time of one process goes instead",
    )
    asked = parser.parse_args()
    with installation() as folder:
        path = folder / "payments.csv"
        write(path, asked.rows, asked.users)
        if asked.profile:
            profiling.profiled(path, asked.rows, plain=asked.profile == "plain")
            return
        slow = naive(300)
        _, stored, total = ours(path, asked.workers)
        fast = asked.rows / total
        print(f"file → stored            {asked.rows / max(stored, 1e-9):>10,.0f} rows/s")
        print(f"file → committed, scored {fast:>10,.0f} rows/s with {asked.workers} workers")
        print(f"one row at a time        {slow:>10,.0f} rows/s")
        print(f"ratio                    {fast / slow:>10.1f} ×")
        aims.reached("file", fast)


if __name__ == "__main__":
    main()
