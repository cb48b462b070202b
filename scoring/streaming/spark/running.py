"""The job on Spark: micro-batches of Kafka through the four steps, to a sink and a topic.

A batch is done again when it was not finished: it writes the same shelves, the same folder of the
sink, and messages with the same ids. So the sink has every payment once, whatever was killed.
"""

import contextlib
import fcntl
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from scoring.engine.transaction import microseconds
from scoring.streaming.spark import endings, keeping, sinks, steps, verdicts
from scoring.streaming.spark import job as jobs
from scoring.streaming.spark.job import Job, Unusable
from scoring.streaming.spark.keeping import SEED
from scoring.streaming.spark.marks import Marks
from scoring.streaming.spark.metrics import Metrics

log = logging.getLogger(__name__)
NAME = "TransactionAnomalyDetection"
LOOK = 0.5  # seconds between looks whether to stop
CONNECTOR = "org.apache.spark:spark-sql-kafka-0-10_2.13:4.0.0"
NOTHING = -2  # the number of a batch that nothing follows
CHECKPOINT, STATE, REFUSED = "checkpoint", "state", "refused"


@dataclass(frozen=True)
class Options:
    """How the job is run; what it decides, and by what, is in the folder."""

    folder: Path
    servers: str
    out: str = ""  # topic of what was not approved; empty: nobody is told
    start: str = "latest"  # where a job without a checkpoint begins
    most: int = 50_000  # messages of one batch
    every: str = "1 second"
    once: bool = False  # read what is there, and end
    shards: int = 8
    master: str = ""  # empty: what spark-submit says
    jars: str = ""  # of the connector, with commas; empty: Spark fetches it
    metrics_port: int = 0
    sink: str = sinks.PARQUET  # or delta
    accept_loss: bool = False  # go on behind what the broker deleted unread


class Stream:
    """The query and what it needs from batch to batch; this is the driver."""

    def __init__(self, options: Options, spark: Any) -> None:
        self.options, self.spark = options, spark
        self.job = jobs.load(options.folder)
        self.checkpoint = options.folder / CHECKPOINT
        self.sink = sinks.of(options.sink, options.folder, self.checkpoint, spark)
        self.shared = spark.sparkContext.broadcast(self.job)
        self.marks = Marks.of(options.folder / STATE, options.shards)
        self.at_work, self.last = False, NOTHING
        self.failure: Exception | None = None
        self.metrics = Metrics(options.folder / "metrics.prom", options.metrics_port)

    def run(self, stop: threading.Event) -> None:
        """Until it is stopped, or with `once` until all is read that was there.

        A batch at hand is finished first: one that is broken off is done again by the next start.
        """
        query = self.start()
        try:
            while not query.awaitTermination(LOOK):
                if stop.is_set() and not self.at_work:
                    query.stop()
        except Exception as error:
            if not stop.is_set():
                raise Unusable(self._why(error)) from None
            log.warning("Java ended before its batch was done, which the next start does again")

    def _why(self, error: Exception) -> str:
        """What Spark raises quotes our own error in the midst of a hundred lines."""
        options = self.options
        places = {"servers": options.servers, "out": options.out, "folder": options.folder}
        return endings.words(self.failure or error, topics=self.job.told["topics"], **places)

    def start(self) -> Any:
        options, keys = self.options, self.job.keys.get("kafka", {})
        told = {
            "kafka.bootstrap.servers": options.servers,
            "subscribe": ",".join(self.job.told["topics"]),
            "startingOffsets": options.start,
            "maxOffsetsPerTrigger": str(options.most),
            # What the broker deleted unread is somebody's to know.
            "failOnDataLoss": "false" if options.accept_loss else "true",
            **{f"kafka.{name}": value for name, value in keys.items()},
        }
        messages = self.spark.readStream.format("kafka").options(**told).load()
        trigger = {"availableNow": True} if options.once else {"processingTime": options.every}
        writer = messages.writeStream.foreachBatch(self.batch).trigger(**trigger)
        place = str(self.checkpoint)
        return writer.queryName(NAME).option("checkpointLocation", place).start()

    def batch(self, messages: Any, number: int) -> None:
        """One micro-batch; Spark calls it again with the same number until it has returned."""
        self.at_work = True
        try:
            self._batch(messages, number)
        except Exception as error:
            self.failure = error
            raise
        finally:
            self.at_work = False

    def _batch(self, messages: Any, number: int) -> None:
        began = time.monotonic()
        self._look()
        own = self.marks.begin(number)
        if number != self.last + 1:  # the first one here may have been begun before
            keeping.forget(self.marks.folder, number + 1)
            self.sink.begin()
        batch = steps.Batch(
            number + 1, datetime.now(UTC), own.watermark, self.options.shards, self.marks.folder
        )
        rows = self._decided(messages, batch).persist()
        try:
            counts = self._written(rows, number)
            self.marks.done(number, counts["newest"])
            self.last = number
        finally:
            rows.unpersist()
        self.metrics.note(time.monotonic() - began, counts)

    def _decided(self, messages: Any, batch: steps.Batch) -> Any:
        shards, step = self.options.shards, partial(_with, self.shared, batch)
        named = messages.select("topic", "partition", "offset", "timestamp", "value")
        read = named.mapInArrow(step(steps.read), _schema(steps.READ))
        once = read.repartition(shards, "shard").mapInArrow(step(steps.once), _schema(steps.ONCE))
        by_entity = once.repartition(shards, "kind", "shard")
        parts = by_entity.mapInArrow(step(steps.described), _schema(steps.DESCRIBED))
        whole = parts.repartition(shards, "number")
        return whole.mapInArrow(step(verdicts.decided), _schema(verdicts.DECIDED))

    def _written(self, rows: Any, number: int) -> dict[str, int]:
        """To the sink and to the topic; what there was, in numbers."""
        from pyspark.sql import functions as f

        good, bad = rows.where("refused is null"), rows.where("refused is not null")
        self.sink.put(good.drop("message", "refused", "raw"), number)
        told = rows.agg(
            f.count("transaction_id"),
            f.count("refused"),
            f.count("message"),
            f.sum(f.col("late").cast("int")),
            f.max("event_time"),
        ).first()
        refused = sinks.Parquet(self.options.folder / REFUSED, self.checkpoint)
        if told[1]:
            refused.put(bad.select("place", "refused", "raw"), number)
        else:
            refused.drop(number)
        if told[2] and self.options.out:
            self._tell(good)
        newest = 0 if told[4] is None else microseconds(told[4].astimezone(UTC))
        counts = dict(zip(("decided", "refused", "raised", "late"), told[:4], strict=True))
        return {name: int(value or 0) for name, value in counts.items()} | {"newest": newest}

    def _tell(self, good: Any) -> None:
        raised = good.where("message is not null")
        keyed = raised.selectExpr("user as key", "message as value")
        keys = self.job.keys.get("kafka", {})
        told = {"kafka.bootstrap.servers": self.options.servers, "topic": self.options.out}
        told |= {f"kafka.{name}": value for name, value in keys.items()}
        keyed.write.format("kafka").options(**told, **{"kafka.acks": "all"}).save()

    def _look(self) -> None:
        """A model promoted, a policy or list changed meanwhile counts from this batch on."""
        if jobs.current(self.options.folder) != self.job.version:
            self.job = jobs.load(self.options.folder)
            old, self.shared = self.shared, self.spark.sparkContext.broadcast(self.job)
            old.unpersist()
            log.warning("version %s of the job decides from now on", self.job.version)


