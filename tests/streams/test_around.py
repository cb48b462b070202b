"""What stands around the readers: their commands, their signs of life, and who starts them."""

import sys
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.utils import timezone

from anomalyshield import condition, metrics
from anomalyshield.listeners import Listeners
from anomalyshield.models import Heartbeat
from anomalyshield.together import alone
from scoring.models import StreamPosition
from scoring.sourcing import make_source
from scoring.streaming import connection
from tests.streams.reading import source

pytestmark = [pytest.mark.streams, pytest.mark.django_db]
SERVERS = {"bootstrap_servers": ["one:9092", "two:9092"]}


# --- connections ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "given, topics",
    [
        ({}, ("transactions",)),
        ({"preset": "plain"}, ("transactions",)),
        ({"preset": "staged"}, ("transactions_raw",)),
        ({"preset": "staged", "topic": "mine"}, ("mine",)),
        ({"topic": ["a", "b"]}, ("a", "b")),
        ({"topic": "a, b"}, ("a", "b")),
    ],
)
def test_both_sets_of_topic_names_are_presets_and_own_names_win(given, topics):
    found = connection.of(source(connection={**SERVERS, **given}))
    assert found.topics == topics
    assert (found.servers, found.group, found.start) == (
        "one:9092,two:9092",
        "anomaly-detection",
        "latest",
    )


def test_the_names_of_the_presets_are_those_of_the_documents():
    assert connection.PRESETS == {
        "plain": {"in": "transactions", "alerts": "alerts"},
        "staged": {
            "in": "transactions_raw",
            "features": "transactions_features",
            "anomalies": "transactions_anomalies",
        },
    }


def test_sealed_secrets_are_opened_for_the_broker_alone(dana):
    bank = make_source(
        by=dana,
        name="bank",
        kind="kafka",
        connection={**SERVERS, "username": "fraud", "tls": True},
        secrets={"password": "hush"},
    )
    login = connection.of(bank).login
    assert (login.username, login.password, login.protocol) == ("fraud", "hush", "sasl_ssl")
    assert "hush" not in str(bank.connection) + str(bank.sealed)


def test_without_servers_of_its_own_a_source_reads_the_operators_cluster(settings):
    settings.KAFKA_SERVERS, settings.KAFKA_USERNAME = "ours:9092", "we"
    found = connection.of(source())
    assert (found.servers, found.login.username) == ("ours:9092", "we")


@pytest.mark.parametrize(
    "kind, given, words",
    [
        ("kafka", {}, "names no bootstrap_servers"),
        ("kafka", {**SERVERS, "preset": "fancy"}, "preset is one of plain, staged"),
        ("kafka", {**SERVERS, "auto_offset_reset": "middle"}, "earliest or latest"),
        ("mqtt", {"topic": "payments"}, "names no host"),
        ("mqtt", {"host": "broker"}, "names no topic"),
        ("mqtt", {"host": "broker", "topic": "a", "port": "high"}, "port is a number"),
        ("csv", {}, "not of messages"),
    ],
)
def test_a_connection_that_cannot_be_is_refused_in_words(kind, given, words):
    with pytest.raises(connection.Misconfigured, match=words):
        connection.of(source(kind=kind, connection=given))


# --- commands -------------------------------------------------------------------------------------
@pytest.mark.parametrize("command, kind", [("consume", "kafka"), ("listen_mqtt", "mqtt")])
def test_a_command_names_the_source_it_misses(command, kind):
    with pytest.raises(CommandError, match=f"no active source of kind {kind}"):
        call_command(command)
    with pytest.raises(CommandError, match="no source called bank"):
        call_command(command, "bank")
    source("one", kind), source("two", kind)
    with pytest.raises(CommandError, match="one of the sources: one, two"):
        call_command(command)
    source("off", kind, active=False)
    with pytest.raises(CommandError, match="off is switched off"):
        call_command(command, "off")


@pytest.mark.parametrize(
    "command, kind, module, given",
    [
        ("consume", "kafka", "confluent_kafka", SERVERS),
        ("listen_mqtt", "mqtt", "paho.mqtt.client", {"host": "broker", "topic": "a"}),
    ],
)
def test_a_missing_package_is_named_with_its_cure(monkeypatch, command, kind, module, given):
    monkeypatch.setitem(sys.modules, module, None)
    source("bank", kind, connection=given)
    with pytest.raises(CommandError, match=r"pip install -r requirements-extras\.txt"):
        call_command(command, "bank")


# --- signs of life --------------------------------------------------------------------------------
def position(bank, partition, **more):
    where = {"source": bank, "cluster": "c", "topic": "transactions", "partition": partition}
    return StreamPosition.objects.create(**where, **more)


def streams() -> list:
    return list(alone(condition.streams()))


def test_the_health_page_names_sources_that_nobody_reads_and_how_much_waits():
    bank = source()
    [silent] = streams()
    assert (silent.words, "manage.py consume bank" in silent.cure) == ("Nobody reads it.", True)
    Heartbeat.objects.create(name=f"stream:{bank.pk}", at=timezone.now())
    position(bank, 0, next_offset=10, end_offset=1010)
    position(bank, 1, next_offset=10, end_offset=10, missed=3)
    [alive] = streams()
    assert alive.words == (
        "At work. 2 partitions, 1,000 messages wait."
        " 3 were deleted by the broker before they were read."
    )
    assert not alive.cure


def test_lag_is_a_metric_for_each_partition():
    position(source(), 4, next_offset=10, end_offset=25)
    text = metrics.exposition().decode()
    assert 'kafka_consumer_lag{partition="4",source="bank",topic="transactions"} 15.0' in text


# --- who starts them ------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_each_active_source_of_messages_has_a_reader_while_it_is_active(settings):
    kept: list[str] = []
    supervisor = SimpleNamespace(add=kept.append, remove=kept.remove)
    told = database.get_connection_params()
    url = f"postgresql://{told['user']}@/{told['dbname']}?host={told['host']}"
    found = Listeners(supervisor, lambda name, *words: " ".join(words), url)

    def look() -> list[str]:
        found.looked = float("-inf")
        found.look()
        return sorted(kept)

    assert look() == []
    bank, _, _ = source("bank"), source("terminals", "mqtt"), source("files", "csv")
    assert look() == ["manage.py consume bank", "manage.py listen_mqtt terminals"]
    bank.active = False
    bank.save()
    assert look() == ["manage.py listen_mqtt terminals"]
    found.database_url = "postgresql://nobody@127.0.0.1:1/nothing"
    assert look() == ["manage.py listen_mqtt terminals"]
