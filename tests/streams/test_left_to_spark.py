"""What Spark alone reads is read by no reader of ours: not by its command, nor by make run; one
that is at work lets go, and goes on where it stopped when the source is its own again."""

import re
import time
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database

from anomalyshield.listeners import Listeners
from scoring.management.commands import consume, spark
from scoring.models import Source, StreamPosition, Transaction
from scoring.sourcing import load_document
from scoring.streaming import connection
from scoring.streaming.consuming import LOOK, Reader
from tests.streams.reading import Until, payments, source
from tests.streams.test_spark_endings import driver

__all__ = ["driver"]
pytestmark = [pytest.mark.streams, pytest.mark.django_db]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "spark.md"
WHERE = {"bootstrap_servers": ["one:9092"], "topic": "payments"}
LEFT = {**WHERE, "reader": "spark"}
DRY = {"hand_over": True, "stderr": StringIO()}


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """Which sources a consumer has begun to read; it goes no further."""
    begun: list[str] = []

    def reader(source, given, stop):
        begun.append(source.name)
        raise connection.Misconfigured("far enough")

    monkeypatch.setattr(consume, "_reader", reader)
    return begun


def test_the_document_that_the_page_prints_is_left_to_spark():
    [text] = re.findall(r"^```yml\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    made, _ = load_document(by="command", text=text)
    assert made.left_to_spark
    assert list(Source.objects.left_to_spark()) == [made]


# --- the consumer's command -----------------------------------------------------------------------
def test_the_consumer_leaves_it_alone_and_names_the_command_of_spark(read):
    source("bank", connection=LEFT)
    with pytest.raises(CommandError, match=r"bank is read by Spark alone: manage\.py spark bank"):
        call_command("consume", "bank")
    assert read == []


def test_without_a_name_the_consumer_takes_the_one_that_is_not_left_to_spark(read):
    source("bank", connection=LEFT)
    with pytest.raises(CommandError, match=r"no active source of kind kafka.*manage\.py spark"):
        call_command("consume")
    source("shop", connection=WHERE)
    with pytest.raises(CommandError, match="far enough"):
        call_command("consume")
    assert read == ["shop"]


def test_vectors_are_scored_apart_all_the_same(read):
    """They lie in another topic, and Spark does not read that."""
    source("bank", connection=LEFT)
    with pytest.raises(CommandError, match="far enough"):
        call_command("consume", "bank", stage="score")
    with pytest.raises(CommandError, match="far enough"):
        call_command("consume", stage="score")
    assert read == ["bank", "bank"]


# --- the command of Spark -------------------------------------------------------------------------
def test_spark_does_not_decide_what_the_consumer_decides_unless_it_is_told_to(tmp_path):
    source("bank", connection=WHERE)
    with pytest.raises(CommandError, match=r"bank is read by the consumer.*reader: spark.*beside"):
        call_command("spark", "bank", folder=tmp_path / "job", **DRY)
    assert not (tmp_path / "job").exists()
    call_command("spark", "bank", folder=tmp_path / "job", beside_consumer=True, **DRY)
    assert (tmp_path / "job" / "current").exists()


def test_without_a_name_spark_takes_the_one_that_is_left_to_it(tmp_path):
    source("shop", connection=WHERE)
    with pytest.raises(CommandError, match="reader: spark"):
        call_command("spark", folder=tmp_path / "job", **DRY)
    source("bank", connection=LEFT)
    said = StringIO()
    call_command("spark", folder=tmp_path / "job", hand_over=True, stderr=said)
    assert (tmp_path / "job" / "current").exists()
    with pytest.raises(CommandError, match="one of the sources: bank, shop"):
        call_command("spark", folder=tmp_path / "job", beside_consumer=True, **DRY)


def test_a_source_of_mqtt_is_no_work_for_spark():
    source("terminals", "mqtt", connection={"host": "broker", "topic": "a"})
    with pytest.raises(CommandError, match="terminals is not a source of Kafka"):
        call_command("spark", "terminals")


@pytest.mark.parametrize("beside", [False, True])
def test_the_job_ends_when_its_source_is_the_consumers_again(
    beside, driver, monkeypatch, settings, tmp_path
):
    settings.VAR = tmp_path
    bank, times = source("bank", connection=LEFT), []
    hand_over = spark.handover.hand_over

    def changed(*said):
        Source.objects.filter(pk=bank.pk).update(connection=WHERE)
        times.append(hand_over(*said))
        if len(times) == 3:
            Source.objects.filter(pk=bank.pk).update(active=False)
        return times[-1]

    monkeypatch.setattr(spark.handover, "hand_over", changed)
    words = "was switched off" if beside else "bank is left to Spark no longer"
    with pytest.raises(CommandError, match=words):
        call_command("spark", "bank", beside_consumer=beside, stderr=StringIO())
    assert len(times) == (3 if beside else 1)


# --- make run -------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_make_run_keeps_no_reader_for_what_is_left_to_spark():
    kept: list[str] = []
    supervisor = SimpleNamespace(
        add=lambda one, **_: kept.append(one), remove=kept.remove, hurry=lambda one: None
    )
    told = database.get_connection_params()
    url = f"postgresql://{told['user']}@/{told['dbname']}?host={told['host']}"
    found = Listeners(supervisor, lambda name, *words: " ".join(words), url)
    bank = source("bank", connection=WHERE)
    for said, wanted in ((WHERE, ["manage.py consume bank"]), (LEFT, [])) * 2:
        bank.connection = said
        bank.save()
        found.looked = float("-inf")
        found.look()
        assert kept == wanted


# --- a reader at work -----------------------------------------------------------------------------
def test_a_consumer_lets_go_within_its_look_and_goes_on_where_it_stopped(kafka):
    topic = kafka.topic()
    where = {
        "bootstrap_servers": [kafka.servers], "topic": topic, "auto_offset_reset": "earliest",
        "group_id": f"group of {topic}",
    }  # fmt: skip
    bank = source("bank", connection=where)
    kafka.send(topic, payments(0, 40))
    left_at: list[float] = []

    def left() -> bool:
        """Once all are stored the source is left to Spark; nobody stops the reader."""
        if not left_at and Transaction.objects.count() == 40:
            Source.objects.filter(pk=bank.pk).update(connection=where | {"reader": "spark"})
            left_at.append(time.monotonic())
        return False

    Reader(bank, connection.of(bank), Until(left, "it lets go by itself")).run()
    assert time.monotonic() - left_at[0] < LOOK + 5, "and leaves the group"
    assert not kafka.members(where["group_id"])
    kafka.send(topic, payments(40, 21))
    stands = StreamPosition.objects.get()
    assert (stands.next_offset, Transaction.objects.count()) == (40, 40)

    Source.objects.filter(pk=bank.pk).update(connection=where | {"reader": "consumer"})
    bank.refresh_from_db()
    again = Until(lambda: Transaction.objects.count() == 61, "it goes on where it stopped")
    Reader(bank, connection.of(bank), again).run()
    stands.refresh_from_db()
    assert (stands.next_offset, stands.taken, stands.missed) == (61, 61, 0)
