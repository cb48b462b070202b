"""Topics of a real Kafka become stored and decided transactions, whatever comes along."""

import time
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from anomalyshield import pulse
from anomalyshield.models import Heartbeat
from scoring import accepting, history
from scoring.accepting import Sent
from scoring.engine import features
from scoring.models import (
    Chunk,
    Decision,
    Label,
    Notice,
    RejectedRecord,
    StreamPosition,
    Transaction,
)
from scoring.streaming import consuming, positions
from scoring.tasks import do_next, work_named
from tests.chaos.stack import crowd
from tests.streams.reading import Until, payment, payments, read_until, reader, said, source

pytestmark = [pytest.mark.streams, pytest.mark.django_db]


def stored() -> int:
    return Transaction.objects.count()


def ids() -> list[str]:
    return list(Transaction.objects.order_by("pk").values_list("external_id", flat=True))


def test_messages_are_stored_and_decided_once_each(kafka):
    bank, topic = source(), kafka.topic(partitions=3)
    kafka.send(topic, payments(0, 40))
    read_until(kafka, bank, topic, lambda: Decision.objects.count() == 40)
    assert stored() == 40
    assert not Chunk.objects.exclude(state="DONE").exists()
    positions = StreamPosition.objects.all()
    assert [position.lag for position in positions] == [0, 0, 0]
    assert sum(position.taken for position in positions) == 40


@pytest.mark.django_db(transaction=True)
def test_a_reader_that_is_behind_leaves_a_decision_to_a_worker_that_is_free(kafka, monkeypatch):
    monkeypatch.setattr(consuming, "ROWS", 10)
    bank, topic = source(), kafka.topic()
    kafka.send(topic, payments(0, 35))
    pulse.show("queue:detect")
    read_until(kafka, bank, topic, lambda: stored() == 35)
    states = list(Chunk.objects.order_by("pk").values_list("state", flat=True))
    assert states[0] == "READY", "a worker shows that it asks for such work"
    assert set(states[1:]) == {"DONE"}, "while one waits, no other is left"
    assert Decision.objects.count() == 25
    assert do_next(work_named("chunk"))
    assert Decision.objects.count() == 35


def test_where_no_worker_shows_itself_the_reader_decides_all(kafka, monkeypatch):
    monkeypatch.setattr(consuming, "ROWS", 10)
    bank, topic = source(), kafka.topic()
    kafka.send(topic, payments(0, 35))
    Heartbeat.objects.create(name="queue:detect", at=timezone.now() - timedelta(seconds=20))
    read_until(kafka, bank, topic, lambda: Decision.objects.count() == 35)


def test_a_topic_of_chargebacks_labels_the_payments_of_another_source(kafka):
    till, topic = source("till", "rest"), kafka.topic()
    accepting.accept(source=till, sent=[Sent(payment(0))], door="rest")
    bank = source(about=["till"])
    told = [("", said({"chargeback_id": f"CB-{n}", "transaction_id": f"t{n}"})) for n in range(2)]
    kafka.send(topic, [*told, *told, ("", b'{"chargeback_id": "CB-9"}')])
    read_until(kafka, bank, topic, RejectedRecord.objects.exists)
    assert list(Label.objects.values_list("transaction__external_id", "value")) == [
        ("t0", "TRUE_FRAUD")
    ]
    assert dict(Notice.objects.values_list("external_id", "state")) == {
        "CB-0": "LABELLED", "CB-1": "WAITING",
    }  # fmt: skip
    assert RejectedRecord.objects.get().reasons == {"transaction_id": "is required"}


KNOWN = features.column("known_fraud_count_180d")
DAY = timedelta(days=1)


def known_frauds(known_at: datetime | None = None) -> dict[str, float]:
    """Of each payment there is: what its vector, read now or as of a moment, says of its user."""
    ids = dict(Transaction.objects.values_list("pk", "external_id"))
    events = history.stored_events(list(ids))
    found = features.compute(events, history.read(events, known_at=known_at or timezone.now()))
    return {ids[int(event["id"])]: row[KNOWN] for event, row in zip(events, found, strict=True)}


