"""Real Spark in local mode, with its real connector, on a real topic: it decides as the consumer
does, and what was killed and started again has decided every payment once."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

from scoring.models import Decision
from scoring.streaming import handover
from scoring.streaming.connection import Kafka
from tests.streams.broker import Broker
from tests.streams.clustering import stream
from tests.streams.reading import PROJECT, read_until
from tests.streams.test_spark_steps import bank, bundle, compared, said_by_the_web
from tools import spark

__all__ = ["bank", "bundle"]
pytestmark = [pytest.mark.streams, pytest.mark.django_db]
PATIENCE = 480.0  # of a machine with much else to do; alone it takes a tenth
JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"  # quick to start, not to run


@pytest.fixture(scope="module")
def place() -> tuple[Path, str]:
    try:
        return spark.found()
    except spark.Absent as reason:
        pytest.skip(str(reason))


class Submitted:
    """The job as a process of its own, with all that it starts."""

    def __init__(self, place: tuple[Path, str], kafka: Broker, folder: Path) -> None:
        self.place, self.kafka, self.folder = place, kafka, folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *words: str, once: bool = True) -> None:
        home, jars = self.place
        told = ["--servers", self.kafka.servers, "--jars", jars, "--master", "local[2]"]
        told += ["--shards", "2", "--start", "earliest", "--out", "alerts", *words]
        told += ["--once"] if once else []
        with (self.folder / "spark.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scoring.streaming.spark", str(self.folder), *told],
                cwd=PROJECT,
                env={
                    **os.environ,
                    "PYTHONPATH": f"{PROJECT}:{home}",
                    "PYSPARK_PYTHON": sys.executable,
                    "JAVA_TOOL_OPTIONS": JVM,
                },
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ends(self) -> None:
        assert self.process is not None
        assert self.process.wait(PATIENCE) == 0, self.words()

    def kill(self) -> None:
        """kill -9 of driver, JVM and workers alike."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def words(self) -> str:
        return (self.folder / "spark.log").read_text(errors="replace")[-4000:]

    def table(self) -> list[dict[str, Any]]:
        """What the Delta table says it holds; its log names the files that count."""
        log = sorted((self.folder / "delta" / "_delta_log").glob("*.json"))
        steps = [json.loads(line) for file in log for line in file.read_text().splitlines()]
        files = [self.folder / "delta" / one["add"]["path"] for one in steps if "add" in one]
        assert not any("remove" in one for one in steps)
        return ds.dataset(files).to_table().to_pylist()

    def batches(self) -> int:
        return len(list(self.folder.glob("decisions/batch=*/_SUCCESS")))

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for kind in ("decisions", "refused"):
            if (self.folder / kind).is_dir():
                found += ds.dataset(self.folder / kind, partitioning="hive").to_table().to_pylist()
        nothing = dict.fromkeys(("transaction_id", "refused", "reason_codes"))
        return [nothing | row for row in found]


@pytest.fixture
def submitted(place, kafka, tmp_path) -> Any:
    made = Submitted(place, kafka, tmp_path / "job")
    yield made
    made.kill()


def test_spark_decides_as_the_consumer_does_and_once_though_it_is_killed(bank, kafka, submitted):
    values = stream(120)
    topic, alerts = kafka.topic(), kafka.topic()
    kafka.send(topic, [(None, value) for value in values])
    read_until(kafka, bank, topic, lambda: Decision.objects.count() == 120)
    said = said_by_the_web()  # now: Spark takes longer than a transaction may stand idle
    handover.hand_over(bank, Kafka(kafka.servers, (topic,)), submitted.folder)

    submitted.start("--most", "50", "--out", alerts)
    deadline = time.monotonic() + PATIENCE
    while submitted.batches() < 1:
        assert submitted.process.poll() is None, submitted.words()
        assert time.monotonic() < deadline, submitted.words()
        time.sleep(0.05)
    submitted.kill()  # whatever it is at now
    submitted.start("--most", "50", "--out", alerts)
    submitted.ends()

    rows = submitted.rows()
    ids = [row["transaction_id"] for row in rows if row["transaction_id"]]
    assert len(ids) == len(set(ids)) == 120
    compared(rows, said)
    raised = {id for id, one in said[0].items() if one.outcome != "APPROVE"}
    told = [json.loads(one.value()) for one in kafka.read(alerts, 1_000, seconds=5)]
    assert {one["data"]["transaction_id"] for one in told} == raised
    assert len({one["id"] for one in told}) == len(raised)  # told twice, it is the same event
    metrics = (submitted.folder / "metrics.prom").read_text()
    assert "spark_batch_duration_seconds_count" in metrics


