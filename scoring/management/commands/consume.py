"""`manage.py consume`: read the Kafka topics of a source until somebody stops it.

With `--stage score` it reads vectors instead of payments, and tells another topic how risky they
are: a service of its own beside whoever computes features.
"""

import signal
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from anomalyshield import pulse
from scoring.models import Source
from scoring.models.sources import SourceQuerySet
from scoring.secrets import SecretLost
from scoring.streaming import connection, producing, vectors
from scoring.streaming.connection import PRESETS, Kafka
from scoring.streaming.consuming import Reader
from scoring.streaming.positions import EARLIEST, LATEST
from scoring.webhooks.addresses import Refused

NONE = "There is no active source of kind kafka. Make one on the page Sources, or name it."
DECIDE, SCORE = "decide", "score"
STAGED = PRESETS["staged"]
LOOP = "{} is read and told at once: give another --out."
MANY = "Name one of the sources: {}."
LEFT = (
    "{0} is read by Spark alone: manage.py spark {0}. Its page, or reader: consumer, changes that."
)


class Command(BaseCommand):
    """One member of the group. Start it again beside itself to read partitions in parallel."""

    help = "Read the Kafka topics of a source: stored and decided, positions in PostgreSQL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", nargs="?", help="Its name; without it the only one of kafka")
        parser.add_argument("--servers", help="host:port, with commas; else those of the source")
        parser.add_argument("--topic", action="append", help="Else those of the source")
        parser.add_argument("--group", help="Consumer group; anomaly-detection without it")
        parser.add_argument(
            "--start",
            choices=[EARLIEST, LATEST],
            help="Where a partition nobody here has read yet begins",
        )
        parser.add_argument(
            "--stage",
            choices=[DECIDE, SCORE],
            default=DECIDE,
            help="score: the topic holds vectors (features.computed), no payments",
        )
        parser.add_argument(
            "--out", default=STAGED["anomalies"], help="With score: topic that is told of them"
        )
        parser.add_argument(
            "--every", action="store_true", help="With score: tell it of each, not of raised ones"
        )

    def handle(self, *_: Any, **given: Any) -> None:
        source = _read_here(given["source"], scores=given["stage"] == SCORE)
        stop = stopping()
        sign = (vectors.Scorer if given["stage"] == SCORE else Reader).sign
        reasons = (connection.Misconfigured, connection.Missing, Refused)
        with its_end_told(f"{sign}:{source.pk}", *reasons):
            reader = _reader(source, given, stop)
            warm()
            self.stderr.write(f"{source.name} reads {', '.join(reader.settings.topics)}.")
            reader.run()


def _read_here(name: str | None, *, scores: bool) -> Source:
    """What is left to Spark is not read here; vectors lie in another topic than its own."""
    left = Source.objects.left_to_spark()
    sources = Source.objects.filter(kind=connection.KAFKA, active=True)
    if scores:
        return found(name, sources, NONE)
    said = " ".join([NONE, *(LEFT.format(one.name) for one in left)])
    source = found(name, sources.read_here(), said)
    if source.left_to_spark:
        raise CommandError(LEFT.format(source.name))
    return source


def _reader(source: Source, given: dict[str, Any], stop: threading.Event) -> Reader:
    scores = given["stage"] == SCORE
    settings = connection.of(
        source,
        bootstrap_servers=given["servers"],
        topic=given["topic"] or ([STAGED["features"]] if scores else None),
        group_id=given["group"] or (vectors.GROUP if scores else None),
        auto_offset_reset=given["start"],
    )
    if not isinstance(settings, Kafka):
        raise connection.Misconfigured(f"{source.name} is not a source of Kafka.")
    if not scores:
        return Reader(source, settings, stop)
    out = producing.checked(f"kafka:{given['out']}")
    if out in settings.topics:
        raise connection.Misconfigured(LOOP.format(out))
    return vectors.Scorer(source, settings, stop, out=out, every=given["every"])


def found(name: str | None, among: SourceQuerySet, none: str) -> Source:
    """The source of that name, or the only one of these; a sentence if there is none."""
    if name is not None:
        source = Source.objects.filter(name=name).first()
        if source is None:
            raise CommandError(f"There is no source called {name}.")
        if not source.active:
            raise CommandError(f"The source {name} is switched off.")
        return source
    sources = list(among)
    if len(sources) != 1:
        raise CommandError(MANY.format(", ".join(one.name for one in sources)) if sources else none)
    return sources[0]


@contextmanager
def its_end_told(sign: str, *reasons: type[Exception]) -> Iterator[None]:
    """Why a reader ends stands on the pages too, and not only in a log of this machine."""
    try:
        yield
    except (*reasons, SecretLost) as reason:
        _tell_end(sign, str(reason))
        raise CommandError(str(reason)) from None
    except Exception as error:
        _tell_end(sign, f"{type(error).__name__}: {error}"[:500])
        raise


def _tell_end(sign: str, why: str) -> None:
    with suppress(Error):  # the database may be what is away
        pulse.last(sign, ended=why)


def warm() -> None:
    """What the first decision needs and takes long, before anything waits for it."""
    from scoring.current import current_scorer
    from scoring.engine.warming import compile_kernels

    compile_kernels()
    current_scorer()


def stopping() -> threading.Event:
    """Set by SIGTERM and Ctrl-C; what is at hand is finished."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
