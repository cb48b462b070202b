"""The page on Kafka and MQTT: its examples work as they are printed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from scoring.models import Source, StreamPosition, Transaction
from scoring.streaming import connection
from scoring.streaming.consuming import Reader
from scoring.streaming.listening import Listener
from tests.streams.reading import Until

pytestmark = [pytest.mark.streams, pytest.mark.django_db]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "streams.md"


def example(door: str, language: str) -> str:
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {door}\n")[1].split("\n## ")[0]
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return found


def loaded(tmp_path: Path, text: str, printed: str, here: str) -> Source:
    """The source of a document, at a broker of this machine."""
    assert printed in text
    file = tmp_path / "source.yaml"
    file.write_text(text.replace(printed, here), encoding="utf-8")
    call_command("source", file)
    return Source.objects.get()


def run(*program: str, **env: str) -> str:
    done = subprocess.run(
        program, env={"PATH": os.environ["PATH"], **env}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def ids() -> list[str]:
    return list(Transaction.objects.order_by("pk").values_list("external_id", flat=True))


def test_a_topic_of_kafka_is_read_as_the_page_says(kafka, tmp_path):
    kafka.topic(name="transactions")
    bank = loaded(tmp_path, example("Kafka", "yml"), "kafka:9092", kafka.servers)
    found = connection.of(bank)
    Reader(bank, found, Until(StreamPosition.objects.exists, "the partition is begun")).run()
    said = run(sys.executable, "-c", example("Kafka", "py"), KAFKA_SERVERS=kafka.servers)
    assert said == "0 not sent\n"
    Reader(bank, found, Until(lambda: len(ids()) == 3, "the payments are stored")).run()
    assert ids() == ["till-1", "till-2", "till-3"]


def test_a_broker_of_mqtt_is_heard_as_the_page_says(mosquitto, tmp_path):
    if shutil.which("mosquitto_pub") is None:
        pytest.skip("mosquitto_pub is not installed here: apt-get install mosquitto-clients")
    here = f"host: 127.0.0.1, port: {mosquitto.port}"
    terminals = loaded(tmp_path, example("MQTT", "yml"), "host: broker, port: 1883", here)
    sent: list[str] = []

    def holds() -> bool:
        sent.append(publish() if len(sent) == 8 else "")  # it listens by then
        return ids() == ["terminal-7-1"]

    def publish() -> str:
        where = {"MQTT_HOST": "127.0.0.1", "MQTT_PORT": str(mosquitto.port)}
        return run("sh", "-e", "-c", example("MQTT", "sh"), **where)

    Listener(terminals, connection.of(terminals), Until(holds, "it is heard")).run()
