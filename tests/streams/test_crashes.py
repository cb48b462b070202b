"""Readers are killed and brokers restarted: each payment is stored once and decided once."""

import signal
import sys

import pytest
from django.db.models import Count

from anomalyshield import holder
from scoring import tasks
from scoring.models import Decision, RejectedRecord, StreamPosition, Transaction
from tests.streams.reading import payments, processes, source, wait_for

pytestmark = [
    pytest.mark.streams,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="kills processes as Linux does"),
]
NOWHERE = "redis://127.0.0.1:1/0"  # no reader needs Valkey
# Inside the transaction; between its commit and what the broker is told; before the decision.
PLACES = ("stream.before_commit", "stream.stored", "chunk.before_commit")


@pytest.fixture
def started(tmp_path):
    with processes(tmp_path) as made:
        yield made
    holder.stop()  # its session would be lost with the tables


def stored() -> int:
    return Transaction.objects.count()


def decided() -> int:
    """What the dead left is decided by any worker: here, by this process."""
    tasks.look(["detect"])
    return Decision.objects.count()


def once_each(many: int) -> bool:
    twice = Transaction.objects.values("external_id").annotate(n=Count("pk")).filter(n__gt=1)
    assert not twice.exists()
    assert not RejectedRecord.objects.exists()
    ids = set(Transaction.objects.values_list("external_id", flat=True))
    return ids == {f"t{number}" for number in range(many)} and decided() == many


def words(kafka, topic: str) -> tuple[str, ...]:
    where = ("--servers", kafka.servers, "--topic", topic, "--start", "earliest")
    return ("consume", "bank", *where, "--group", topic)


def test_wherever_a_reader_is_killed_each_payment_is_stored_and_decided_once(kafka, started):
    source()
    topic, sent = kafka.topic(partitions=2), 0
    for place in PLACES:
        kafka.send(topic, payments(sent, 30))
        sent += 30
        dies = started.start(*words(kafka, topic), faults=f"{place}=kill9@1", REDIS_URL=NOWHERE)
        wait_for(lambda dies=dies: dies.poll() is not None, f"it dies at {place}")
        assert dies.returncode == -signal.SIGKILL, started.words()
    kafka.send(topic, payments(sent, 10))
    sent += 10
    lives = started.start(*words(kafka, topic), REDIS_URL=NOWHERE)
    wait_for(lambda: once_each(sent), started.words())
    wait_for(lambda: sum(one.taken for one in StreamPosition.objects.all()) == sent, "counted")
    lives.send_signal(signal.SIGTERM)
    assert lives.wait(10) == 0, started.words()


def test_two_readers_share_a_topic_and_outlive_each_other_and_the_broker(kafka, started):
    source()
    topic = kafka.topic(partitions=4)
    first, second = (started.start(*words(kafka, topic)) for _ in range(2))
    wait_for(lambda: kafka.members(topic) == [2, 2], "each of them has two partitions")
    kafka.send(topic, payments(0, 200))
    started.kill(first)
    kafka.send(topic, payments(200, 100))
    wait_for(lambda: stored() == 300, started.words())
    kafka.kill()
    kafka.start()
    kafka.send(topic, payments(300, 100))
    wait_for(lambda: once_each(400), started.words())
    assert second.poll() is None, started.words()
    for user in range(7):
        rows = Transaction.objects.filter(user_id=f"user{user}").order_by("pk")
        numbers = [int(one.external_id[1:]) for one in rows]
        assert numbers == sorted(numbers), "payments of one key keep their order"
