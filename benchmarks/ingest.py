"""Rows per second from a file on disk to stored transactions; beside Django's bulk_create.

The naive way parses the same rows with the same parser and gives them to the ORM, 5,000 at a time.
"""

import argparse
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from benchmarks.file import COLUMNS, payments, write
from benchmarks.stack import installation


def ours(path: Path) -> float:
    """Seconds of the worker's part: claim, parse, store, cut into chunks."""
    from django.core.files import File

    from anomalyshield import leases
    from scoring import uploads
    from scoring.models import Source, Upload
    from scoring.tasks import do, work_named

    source, _ = Source.objects.get_or_create(name="bench")
    with path.open("rb") as file:
        uploads.receive(by="command", source=source, name=path.name, file=File(file), options={})
    start = time.perf_counter()
    (row,) = leases.claim(Upload)
    do(work_named("upload"), row)
    seconds = time.perf_counter() - start
    row.refresh_from_db()
    if row.state != "DONE":
        raise SystemExit(f"The file was not stored: {row.error}")
    return seconds


def naive(rows: int) -> float:
    """Seconds of bulk_create, on a source of its own."""
    from scoring.engine.transaction import Defaults, parse
    from scoring.models import Source, Transaction

    source, _ = Source.objects.get_or_create(name="naive")
    defaults = Defaults("USD", "USD", "UTC", datetime.now(UTC))
    lines = payments(rows, 500, seed=6)
    start = time.perf_counter()
    while block := list(islice(lines, 5_000)):
        parsed = [parse(dict(zip(COLUMNS, row, strict=True)), defaults=defaults) for row in block]
        Transaction.objects.bulk_create(
            Transaction(
                source=source,
                **{name: getattr(tx, name) for name in tx._fields if name != "hints"},
            )
            for tx in parsed
        )
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--users", type=int, default=5_000)
    asked = parser.parse_args()
    with installation(demo=False) as folder:
        from anomalyshield import holder

        path = folder / "payments.csv"
        write(path, asked.rows, asked.users)
        few = max(asked.rows // 10, 1)
        fast, slow = asked.rows / ours(path), few / naive(few)
        print(f"file → stored  {fast:>10,.0f} rows/s")
        print(f"bulk_create    {slow:>10,.0f} rows/s")
        print(f"ratio          {fast / slow:>10.1f} ×")
        holder.stop()  # before its server goes


if __name__ == "__main__":
    main()
