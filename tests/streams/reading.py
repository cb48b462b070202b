"""Readers for tests: in this process until something holds, or as processes that may be killed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connection

from scoring.models import Source
from scoring.streaming.connection import Kafka
from scoring.streaming.consuming import Reader
from scoring.streaming.positions import EARLIEST
from tests.streams.broker import Broker

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0


class Until(threading.Event):
    """A stop that is set once something holds; a test that waits in vain fails with words."""

    def __init__(self, holds: Callable[[], Any], what: str, seconds: float = PATIENCE) -> None:
        super().__init__()
        self.holds, self.what, self.deadline = holds, what, time.monotonic() + seconds

    def is_set(self) -> bool:
        assert time.monotonic() < self.deadline, f"not in time: {self.what}"
        return bool(self.holds())


def payment(number: int, **more: Any) -> dict[str, Any]:
    return {
        "transaction_id": f"t{number}",
        "user_id": f"user{number % 7}",
        "amount": 10 + number % 90,
        "timestamp": f"2026-10-{1 + number % 28:02d}T12:{number % 60:02d}:00Z",
        "merchant": "Kiosk",
        **more,
    }


def said(record: Any) -> bytes:
    return json.dumps(record).encode()


def payments(first: int, many: int) -> list[tuple[str, bytes]]:
    """Keyed by user, as upstream systems send them."""
    records = [payment(number) for number in range(first, first + many)]
    return [(record["user_id"], said(record)) for record in records]


def source(name: str = "bank", kind: str = "kafka", **more: Any) -> Source:
    return Source.objects.create(name=name, kind=kind, **more)


def reader(kafka: Broker, source: Source, topic: str, stop: threading.Event, **more: Any) -> Reader:
    told = {"group": f"group of {topic}", "start": EARLIEST, **more}
    return Reader(source, Kafka(kafka.servers, (topic,), **told), stop)


def read_until(
    kafka: Broker, source: Source, topic: str, holds: Callable[[], Any], **more: Any
) -> Reader:
    """Read in this process until it holds, and leave in order."""
    made = reader(kafka, source, topic, Until(holds, f"reading {topic}"), **more)
    made.run()
    return made


def wait_for(holds: Callable[[], Any], what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)


class Processes:
    """Commands as processes of their own in this test's database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str, faults: str = "", **env: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{len(self.running)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *words],
                cwd=PROJECT,
                env={**os.environ, **environment(), "ANOMALYSHIELD_FAULTS": faults, **env},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()

    def words(self) -> str:
        return "\n".join(path.read_text()[-1500:] for path in sorted(self.folder.glob("*.log")))

    def all_ended(self) -> bool:
        return all(process.poll() is not None for process in self.running)


@contextmanager
def processes(folder: Path) -> Iterator[Processes]:
    made = Processes(folder)
    try:
        yield made
    finally:
        for process in made.running:
            if process.poll() is None:
                made.kill(process)


def environment() -> dict[str, str]:
    named = connection.settings_dict
    host, name = quote(named["HOST"], safe=""), named["NAME"]
    port = f"&port={named['PORT']}" if named["PORT"] else ""
    return {
        "DATABASE_URL": f"postgresql://{named['USER']}@/{name}?host={host}{port}",
        "OMP_NUM_THREADS": "1",
        "ANOMALYSHIELD_ENV": "test",
    }
