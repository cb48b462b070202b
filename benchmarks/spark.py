"""`python -m benchmarks.spark`: rows a second of the Spark job by cores, on a real topic.

A broker and Spark run beside each other on this machine. The first two batches warm it up and are
not counted. What a second of a processor does is told too: it depends less on who else is there.
Needs Java, Maven and `python tools/spark.py`.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from anomalyshield.children import dies_with_parent
from benchmarks.stack import end_in_order
from scoring.engine import bundle as bundles
from scoring.engine import features, training
from scoring.engine.decision import Policy
from scoring.engine.history import EVENT, FRAUDS, HOUR, History
from scoring.streaming.spark import job as jobs
from tests.streams.broker import Broker, classpath
from tests.streams.clustering import Cluster, messages
from tools import spark

ROOT = Path(__file__).resolve().parent.parent
KEY = b"a key of nobody"
ROWS, SECONDS = 'rows_total{what="decided"}', "batch_duration_seconds_sum"
FIELDS = re.compile(rf"^spark_({re.escape(ROWS)}|{SECONDS}) (\S+)$", re.M)


def payments(count: int) -> list[tuple[str, bytes]]:
    """A month of 20,000 customers in the order of time."""
    random = np.random.default_rng(3)
    start = datetime(2026, 10, 1, tzinfo=UTC)
    seconds = np.sort(random.uniform(0, 30 * 86_400, count))
    users = random.integers(0, 20_000, count)
    amounts = random.lognormal(3.5, 1.2, count)
    made = []
    for number in range(count):
        user = int(users[number])
        record = {
            "transaction_id": f"b{number}",
            "user_id": f"customer-{user}",
            "amount": round(float(amounts[number]), 2),
            "timestamp": (start + timedelta(seconds=float(seconds[number]))).isoformat(),
            "merchant": f"Shop {user % 97 * (number % 5)}",
            "location": f"City {user % 50}",
            "card_id": f"card-{user}",
            "device_id": f"device-{user}-{number % 2}",
            "mcc": "5411",
            "country": "DE",
            "channel": "web",
        }
        made.append((record["user_id"], json.dumps(record).encode()))
    return made


def handed_over(folder: Path, topic: str) -> None:
    """A job with a model of its own, so that no database is needed."""
    events = np.zeros(4_000, EVENT)
    random = np.random.default_rng(1)
    events["id"] = np.arange(1, len(events) + 1)
    events["time"] = 26 * 365 * 24 * HOUR + np.sort(random.integers(0, 720 * HOUR, len(events)))
    for name in ("user", "card", "device", "merchant", "place", "category"):
        events[name] = random.integers(1, 80, len(events))
    events["units"] = random.lognormal(3.5, 1.2, len(events)) * 10_000
    vectors = features.compute(events, History.of(events))
    learnt = training.fit(vectors, None, np.arange(len(vectors)), budget=0.01, seed=1)
    sha256 = bundles.save(learnt, folder.parent / "bundle", key=KEY)
    source = {
        "name": "bench",
        "mapping": {},
        "schema": None,
        "currency": "EUR",
        "base_currency": "EUR",
        "timezone": "UTC",
        "ahead": 300.0,
        "clamp": False,
        "behind": None,
        "personal": False,
        "ids": ["device_id", "transaction_id", "user_id"],
    }
    told = {
        "source": source,
        "topics": [topic],
        "policy": {"number": 1, "values": Policy().as_dict()},
        "model": {"number": 1, "sha256": sha256},
        "lists": [],
    }
    keys = {"bundle": KEY.hex(), "cards": "00" * 32, "kafka": {}}
    jobs.write(folder, told, keys, np.empty(0, FRAUDS), folder.parent / "bundle")


def run(folder: Path, servers: str, cores: int, most: int) -> list[tuple[float, float, float]]:
    """After each batch: rows decided, seconds in batches, seconds of processors, all since the
    start."""
    home, jars = spark.found()
    words = ["--servers", servers, "--jars", jars, "--master", f"local[{cores}]", "--once"]
    words += ["--start", "earliest", "--most", str(most), "--shards", str(2 * cores)]
    env = {"PYTHONPATH": f"{ROOT}:{home}", "PYSPARK_PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "scoring.streaming.spark", str(folder), *words]
    job = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **env},
        start_new_session=True,
        preexec_fn=dies_with_parent(signal.SIGTERM),
    )
    seen: list[tuple[float, float, float]] = []
    while job.poll() is None:
        now = told(folder / "metrics.prom")
        if now and (not seen or now[0] > seen[-1][0]):
            seen.append((*now, processor_seconds(job.pid)))
        time.sleep(0.02)
    if job.returncode:
        raise SystemExit("the job ended with an error, see above")
    return seen


def told(metrics: Path) -> tuple[float, float] | None:
    found = FIELDS.findall(metrics.read_text()) if metrics.exists() else []
    numbers = {name: float(value) for name, value in found}
    return (numbers[ROWS], numbers[SECONDS]) if len(numbers) == 2 else None


def processor_seconds(session: int) -> float:
    """What all processes of a session took so far: driver, JVM and Python's workers."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            parts = stat.read_text().rpartition(")")[2].split()
            ticks += int(parts[11]) + int(parts[12]) if int(parts[3]) == session else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def say(cores: int, seen: list[tuple[float, float, float]]) -> None:
    """By what came after the first two batches, which start workers and compile the JVM's code."""
    (rows, seconds, processor), (all_rows, all_seconds, all_processor) = seen[1], seen[-1]
    rate = (all_rows - rows) / (all_seconds - seconds)
    busy = (all_rows - rows) / (all_processor - processor)
    line = f"local[{cores}] {rate:>9,.0f} rows/s {busy:>9,.0f} rows per second of a processor"
    print(line, flush=True)


def steps_alone(rows: int, batch: int) -> None:
    """What Python does of a batch, in this process: no broker, no JVM, no shuffle."""
    with tempfile.TemporaryDirectory(prefix="anomalyshield-bench-spark-") as name:
        folder = Path(name) / "job"
        handed_over(folder, "transactions")
        cluster = Cluster(jobs.load(folder), folder / "state", 4)
        values = [value for _, value in payments(rows + batch)]
        cluster.batch(0, messages(values[:batch]))
        start = time.process_time()
        for number, at in enumerate(range(batch, rows + batch, batch), start=1):
            cluster.batch(number, messages(values[at : at + batch], at))
        seconds = time.process_time() - start
    print(f"the steps alone: {rows / seconds:,.0f} rows per second of a processor")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=40_000)
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--steps", action="store_true", help="Only what Python does of a batch")
    asked = parser.parse_args()
    end_in_order()
    if asked.steps:
        steps_alone(asked.rows, asked.batch)
        return 0
    with tempfile.TemporaryDirectory(prefix="anomalyshield-bench-spark-") as name:
        place = asked.keep or Path(name)
        (place / "kafka").mkdir(parents=True)
        broker = Broker(place / "kafka", classpath())
        broker.prepare()
        broker.start()
        try:
            topic = broker.topic(partitions=4, name="transactions")
            broker.send(topic, payments(asked.rows))
            for cores in asked.cores:
                folder = place / f"cores-{cores}" / "job"
                handed_over(folder, topic)
                say(cores, run(folder, broker.servers, cores, asked.batch))
        finally:
            broker.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
