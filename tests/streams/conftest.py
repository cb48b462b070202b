"""One broker for all tests of a run; skipped aloud where there can be none."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scoring.engine.warming import compile_kernels
from scoring.streaming import producing
from tests.streams.broker import Absent, Broker, classpath
from tests.streams.mosquitto import Mosquitto, program


@pytest.fixture(scope="session", autouse=True)
def warm_kernels() -> None:
    """A process that reads compiles them before it begins; the session of a test cannot wait."""
    compile_kernels()


@pytest.fixture(scope="session")
def kafka() -> Iterator[Broker]:
    folder = Path(tempfile.mkdtemp(prefix="anomalyshield-kafka-"))
    try:
        broker = Broker(folder, classpath())
    except Absent as reason:
        pytest.skip(str(reason))
    try:
        broker.prepare()
        broker.start()
        yield broker
    finally:
        broker.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_kafka(kafka: Broker, settings: Any) -> Iterator[Broker]:
    """The operator's cluster is the one of this run."""
    settings.KAFKA_SERVERS = kafka.servers
    producing._producer.cache_clear()
    yield kafka
    producing._producer.cache_clear()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    try:
        program()
    except Absent as reason:
        pytest.skip(str(reason))
    broker = Mosquitto(tmp_path)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