Step = Callable[[Any, Job, steps.Batch], Iterator[Any]]


def _with(shared: Any, batch: steps.Batch, step: Step) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """The step as Spark calls it on its executors."""
    return lambda batches: step(batches, shared.value, batch)


def _schema(schema: Any) -> Any:
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema)


@contextlib.contextmanager
def session(options: Options) -> Iterator[Any]:
    """Spark as this job wants it; on a cluster spark-submit says where and how large."""
    from pyspark.sql import SparkSession

    made = SparkSession.builder.appName(NAME)
    if options.master:
        made = made.master(options.master)
    if options.master.startswith("local"):
        made = made.config("spark.driver.host", "127.0.0.1").config("spark.ui.enabled", "false")
    delta = options.sink == sinks.DELTA
    fetched = ",".join([CONNECTOR, sinks.PACKAGE] if delta else [CONNECTOR])
    connector = ("spark.jars", options.jars) if options.jars else ("spark.jars.packages", fetched)
    settings = {
        connector[0]: connector[1],
        **(sinks.SETTINGS if delta else {}),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",  # INT96 knows no zone
        "spark.sql.adaptive.enabled": "false",  # shelves are as many as they are
        "spark.sql.execution.arrow.maxRecordsPerBatch": "20000",
        "spark.speculation": "false",  # two of one task would settle one shelf
        "spark.ui.showConsoleProgress": "false",
    }
    for name, value in settings.items():
        made = made.config(name, value)
    spark = made.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    try:
        yield spark
    finally:
        with contextlib.suppress(Exception):  # Java may be gone, which is not why it ended
            spark.stop()


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """A folder is one job's: two would take each other's messages for their own. Unusable while
    another one is at work in it."""
    jobs.current(folder)
    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unusable(
                f"Another job is at work in {folder}. One that was asked to end does so when its "
                "batch is done; for a second job give another --folder."
            ) from None
        yield


def seed(folder: Path, shards: int) -> None:
    """Lay what was handed over on the shelves of a job that has not begun: the past, and ids."""
    past, state = folder / jobs.PAST, folder / STATE
    if Marks.of(state, shards).begun:
        return
    for kind, shelved in ((past, steps.seeds), (past / jobs.IDS, steps.seeds_of_ids)):
        for file in sorted(kind.glob("*.npy")):
            for shelf, rows in shelved(np.load(file, allow_pickle=False), shards, state):
                shelf.put(rows, number=SEED)
