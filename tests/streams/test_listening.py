"""Messages of a real Mosquitto become transactions; none is acknowledged before it is stored."""

import pytest
from django.db import OperationalError

from scoring import accepting
from scoring.accepting import Sent
from scoring.models import Decision, Label, Notice, RejectedRecord, Source, Transaction
from scoring.streaming import connection, listening
from scoring.streaming.listening import Listener
from tests.streams.mosquitto import Mosquitto
from tests.streams.reading import Until, payment, said, source

pytestmark = [pytest.mark.streams, pytest.mark.django_db]
TOPIC = "payments/terminal/7"


class Killed(BaseException):
    """Ends a listener where kill -9 would: nothing after it runs."""


def stored() -> int:
    return Transaction.objects.count()


def made(mosquitto: Mosquitto, bank: Source, holds) -> Listener:
    return Listener(bank, connection.of(bank), Until(holds, "messages are stored"))


@pytest.fixture
def bank(db, mosquitto) -> Source:
    """Its session begins here: what is published from now on is kept for it."""
    where = {"host": "127.0.0.1", "port": mosquitto.port, "topic": "payments/#"}
    bank = source("terminals", "mqtt", connection=where)
    subscribe(mosquitto, bank)
    return bank


def subscribe(mosquitto: Mosquitto, bank: Source) -> None:
    heard: list[int] = []

    def subscribed() -> bool:
        heard.append(1)
        return len(heard) > 8

    made(mosquitto, bank, subscribed).run()


def publish(mosquitto: Mosquitto, *numbers: int) -> None:
    mosquitto.publish(TOPIC, [said(payment(number)) for number in numbers])


def test_what_was_sent_while_nobody_listened_is_stored_and_decided_once(mosquitto, bank):
    publish(mosquitto, *range(50))
    made(mosquitto, bank, lambda: Decision.objects.count() == 50).run()
    assert stored() == 50
    publish(mosquitto, 50)
    made(mosquitto, bank, lambda: stored() == 51).run()


def test_a_listener_killed_before_it_acknowledges_gets_the_messages_again(
    mosquitto, bank, monkeypatch
):
    mosquitto.publish(TOPIC, [said(payment(1)), b"no json", said(payment(2))])
    killed = made(mosquitto, bank, lambda: False)

    def kill(messages: list) -> None:
        raise Killed

    monkeypatch.setattr(killed, "_acknowledge", kill)
    with pytest.raises(Killed):
        killed.run()
    killed.client.socket().close()  # as the kernel does for the dead
    assert stored() == 2
    lives = made(mosquitto, bank, lambda: acknowledged == 3)
    acknowledged, acknowledge = 0, lives._acknowledge

    def count(messages: list) -> None:
        nonlocal acknowledged
        acknowledged += len(messages)
        acknowledge(messages)

    monkeypatch.setattr(lives, "_acknowledge", count)
    lives.run()
    assert stored() == 2
    assert RejectedRecord.objects.count() == 1


def test_poison_is_set_aside_with_its_topic_and_acknowledged(mosquitto, bank):
    mosquitto.publish(TOPIC, [b"\xff\x00", b"[1]", said(payment(1)), b"", said({"amount": 1})])
    made(mosquitto, bank, lambda: RejectedRecord.objects.count() == 4 and stored() == 1).run()
    assert {one.place.partition("#")[0] for one in RejectedRecord.objects.all()} == {TOPIC}
    publish(mosquitto, 2)
    made(mosquitto, bank, lambda: stored() == 2).run()
    assert RejectedRecord.objects.count() == 4


def test_notices_on_a_topic_label_the_payments_of_another_source_once(mosquitto):
    till = source("till", "rest")
    accepting.accept(source=till, sent=[Sent(payment(0))], door="rest")
    where = {"host": "127.0.0.1", "port": mosquitto.port, "topic": "disputes/#"}
    bank = source("disputes", "mqtt", connection=where, about=["till"])
    subscribe(mosquitto, bank)
    told = [said({"dispute_id": f"D-{n}", "transaction_id": f"t{n}"}) for n in range(2)]
    mosquitto.publish("disputes/scheme", [*told, *told, b'{"dispute_id": "D-9"}'])
    made(mosquitto, bank, RejectedRecord.objects.exists).run()
    assert list(Label.objects.values_list("transaction__external_id", "value")) == [
        ("t0", "TRUE_FRAUD")
    ]
    assert dict(Notice.objects.values_list("external_id", "state")) == {
        "D-0": "LABELLED", "D-1": "WAITING",
    }  # fmt: skip
    assert RejectedRecord.objects.get().reasons == {"transaction_id": "is required"}
    assert not Transaction.objects.filter(source=bank).exists()


def test_a_broker_that_starts_again_is_found_again(mosquitto, bank):
    publish(mosquitto, 1)
    steps: list[str] = []

    def holds() -> bool:
        if stored() == 1 and not steps:
            steps.append("restarted")
            mosquitto.stop()
            mosquitto.start()
            publish(mosquitto, 2, 3)
        return stored() == 3

    made(mosquitto, bank, holds).run()


def test_while_the_database_is_away_nothing_is_acknowledged_and_nothing_lost(
    mosquitto, bank, monkeypatch
):
    publish(mosquitto, *range(5))
    accept, failures = accepting.accept, []

    def away(**given):
        if len(failures) < 2:
            failures.append(len(given["sent"]))
            raise OperationalError("the server closed the connection")
        return accept(**given)

    monkeypatch.setattr(accepting, "accept", away)
    monkeypatch.setattr(listening.connection, "close", lambda: None)  # it is the test's own
    made(mosquitto, bank, lambda: stored() == 5).run()
    assert len(failures) == 2


def test_the_older_protocol_keeps_its_session_too(mosquitto, bank):
    bank.connection = {**bank.connection, "version": "4", "client_id": "old"}
    bank.save()
    tries: list[int] = []
    made(mosquitto, bank, lambda: tries.append(1) or len(tries) > 8).run()
    publish(mosquitto, *range(3))
    made(mosquitto, bank, lambda: stored() == 3).run()
