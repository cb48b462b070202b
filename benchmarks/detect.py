"""`POST /detect` on an installation with a past: requests a second, and latency at an even 100
requests a second; beside the naive way (DRF serializer, ORM, pandas per request).

The model is the one that made itself from that past, and the payments asked about are like it: of
one person they lie hours apart, not the seconds in which a benchmark sends them. So about as many
want a person as the budget says, and not a third of all.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.request import urlopen

from benchmarks import aims
from benchmarks.file import CITIES, KINDS, write
from benchmarks.stack import installation
from benchmarks.wire import Run, send


def payment(chance: random.Random) -> bytes:
    """A new payment of one of the people of the past, within its last days."""
    user = chance.randrange(USERS)
    kind = chance.choice(KINDS)
    moment = datetime.now(UTC) - timedelta(days=DAYS * chance.random())
    return json.dumps(
        {
            "transaction_id": f"d{uuid.UUID(int=chance.getrandbits(128))}",
            "user_id": f"bu{user}",
            "card_id": f"c{user}",
            "device_id": f"d{user}",
            "amount": round(chance.lognormvariate(3.4, 0.9), 2),
            "timestamp": moment.isoformat(),
            "merchant": f"{kind} {chance.randrange(40)}",
            "merchant_category": kind,
            "location": CITIES[user % len(CITIES)],
        }
    ).encode()


USERS = 5_000
DAYS = 4.0


def fill(folder, rows: int) -> str:
    """Store a past, without scoring it; the model made of it; a key for machines."""
    from django.core.files import File

    from anomalyshield import leases
    from anomalyshield.accounts import keys, people
    from scoring import ingest, uploads
    from scoring.models import Source, Upload

    path = folder / "past.csv"
    write(path, rows, USERS)
    source, _ = Source.objects.get_or_create(name="past", defaults={"kind": "csv"})
    with path.open("rb") as file:
        uploads.receive(by=None, source=source, name="past.csv", file=File(file), options={})
    for upload in leases.claim(Upload):
        ingest.perform(upload)
    _analyze()
    admin, _ = people.make_user(by="command", username="adam", roles=["admin"])
    rest, _ = Source.objects.get_or_create(name="past-rest", defaults={"kind": "rest"})
    return keys.make_key(by=admin, name="bench", scopes=["score:write"], source=rest)[1]


def _analyze() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@contextmanager
def serving(folder, port: int, processes: int, settings: str = "anomalyshield.settings"):
    """gunicorn as the product starts it."""
    arguments = ["-m", "gunicorn", "anomalyshield.wsgi", "--bind", f"127.0.0.1:{port}"]
    arguments += ["--workers", str(processes), "--threads", "4"]
    arguments += ["--preload", "--keep-alive", "75", "--no-control-socket"]
    if settings == "anomalyshield.settings":
        arguments += ["--worker-class", "anomalyshield.gathering.Worker"]
        arguments += ["--config", "python:anomalyshield.serving"]
    else:
        arguments += ["--worker-class", "gthread"]
    metrics = folder / "metrics"
    metrics.mkdir(exist_ok=True)
    surroundings = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": settings,
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
    }
    with (folder / f"web-{port}.log").open("w") as log:
        child = subprocess.Popen(
            [sys.executable, *arguments], env=surroundings, stdout=log, stderr=log
        )
    try:
        _until_it_answers(port)
        yield
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=30)


def _until_it_answers(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            urlopen(f"http://127.0.0.1:{port}/health", timeout=10).close()
            return
        except HTTPError:
            return  # the naive site has no such page, but it answers
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def wanting_a_person() -> float:
    """The share of decisions that became an alert: what it costs is part of the figure."""
    from scoring.models import Decision

    return Decision.objects.filter(reviewable=True).count() / max(Decision.objects.count(), 1)


def told(name: str, rushed: Run, even: Run, rate: float) -> None:
    odd = {s: n for s, n in (rushed.statuses + even.statuses).items() if s != 200}
    print(
        f"{name:<18}{rushed.rate:>8,.0f} req/s   at {rate:g} req/s: "
        f"p50 {even.under(0.5):6.1f} ms  p99 {even.under(0.99):6.1f} ms"
        + (f"   other answers: {odd}" if odd else "")
    )


def measured(port: int, key: str, seconds: float, rate: float) -> tuple[Run, Run]:
    send(port, "/detect", key, payment, seconds=2)  # compile, connect, prepare
    even = send(port, "/detect", key, payment, rate=rate, seconds=seconds, connections=8)
    rushed = send(port, "/detect", key, payment, seconds=seconds)
    return rushed, even


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="transactions of the past")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 2)
    asked = parser.parse_args()
    with installation(demo=False) as folder:
        key = fill(folder, asked.rows)
        with serving(folder, 8971, asked.processes):
            ours = measured(8971, key, asked.seconds, asked.rate)
        print(f"of our answers {wanting_a_person():.1%} want a person")
        with serving(folder, 8972, asked.processes, "benchmarks.naive_settings"):
            naive = measured(8972, key, min(asked.seconds, 5), asked.rate)
        told("/detect", *ours, asked.rate)
        told("the naive way", *naive, asked.rate)
        aims.reached("detect", ours[0].rate)
        aims.reached("detect p99", ours[1].under(0.99))
        print(f"{'ratio':<18}{ours[0].rate / max(naive[0].rate, 0.1):>8.1f} ×")


if __name__ == "__main__":
    main()