def test_a_chargeback_reaches_the_features_within_two_seconds_and_no_earlier_payment(kafka):
    till, topic, now = source("till", "rest"), kafka.topic(), timezone.now()
    days = {"disputed": 9, "between": 5, "today": 0}
    paid = [
        payment(1, transaction_id=id, timestamp=(now - ago * DAY).isoformat())
        for id, ago in days.items()
    ]
    accepting.accept(source=till, sent=[Sent(one) for one in paid], door="rest")
    bank, moments = source(about=["till"]), []
    late = {
        "chargeback_id": "CB-1", "transaction_id": "disputed",
        "known_at": (now - 3 * DAY).isoformat(),
    }  # fmt: skip

    def holds() -> bool:
        if StreamPosition.objects.exists() and not moments:
            assert set(known_frauds().values()) == {0}
            kafka.send(topic, [("", said(late))])
            moments.append((timezone.now(), time.monotonic()))
        return bool(moments) and known_frauds()["today"] == 1

    read_until(kafka, bank, topic, holds)
    [(sent_at, begun)] = moments
    assert time.monotonic() - begun < 2 * max(1.0, crowd())
    # Known three days ago: not to a payment of five days ago, though it is read only now …
    assert known_frauds() == {"disputed": 0, "between": 0, "today": 1}
    # … and to nobody as of a moment before it came.
    assert set(known_frauds(sent_at - timedelta(seconds=1)).values()) == {0}


def test_reading_goes_on_where_the_rows_stand_and_not_where_the_broker_believes(kafka):
    bank, topic = source(), kafka.topic()
    kafka.send(topic, payments(0, 10))
    read_until(kafka, bank, topic, lambda: stored() == 10)
    kafka.send(topic, payments(10, 5))
    # Another group: of it the broker knows nothing, and would begin at the end.
    read_until(kafka, bank, topic, lambda: stored() == 15, group="other", start="latest")
    assert StreamPosition.objects.get().taken == 15


def test_what_comes_between_two_starts_is_read_though_nothing_came_before(kafka):
    bank, topic = source(), kafka.topic()
    kafka.send(topic, payments(0, 3))
    begun = StreamPosition.objects.all()
    read_until(kafka, bank, topic, begun.exists, start="latest")  # from the end on
    kafka.send(topic, payments(3, 2))
    read_until(kafka, bank, topic, lambda: stored() == 2, start="latest")
    assert ids() == ["t3", "t4"]


def test_messages_of_one_key_keep_their_order(kafka):
    bank, topic = source(), kafka.topic(partitions=4)
    kafka.send(topic, payments(0, 60))
    read_until(kafka, bank, topic, lambda: stored() == 60)
    for user in range(7):
        own = [number for number in range(60) if number % 7 == user]
        rows = Transaction.objects.filter(user_id=f"user{user}").order_by("pk")
        assert [one.external_id for one in rows] == [f"t{number}" for number in own]


POISON = {
    b"\xff\xfe\x00": "is expected",
    b'{"transaction_id": "x", ': "Line 1",
    b"[1, 2]": "is not an object",
    b"": "is empty",
    b'{"amount": NaN}': "is not a JSON number",
    b'{"transaction_id": "x", "user_id": "u", "amount": "lots"}': "amount",
    b'{"transaction_id": "x", "amount": 3}': "is required",
    b"\x00\x00\x00\x00\x07avro": "is expected",
    b'{"a": ' * 60 + b"1" + b"}" * 60: "levels of nesting",
    None: "is empty",
}


def test_poison_goes_to_quarantine_with_its_place_and_stops_nobody(kafka):
    bank, topic = source(), kafka.topic()
    kafka.send(topic, payments(0, 5))
    kafka.send(topic, [("user1", value) for value in POISON])
    kafka.send(topic, payments(5, 5))
    read_until(kafka, bank, topic, lambda: Decision.objects.count() == 10)
    rejects = list(RejectedRecord.objects.order_by("pk"))
    assert [one.place for one in rejects] == [
        f"{topic}/0@{offset}" for offset in range(5, 5 + len(POISON))
    ]
    for one, words in zip(rejects, POISON.values(), strict=True):
        assert words in str(one.reasons), one.reasons
    position = StreamPosition.objects.get()
    assert (position.taken, position.rejected, position.lag) == (20, len(POISON), 0)


def test_a_known_id_is_a_repetition_or_with_other_content_a_reject(kafka):
    bank, topic = source(), kafka.topic()
    again, other = said(payment(1)), said(payment(1, amount=999))
    kafka.send(topic, [*payments(0, 3), (None, again), (None, other), (None, again)])
    read_until(kafka, bank, topic, lambda: RejectedRecord.objects.exists())
    assert stored() == Decision.objects.count() == 3
    [reject] = RejectedRecord.objects.all()
    assert reject.place == f"{topic}/0@4"
    assert reject.reasons == {"transaction_id": "is already known with other content"}
    assert reject.record["amount"] == 999


