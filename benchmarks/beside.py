"""`POST /detect` at an even rate beside a large file, a training, and both; and how soon a payment
that wants a person is an alert.

Every process is one of the product's own, on a demo day. The first line is what the others are
compared with: nothing beside it, but the same installation. A file before all of them is the one
of yesterday: on its first file PostgreSQL makes the files of its log, which all have to wait for.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.detect import payment, serving
from benchmarks.file import write
from benchmarks.stack import end_in_order, installation
from benchmarks.wire import Run, send

PORT = 8973
USERS = 5_000
BESIDE = {
    "nothing": (),
    "a file": ("file",),
    "a training": ("training",),
    "both": ("file", "training"),
}


@contextmanager
def others(folder: Path) -> Iterator[None]:
    """Worker, trainer and ticker, as the product starts them."""
    from anomalyshield.processes import PROCESSES, environment

    surroundings = environment(folder / "metrics")
    with ExitStack() as running:
        for name in ("worker", "trainer", "ticker"):
            log = running.enter_context((folder / f"{name}.log").open("w"))
            child = subprocess.Popen(
                [sys.executable, *PROCESSES[name]()],
                env=surroundings,
                stdout=log,
                stderr=log,
                start_new_session=True,  # as `manage.py up` starts each: niceness ends at a session
            )
            running.callback(child.wait)
            running.callback(child.terminate)
        yield


def begin(what: str, folder: Path, rows: int) -> Any:
    """Leave it for the workers; the row by which one sees that it is done."""
    from django.core.files import File

    from anomalyshield.accounts.models import User
    from scoring import training, uploads
    from scoring.models import Source

    if what == "training":
        return training.ask(by=User.objects.get(username="mona"), weeks=8)
    source, _ = Source.objects.get_or_create(name=f"beside {time.time()}", defaults={"kind": "csv"})
    with (folder / "beside.csv").open("rb") as file:
        return uploads.receive(
            by=None, source=source, name="beside.csv", file=File(file), options={}
        )


def under_way(row: Any) -> bool:
    """A file until its last row is decided, a training until its model is there."""
    row.refresh_from_db()
    if row.state in ("READY", "RUNNING"):
        return True
    return bool(row.state == "DONE" and getattr(row, "stage", "FINISHED") != "FINISHED")


def until_done(rows: list[Any]) -> None:
    while any(under_way(row) for row in rows):
        time.sleep(0.5)


def yesterday(folder: Path, rows: int) -> None:
    """A file that came and was done, and what the database does in the hours after it."""
    from django.db import connection

    until_done([begin("file", folder, rows)])
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")  # the log's files are free to be used again


def raised(since: Any) -> tuple[int, float]:
    """How many of these decisions wanted a person, and the seconds until 99 in 100 were alerts."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(percentile_cont(0.99) WITHIN GROUP (ORDER BY"
            " extract(epoch FROM coalesce(routed_at, clock_timestamp()) - decided_at)), 0)"
            " FROM scoring_decision AS d JOIN scoring_transaction AS t ON t.id = d.transaction_id"
            " JOIN scoring_source AS s ON s.id = t.source_id"
            " WHERE d.reviewable AND s.name = 'beside-rest' AND d.decided_at > %s",
            [since],
        )
        return cursor.fetchone()


def told(name: str, run: Run, alerts: tuple[int, float], still: bool) -> None:
    odd = {status: n for status, n in run.statuses.items() if status != 200}
    print(
        f"beside {name:<12} p50 {run.under(0.5):6.1f} ms  p99 {run.under(0.99):7.1f} ms"
        f"   {alerts[0]:>4} alerts, p99 {alerts[1]:.2f} s"
        + (f"   other answers: {odd}" if odd else "")
        + ("" if still else "   (it ended before the last request)"),
        flush=True,
    )


def key_for_machines() -> str:
    from anomalyshield.accounts import keys
    from anomalyshield.accounts.models import User
    from scoring.models import Source

    rest, _ = Source.objects.get_or_create(name="beside-rest", defaults={"kind": "rest"})
    admin = User.objects.get(username="adam")
    return keys.make_key(by=admin, name="bench", scopes=["score:write"], source=rest)[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400_000, help="of each file")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=float, default=50)
    asked = parser.parse_args()
    end_in_order()
    with installation() as folder:
        from django.utils import timezone

        write(folder / "beside.csv", asked.rows, USERS)
        key = key_for_machines()
        (folder / "metrics").mkdir(exist_ok=True)
        with serving(folder, PORT, os.cpu_count() or 2), others(folder):
            yesterday(folder, asked.rows)
            send(PORT, "/detect", key, payment, rate=asked.rate, seconds=5)  # warm
            rows: list[Any] = []
            for name, things in BESIDE.items():
                until_done(rows)
                rows = [begin(what, folder, asked.rows) for what in things]
                time.sleep(3)
                since = timezone.now()
                run = send(PORT, "/detect", key, payment, rate=asked.rate, seconds=asked.seconds)
                still = all(under_way(row) for row in rows)
                time.sleep(3)
                told(name, run, raised(since), still)


if __name__ == "__main__":
    main()
