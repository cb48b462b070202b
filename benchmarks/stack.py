"""A throw-away installation to measure: own servers, tables, a demo day and its first model."""

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from multiprocessing.synchronize import Event, Semaphore
from pathlib import Path
from typing import TYPE_CHECKING

from anomalyshield.embedded import Servers

if TYPE_CHECKING:
    from tests.streams.broker import Broker


def end_in_order() -> None:
    """SIGTERM ends a benchmark as Ctrl-C does: servers are stopped, folders are gone."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


@contextmanager
def installation(*, demo: bool = True) -> Iterator[Path]:
    """Boots durable servers, so that commits cost here what they cost in production."""
    folder = Path(tempfile.mkdtemp(prefix="anomalyshield-bench-"))
    folder.chmod(0o755)
    servers = Servers(folder / "servers", folder / "log")
    servers.start_postgres()
    servers.start_valkey()
    os.environ.update(
        DATABASE_URL=servers.database_url,
        REDIS_URL=servers.redis_url,
        ANOMALYSHIELD_VAR=str(folder / "var"),
        ANOMALYSHIELD_ENV="demo",
        DJANGO_SETTINGS_MODULE="anomalyshield.settings",
        LOG_LEVEL="WARNING",
        OMP_NUM_THREADS="1",
    )
    try:
        prepare(demo=demo)
        yield folder
    finally:
        servers.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def broker() -> Iterator["Broker"]:
    """A real Kafka broker in a folder of its own. Where there can be none, a sentence, and the
    end: nothing was measured, and nothing failed."""
    from tests.streams.broker import Absent, Broker, classpath

    with tempfile.TemporaryDirectory(prefix="anomalyshield-bench-kafka-") as folder:
        try:
            made = Broker(Path(folder), classpath())
        except Absent as reason:
            print(f"not measured: {reason}")
            sys.exit()
        try:
            made.prepare()
            made.start()
            yield made
        finally:
            made.stop()


@contextmanager
def workers(number: int, target: Callable[[Semaphore, Event], None]) -> Iterator[Event]:
    """So many processes that are warm; each is told by the event what its `target` waits for."""
    context = multiprocessing.get_context("spawn")
    ready, word = context.Semaphore(0), context.Event()
    running = [context.Process(target=target, args=(ready, word)) for _ in range(number)]
    for process in running:
        process.start()
    for _ in running:
        ready.acquire()
    try:
        yield word
    finally:
        word.set()
        for process in running:
            process.join()


def prepare(*, demo: bool) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    if demo:
        call_command("demo", stdout=StringIO())
