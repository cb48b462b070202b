"""`manage.py spark`: hand over what decides, and run the job on Spark until somebody stops it."""

import os
import shutil
import signal
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, connection

from anomalyshield.children import dies_with_parent
from scoring.management.commands.consume import LOOP, NONE, found, stopping
from scoring.models import Source
from scoring.streaming import connection as reaching
from scoring.streaming import handover
from scoring.streaming.connection import Kafka
from scoring.streaming.spark import sinks

AGAIN = 15.0  # seconds: a model promoted, a policy or list changed counts within these
CURE = (
    "Spark is not installed here: python tools/spark.py, or pip install -r requirements-spark.txt"
)
NO_DELTA = "Delta's jars are not here: python tools/spark.py --delta, or name them with --jars."
NOT_LEFT = (
    "{0} is read by the consumer: on its page, or as reader: spark in its document, leave it to "
    "Spark alone. With --beside-consumer both read it, and each decides every payment."
)
NOBODY_LEFT = (
    "No active source of kind kafka is left to Spark: on its page, or by reader: spark in its "
    "document. With --beside-consumer Spark reads one that the consumer reads too."
)
TAKEN_BACK = "{0} is left to Spark no longer: the consumer reads it now."


class Command(BaseCommand):
    """The driver is a process of its own; this one keeps what it was handed up to date."""

    help = "Decide the Kafka topics of a source on Spark, into Parquet and a topic."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", nargs="?", help="Its name; without it the only one of kafka")
        parser.add_argument("--folder", type=Path, help="Job, state, checkpoint and sink")
        parser.add_argument("--hand-over", action="store_true", help="Only that, for spark-submit")
        parser.add_argument(
            "--with-past", action="store_true", help="And the last month's payments"
        )
        parser.add_argument("--master", default="local[*]")
        parser.add_argument("--out", default="", help="Topic that is told what is not approved")
        parser.add_argument("--start", choices=["earliest", "latest"], help="Else the source's")
        parser.add_argument("--jars", default="", help="The connector's; else Spark fetches it")
        parser.add_argument("--shards", type=int, default=8)
        parser.add_argument("--most", type=int, default=50_000, help="Messages of one batch")
        parser.add_argument("--sink", choices=[sinks.PARQUET, sinks.DELTA], default=sinks.PARQUET)
        parser.add_argument("--metrics-port", type=int, default=0)
        parser.add_argument(
            "--accept-loss",
            action="store_true",
            help="Go on behind what the broker deleted before it was read",
        )
        parser.add_argument(
            "--beside-consumer",
            action="store_true",
            help="Though the source is not left to Spark: what both read is decided twice",
        )
        parser.add_argument("--once", action="store_true", help="Read what is there, and end")

    def handle(self, *_: Any, **given: Any) -> None:
        source = _found(given["source"], beside=given["beside_consumer"])
        if source.about:
            raise CommandError(f"{source.name} speaks of known payments; Spark decides new ones.")
        reached = _reached(source, beside=given["beside_consumer"])
        if given["out"] in reached.topics:
            raise CommandError(LOOP.format(given["out"]))
        folder = given["folder"] or settings.VAR / "spark" / source.name
        version = handover.hand_over(source, reached, folder)
        if given["with_past"]:
            self.stderr.write(f"{handover.hand_over_past(source, folder):,} payments go along.")
        self.stderr.write(f"Version {version} is handed over in {folder}.")
        if not given["hand_over"]:
            self._run(source, reached, folder, given)

    def _run(self, source: Source, reached: Kafka, folder: Path, given: dict[str, Any]) -> None:
        environment, jars = _spark(delta=given["sink"] == sinks.DELTA and not given["jars"])
        given["start"] = given["start"] or reached.start
        words = [str(folder), "--servers", reached.servers, "--jars", given["jars"] or jars]
        for name in ("master", "out", "start", "shards", "most", "metrics_port", "sink"):
            words += [f"--{name.replace('_', '-')}", str(given[name])]
        words += [f"--{word.replace('_', '-')}" for word in ("once", "accept_loss") if given[word]]
        command = [sys.executable, "-m", "scoring.streaming.spark", *words]
        stop = stopping()
        if given["master"].startswith("local"):
            environment.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        self.stderr.write(f"Spark starts; what it decides comes to {folder}. Ctrl-C ends it.")
        driver = subprocess.Popen(  # noqa: S603
            command,
            env=environment,
            cwd=settings.BASE_DIR,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )
        while driver.poll() is None:
            if stop.wait(AGAIN if not given["once"] else 1.0):
                driver.terminate()
                driver.wait()
                return
            if not given["once"] and (why := self._again(source, reached, folder, given)):
                driver.terminate()
                driver.wait()
                raise CommandError(why)
        if driver.returncode:
            raise CommandError(f"The job on Spark ended with {driver.returncode}; see above.")

    def _again(self, source: Source, reached: Kafka, folder: Path, given: dict[str, Any]) -> str:
        """Hand over what changed meanwhile; a sentence where the job cannot go on with it."""
        try:
            source.refresh_from_db()
            if not source.active:
                return f"The source {source.name} was switched off."
            if reaching.of(source) != reached:
                return f"{source.name} is reached in another way now: start the job again."
            if not (source.left_to_spark or given["beside_consumer"]):
                return TAKEN_BACK.format(source.name)
            handover.hand_over(source, reached, folder)
        except (OperationalError, InterfaceError, OSError) as error:
            self.stderr.write(f"The job goes on as it was: {error}")
            connection.close()
        except reaching.Misconfigured as reason:
            return str(reason)
        return ""


def _found(name: str | None, *, beside: bool) -> Source:
    kafka = Source.objects.filter(kind=reaching.KAFKA, active=True)
    return found(name, kafka, NONE) if beside else found(name, kafka.left_to_spark(), NOBODY_LEFT)


def _reached(source: Source, *, beside: bool) -> Kafka:
    """How its topics are read, by us alone unless that is not wanted; else CommandError."""
    try:
        reached = reaching.of(source)
    except reaching.Misconfigured as reason:
        raise CommandError(str(reason)) from None
    if not isinstance(reached, Kafka):
        raise CommandError(f"{source.name} is not a source of Kafka.")
    if not (source.left_to_spark or beside):
        raise CommandError(NOT_LEFT.format(source.name))
    return reached


def _spark(*, delta: bool) -> tuple[dict[str, str], str]:
    """The environment in which Python finds pyspark, and the jars of the connector and of Delta."""
    from importlib.util import find_spec

    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    kept = sorted((cache / "anomalyshield").glob("spark-*/pyspark"))
    paths, jars = [str(settings.BASE_DIR)], ""
    if find_spec("pyspark") is None:
        if not kept:
            raise CommandError(CURE)
        paths.append(str(kept[-1].parent))
        found = sorted((kept[-1].parent / "connector").glob("*.jar"))
        if delta:
            found += (more := sorted((kept[-1].parent / "delta").glob("*.jar")))
            if not more:
                raise CommandError(NO_DELTA)
        jars = ",".join(map(str, found))
    if shutil.which("java") is None:
        raise CommandError("Spark needs Java 17 or 21, which is not installed here.")
    told = {"PYTHONPATH": os.pathsep.join(paths), "PYSPARK_PYTHON": sys.executable}
    return {**os.environ, **told}, jars