@pytest.fixture
def with_delta(kafka, tmp_path) -> Any:
    try:
        made = Submitted(spark.found(delta=True), kafka, tmp_path / "job")
    except spark.Absent as reason:
        pytest.skip(str(reason))
    yield made
    made.kill()


def test_a_delta_table_has_each_payment_once_though_a_batch_is_done_again(bank, kafka, with_delta):
    topic, job = kafka.topic(), with_delta
    kafka.send(topic, [(None, value) for value in stream(60)])
    handover.hand_over(bank, Kafka(kafka.servers, (topic,)), job.folder)
    words = ("--most", "40", "--sink", "delta", "--out", "")
    job.start(*words)
    job.ends()
    commits = job.folder / "checkpoint" / "commits"
    last = max(int(one.name) for one in commits.iterdir() if one.name.isdigit())
    assert last >= 1, "more than one batch"
    for one in (commits / str(last), commits / f".{last}.crc"):
        one.unlink(missing_ok=True)  # as if it had been killed before Spark wrote that down
    kafka.send(topic, [(None, value) for value in stream(70)[60:]])
    job.start(*words)
    job.ends()
    assert sorted(row["transaction_id"] for row in job.table()) == sorted(
        json.loads(value)["transaction_id"]
        for value in dict.fromkeys(stream(70)) if value and is_payment(value)
    )  # fmt: skip


def is_payment(value: bytes) -> bool:
    try:
        record = json.loads(value)
    except ValueError:
        return False
    return isinstance(record, dict) and "user_id" in record and record["amount"] != 1


def test_asked_to_end_it_finishes_its_batch_and_leaves_nothing_to_do_again(bank, kafka, submitted):
    topic, job = kafka.topic(), submitted
    kafka.send(topic, [(None, value) for value in stream(30)])
    handover.hand_over(bank, Kafka(kafka.servers, (topic,)), job.folder)
    job.start("--out", "", once=False)
    deadline = time.monotonic() + PATIENCE
    while not (job.folder / "state" / "seen").is_dir():  # in the midst of the first batch
        assert job.process.poll() is None, job.words()
        assert time.monotonic() < deadline, job.words()
        time.sleep(0.05)
    job.process.terminate()
    assert job.process.wait(PATIENCE) == 0
    assert len([row for row in job.rows() if row["transaction_id"]]) == 30
    assert json.loads((job.folder / "state" / "marks.json").read_text())["number"] == 0
    assert "Traceback" not in job.words()


def test_without_delta_the_job_says_what_to_do(bank, kafka, submitted):
    topic = kafka.topic()
    handover.hand_over(bank, Kafka(kafka.servers, (topic,)), submitted.folder)
    submitted.start("--sink", "delta")
    assert submitted.process.wait(PATIENCE) == 1
    assert "Spark has no Delta here: python tools/spark.py --delta" in submitted.words()


def test_a_topic_that_is_not_there_is_named_in_the_last_line(bank, kafka, submitted):
    handover.hand_over(bank, Kafka(kafka.servers, ("nowhere",)), submitted.folder)
    submitted.start()
    assert submitted.process.wait(PATIENCE) == 1
    last = submitted.words().rstrip().splitlines()[-1]
    assert last.startswith(f"{kafka.servers} has no topic nowhere."), submitted.words()
    assert "Traceback" not in submitted.words()
