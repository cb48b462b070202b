"""TLS and log-ins of real brokers: read through, and what is wrong is named without the secret."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from scoring.models import Source, Transaction
from scoring.sourcing import make_source
from scoring.streaming import connection
from scoring.streaming.consuming import Reader
from scoring.streaming.listening import Listener
from scoring.streaming.reaching import try_connection
from tests.certificates import Authority
from tests.conftest import client_of
from tests.streams import broker
from tests.streams import mosquitto as mqtt
from tests.streams.broker import Broker
from tests.streams.mosquitto import Mosquitto
from tests.streams.reading import Until, payment, payments, said

pytestmark = [pytest.mark.streams, pytest.mark.django_db]
WRONG = "not the secret at all"


def made(by: User, kind: str, password: str, **connection: Any) -> Source:
    secrets = {"password": password} if password else {}
    return make_source(by=by, name="bank", kind=kind, connection=connection, secrets=secrets)


def last(found: Source) -> tuple[str, bool, str]:
    """The last step; nowhere is anything told of the secret."""
    steps = try_connection(by="worker", source=found)
    assert not any(secret in str(steps) for secret in (WRONG, broker.SECRET))
    assert not steps[-1].good
    return steps[-1].name, steps[-1].field, steps[-1].words


def stored(many: int) -> Callable[[], bool]:
    return lambda: Transaction.objects.count() == many


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
def test_a_topic_is_read_behind_tls_and_a_log_in(kafka: Broker, dana: User, mechanism: str) -> None:
    where, topic = kafka.entered(), kafka.topic()
    where |= {"topic": topic, "group_id": topic, "auto_offset_reset": "earliest"}
    bank = made(dana, "kafka", broker.SECRET, sasl_mechanism=mechanism, **where)
    steps = try_connection(by=dana, source=bank)
    assert [step.name for step in steps] == ["Settings", "DNS", "TCP", "TLS", "Topic"]
    assert all(step.good for step in steps)
    kafka.send(topic, payments(0, 5))
    told = connection.of(bank)
    assert isinstance(told, connection.Kafka)
    Reader(bank, told, Until(stored(5), "read")).run()


def test_what_keeps_kafka_from_letting_us_in_is_named_with_its_setting(
    kafka: Broker, dana: User, tmp_path: Path
) -> None:
    where = {**kafka.entered(), "topic": "t"}
    bank = made(dana, "kafka", WRONG, **where)
    name, field, words = last(bank)
    assert (name, field) == ("Log-in", "password")
    assert words == (
        "The cluster does not let fraud in: Authentication failed during authentication due to "
        "invalid credentials with SASL mechanism SCRAM-SHA-512."
    )
    bank.connection = {**where, "sasl_mechanism": "SCRAM-SHA-256"}
    name, field, words = last(bank)
    assert (name, field) == ("Log-in", "sasl_mechanism")
    assert "supported mechanisms: SCRAM-SHA-512,PLAIN." in words
    bank.connection = {**where, "ca_file": str(Authority(tmp_path, "other").file)}
    name, field, words = last(bank)
    assert (name, field) == ("TLS", "ca_file")
    assert "The certificate of localhost is not believed: " in words
    bank.connection = {**where, "ca_file": "/nowhere.pem"}
    assert last(bank) == (
        "TLS", "ca_file", "ca_file: /nowhere.pem cannot be read: No such file or directory.",
    )  # fmt: skip
    told = connection.of(bank)
    assert isinstance(told, connection.Kafka)
    with pytest.raises(connection.Misconfigured, match="cannot be read"):
        Reader(bank, told, Until(stored(0), "never"))
    bank.connection = {**where, "bootstrap_servers": [kafka.servers]}
    assert last(bank)[:2] == ("TLS", "tls")


def test_messages_are_heard_behind_tls_and_a_log_in(mosquitto: Mosquitto, dana: User) -> None:
    bank = made(dana, "mqtt", mqtt.SECRET, topic="payments/#", **mosquitto.entered())
    steps = try_connection(by=dana, source=bank)
    assert [step.name for step in steps] == ["Settings", "DNS", "TCP", "TLS", "MQTT"]
    assert all(step.good for step in steps)
    told = connection.of(bank)
    assert isinstance(told, connection.Mqtt)

    def heard() -> bool:
        mosquitto.publish("payments/terminal/7", [said(payment(1))])  # until we have subscribed
        return stored(1)()

    Listener(bank, told, Until(heard, "heard")).run()


def test_what_keeps_mosquitto_from_letting_us_in_is_named_with_its_setting(
    mosquitto: Mosquitto, dana: User, tmp_path: Path
) -> None:
    where = {"topic": "t", **mosquitto.entered()}
    bank = made(dana, "mqtt", WRONG, **where)
    page = client_of(dana).post(f"/sources/{bank.pk}/test/").content.decode()
    assert "The broker refuses us: Not authorized" in page
    assert '<span class="muted mono">password</span>' in page
    assert WRONG not in page + str(list(AuditEvent.objects.values_list("after", flat=True)))
    bank.connection = {**where, "ca_file": str(Authority(tmp_path, "other").file)}
    assert last(bank)[:2] == ("TLS", "ca_file")
    bank.connection = {**where, "port": mosquitto.port}
    assert last(bank)[:2] == ("TLS", "tls")
    bank.connection = {name: where[name] for name in where if name not in ("tls", "ca_file")}
    assert last(bank)[0] == "MQTT"
    bank.connection = {**where, "ca_file": str(tmp_path)}
    told = connection.of(bank)
    assert isinstance(told, connection.Mqtt)
    with pytest.raises(connection.Misconfigured, match="cannot be read"):
        Listener(bank, told, Until(stored(0), "never"))
