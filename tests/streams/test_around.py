"""What stands around the readers: their commands, their signs of life, and who starts them."""

import sys
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.utils import timezone

from anomalyshield import condition, metrics, pulse
from anomalyshield.listeners import Listeners
from anomalyshield.models import Heartbeat
from anomalyshield.supervisor import Supervisor
from anomalyshield.together import alone
from scoring.models import Source, StreamPosition
from scoring.source_health import health_of
from scoring.sourcing import make_source
from scoring.streaming import connection
from scoring.streaming.consuming import Reader
from tests.streams.broker import free_port
from tests.streams.reading import Until, source

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
    bank = source(connection=SERVERS)
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


def test_the_health_page_says_why_a_source_is_not_read():
    bank, terminals = source(), source("terminals", "mqtt", connection={"host": "broker"})
    lacking = "Nobody reads it: its connection does not say {} yet."
    assert [one.words for one in streams()] == [
        lacking.format("bootstrap_servers"),
        lacking.format("topic"),
    ]
    Source.objects.update(connection=SERVERS | {"host": "broker", "topic": "a"})
    pulse.last(f"stream:{bank.pk}", ended="ca_file: a.pem cannot be read")
    pulse.last(f"stream:{terminals.pk}", trouble="broker:1883: Connection refused")
    ended, shut = streams()
    assert ended.words == "Nobody reads it: ca_file: a.pem cannot be read"
    assert "every five minutes or sooner" in ended.cure
    assert shut.words == "Its broker is not reached: broker:1883: Connection refused"
    assert "Test the connection" in shut.cure
    assert health_of(Source.objects.get(pk=bank.pk)).reader_trouble.startswith("ca_file")
    assert not health_of(Source.objects.get(pk=terminals.pk)).is_read


@pytest.mark.parametrize(
    "command, kind, given, words",
    [
        ("consume", "kafka", {**SERVERS, "preset": "fancy"}, "preset is one of"),
        ("listen_mqtt", "mqtt", {"host": "b", "topic": "a", "port": "high"}, "port is a number"),
    ],
)
def test_a_reader_that_ends_says_why_on_the_pages(command, kind, given, words):
    bank = source("bank", kind, connection=given)
    with pytest.raises(CommandError, match=words):
        call_command(command, "bank")
    assert words in Heartbeat.objects.get(name=f"stream:{bank.pk}").details["ended"]
    assert words in streams()[0].words


def test_a_reader_whose_brokers_are_not_reached_goes_on_and_says_so():
    bank = source("bank", connection={"bootstrap_servers": [f"127.0.0.1:{free_port()}"]})

    def told() -> str:
        sign = Heartbeat.objects.filter(name=f"stream:{bank.pk}").first()
        return sign.details.get("trouble", "") if sign else ""

    Reader(bank, connection.of(bank), Until(told, "it is said", 20)).run()
    assert "Connection refused" in told()
    assert "after" not in told()


def test_lag_is_a_metric_for_each_partition():
    position(source(), 4, next_offset=10, end_offset=25)
    text = metrics.exposition().decode()
    assert 'kafka_consumer_lag{partition="4",source="bank",topic="transactions"} 15.0' in text


# --- who starts them ------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_each_active_source_of_messages_has_a_reader_while_it_is_active(settings):
    kept: list[str] = []
    hurried: list[str] = []
    supervisor = SimpleNamespace(
        add=lambda one, **_: kept.append(one), remove=kept.remove, hurry=hurried.append
    )
    told = database.get_connection_params()
    url = f"postgresql://{told['user']}@/{told['dbname']}?host={told['host']}"
    found = Listeners(supervisor, lambda name, *words: " ".join(words), url)

    def look() -> list[str]:
        found.looked = float("-inf")
        found.look()
        return sorted(kept)

    assert look() == []
    bank, terminals, _ = source("bank"), source("terminals", "mqtt"), source("files", "csv")
    assert look() == []  # nobody says yet where they are
    bank.connection, terminals.connection = SERVERS, {"host": "broker", "topic": "a"}
    bank.save(), terminals.save()
    assert look() == ["manage.py consume bank", "manage.py listen_mqtt terminals"]
    terminals.connection["topic"] = "b"
    terminals.save()
    assert (len(look()), len(look()), hurried) == (2, 2, ["manage.py listen_mqtt terminals"])
    bank.active = False
    bank.save()
    assert look() == ["manage.py listen_mqtt terminals"]
    found.database_url = "postgresql://nobody@127.0.0.1:1/nothing"
    assert look() == ["manage.py listen_mqtt terminals"]


def test_a_reader_that_ends_again_and_again_rests_longer_each_time_until_its_source_changes():
    child = SimpleNamespace(name="consume-bank", alive=False, exit_code=1, log="log")
    starts: list[float] = []
    supervisor = Supervisor(lambda words: None)
    supervisor.add(child, lambda: starts.append(0.0), longest=300.0)
    [watched], now, rests = supervisor.watched, 1e9, []
    for _ in range(12):
        watched.look(now)
        rests.append(watched.due - now)
        now = watched.due
        watched.look(now)
    assert rests == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    watched.look(now)
    assert watched.due > now
    supervisor.hurry(child)
    watched.look(now)
    assert (len(starts), watched.pause) == (14, 1)
