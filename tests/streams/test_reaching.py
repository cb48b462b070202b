"""A real broker is reached, and what it does not have is named."""

import pytest

from scoring.streaming.reaching import try_connection
from tests.streams.reading import source

pytestmark = [pytest.mark.streams, pytest.mark.django_db]


def test_topics_of_kafka_are_found_with_their_partitions(kafka):
    topic = kafka.topic(partitions=3)
    found = source(connection={"bootstrap_servers": [kafka.servers], "topic": topic})
    steps = try_connection(by="worker", source=found)
    assert [(step.name, step.good) for step in steps] == [
        ("Settings", True), ("DNS", True), ("TCP", True), ("Topic", True),
    ]  # fmt: skip
    assert steps[-1].words == f"{topic}: 3 partitions"


def test_mosquitto_lets_us_in_and_throws_nobody_out(mosquitto):
    said = {"host": "127.0.0.1", "port": mosquitto.port, "topic": "t"}
    steps = try_connection(by="worker", source=source(kind="mqtt", connection=said))
    assert steps[-1].words == "The broker lets us in."