def test_without_a_time_of_its_own_a_payment_happened_when_the_broker_says(kafka):
    bank, topic = source(), kafka.topic(retention_ms="-1")  # it is old
    record = payment(1)
    del record["timestamp"]
    kafka.send(topic, [(None, said(record))], timestamp=1_780_000_000_000)
    read_until(kafka, bank, topic, lambda: stored() == 1)
    assert Transaction.objects.get().event_time.timestamp() == 1_780_000_000


def test_a_message_sent_beyond_the_calendar_stops_nobody(kafka):
    """Senders write that number, some in microseconds; brokers before 4.0 take any."""
    bank, topic = source(), kafka.topic(retention_ms="-1")
    late = payment(1)
    del late["timestamp"]
    for sent_at in (1_780_000_000_000_000, 2**62):
        kafka.send(
            topic, [(None, said(late | {"transaction_id": f"{sent_at}"}))], timestamp=sent_at
        )
    kafka.send(topic, payments(2, 1))
    read_until(kafka, bank, topic, lambda: stored() == 3)
    assert ids() == ["1780000000000000", f"{2**62}", "t2"]
    times = Transaction.objects.order_by("pk").values_list("event_time", flat=True)
    assert all(timezone.now() - one < timedelta(minutes=5) for one in times[:2])


def test_a_reader_that_was_overtaken_stores_nothing_and_goes_on_behind(kafka):
    bank, topic = source(), kafka.topic()
    kafka.send(topic, payments(0, 10))
    steps: list[int] = []

    def holds() -> bool:
        # Before its first batch somebody else reads six of the messages.
        if StreamPosition.objects.exists() and not steps:
            steps.append(StreamPosition.objects.update(next_offset=6))
        return stored() == 4

    read_until(kafka, bank, topic, holds)
    assert ids() == ["t6", "t7", "t8", "t9"]


def test_what_the_broker_deleted_unread_is_counted_and_reading_goes_on(kafka):
    bank, topic = source(), kafka.topic()
    kafka.send(topic, payments(0, 3))
    read_until(kafka, bank, topic, lambda: stored() == 3)
    kafka.send(topic, payments(3, 7))
    kafka.delete_before(topic, 8)
    read_until(kafka, bank, topic, lambda: stored() == 5)
    assert ids() == ["t0", "t1", "t2", "t8", "t9"]
    assert StreamPosition.objects.get().missed == 5


def test_a_topic_made_anew_is_read_from_its_beginning_and_known_ids_stay_one(kafka):
    bank, topic = source(), kafka.topic()
    kafka.send(topic, payments(0, 8))
    read_until(kafka, bank, topic, lambda: stored() == 8)
    kafka.drop(topic)
    kafka.topic(name=topic)
    kafka.send(topic, payments(6, 4))
    read_until(kafka, bank, topic, lambda: stored() == 10)
    assert ids() == [f"t{number}" for number in range(10)]


def test_while_the_database_is_away_partitions_are_paused_and_nothing_is_lost(kafka, monkeypatch):
    bank, topic = source(), kafka.topic()
    kafka.send(topic, payments(0, 20))
    move, failures = positions.move, []

    def away(moves: dict) -> None:
        if len(failures) < 2:
            failures.append(made.mine.paused)
            raise OperationalError("the server closed the connection")
        move(moves)

    monkeypatch.setattr(positions, "move", away)
    monkeypatch.setattr(consuming.connection, "close", lambda: None)  # it is the test's own
    made = reader(kafka, bank, topic, Until(lambda: stored() == 20, "all are stored"))
    made.run()
    assert failures == [False, True]
    assert not made.mine.paused
    assert Decision.objects.count() == 20


def test_a_message_the_database_refuses_is_set_aside_alone(kafka, monkeypatch):
    bank, topic = source(), kafka.topic()
    kafka.send(topic, payments(0, 9))
    accept = consuming.accepting.accept

    def picky(sent, **more):
        if any(one.record["transaction_id"] == "t4" for one in sent):
            raise ValueError("not this one")
        return accept(sent=sent, **more)

    monkeypatch.setattr(consuming.accepting, "accept", picky)
    read_until(kafka, bank, topic, lambda: stored() == 8)
    [reject] = RejectedRecord.objects.all()
    assert reject.place == f"{topic}/0@4"
    assert reject.reasons == {"record": "could not be stored: ValueError"}
    assert StreamPosition.objects.get().lag == 0
