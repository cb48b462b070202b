"""`manage.py spark`: hand over what decides, and run the job on Spark until somebody stops it."""

import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, connection

from scoring.management.commands.consume import NONE, found, stopping
from scoring.models import Source
from scoring.streaming import connection as reaching
from scoring.streaming import handover
from scoring.streaming.connection import Kafka

AGAIN = 15.0  # seconds: a model promoted, a policy or list changed counts within these
CURE = (
    "Spark is not installed here: python tools/spark.py, or pip install -r requirements-spark.txt"
)


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
        parser.add_argument("--start", choices=["earliest", "latest"], default="latest")
        parser.add_argument("--jars", default="", help="The connector's; else Spark fetches it")
        parser.add_argument("--shards", type=int, default=8)
        parser.add_argument("--most", type=int, default=50_000, help="Messages of one batch")
        parser.add_argument("--metrics-port", type=int, default=0)
        parser.add_argument("--once", action="store_true", help="Read what is there, and end")

    def handle(self, *_: Any, **given: Any) -> None:
        source = found(given["source"], reaching.KAFKA, NONE)
        if source.about:
            raise CommandError(f"{source.name} speaks of known payments; Spark decides new ones.")
        try:
            reached = reaching.of(source)
        except reaching.Misconfigured as reason:
            raise CommandError(str(reason)) from None
        assert isinstance(reached, Kafka)
        folder = given["folder"] or settings.VAR / "spark" / source.name
        version = handover.hand_over(source, reached, folder)
        if given["with_past"]:
            self.stderr.write(f"{handover.hand_over_past(folder):,} payments go along.")
        self.stderr.write(f"Version {version} is handed over in {folder}.")
        if not given["hand_over"]:
            self._run(source, reached, folder, given)

    def _run(self, source: Source, reached: Kafka, folder: Path, given: dict[str, Any]) -> None:
        environment, jars = _spark()
        words = [str(folder), "--servers", reached.servers, "--jars", given["jars"] or jars]
        for name in ("master", "out", "start", "shards", "most", "metrics_port"):
            words += [f"--{name.replace('_', '-')}", str(given[name])]
        words += ["--once"] if given["once"] else []
        command = [sys.executable, "-m", "scoring.streaming.spark", *words]
        stop = stopping()
        driver = subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR)  # noqa: S603
        while driver.poll() is None:
            if stop.wait(AGAIN if not given["once"] else 1.0):
                driver.terminate()
                driver.wait()
                return
            if not given["once"]:
                self._again(source, reached, folder)
        if driver.returncode:
            raise CommandError(f"The job on Spark ended with {driver.returncode}; see above.")

    def _again(self, source: Source, reached: Kafka, folder: Path) -> None:
        try:
            source.refresh_from_db()
            handover.hand_over(source, reached, folder)
        except (OperationalError, InterfaceError) as error:
            self.stderr.write(f"The job goes on as it was: {error}")
            connection.close()


def _spark() -> tuple[dict[str, str], str]:
    """The environment in which Python finds pyspark, and the connector's jars."""
    from importlib.util import find_spec

    kept = sorted((Path.home() / ".cache" / "anomalyshield").glob("spark-*/pyspark"))
    paths, jars = [str(settings.BASE_DIR)], ""
    if find_spec("pyspark") is None:
        if not kept:
            raise CommandError(CURE)
        paths.append(str(kept[-1].parent))
        jars = ",".join(map(str, sorted((kept[-1].parent / "connector").glob("*.jar"))))
    if shutil.which("java") is None:
        raise CommandError("Spark needs Java 17 or 21, which is not installed here.")
    more = {"PYTHONPATH": os.pathsep.join(paths), "PYSPARK_PYTHON": sys.executable}
    return {**os.environ, **more}, jars
