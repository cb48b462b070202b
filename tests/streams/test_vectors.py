"""`consume --stage score`: vectors of one topic become scores on another, by the model in force."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from scoring import current
from scoring.engine import features
from scoring.engine.features import NAMES, spec_id
from scoring.engine.history import History
from scoring.models import Decision, RejectedRecord, StreamPosition, Transaction
from scoring.streaming import vectors
from scoring.streaming.connection import Kafka
from scoring.streaming.positions import EARLIEST
from scoring.streaming.vectors import Scorer
from scoring.tasks import do_next, work_named
from scoring.webhooks import events
from tests.engine.streams import crowd
from tests.streams.broker import Broker
from tests.streams.clustering import stream
from tests.streams.reading import Until, processes, read_until, source, wait_for
from tests.streams.test_spark_steps import bank, bundle
from tests.webhooks.making import endpoint

__all__ = ["bank", "bundle"]
pytestmark = [pytest.mark.streams, pytest.mark.django_db(transaction=True)]
VALUES = dict.fromkeys(NAMES)


def crowded(many: int) -> list[dict[str, Any]]:
    """Vectors of people the model has learnt from: some of them are raised."""
    events = crowd(400, days=25)
    rows = features.compute(events, History.of(events))[-many:].tolist()
    values = [[None if one != one else one for one in row] for row in rows]
    return [
        vector(at, features=dict(zip(NAMES, row, strict=True))) for at, row in enumerate(values)
    ]


def vector(number: int, **more: Any) -> dict[str, Any]:
    data = {
        "transaction_id": f"v{number}",
        "source": "elsewhere",
        "event_time": "2026-10-01T12:00:00+00:00",
        "feature_set": spec_id(),
        "features": {**VALUES, "amount_log": float(number)},
    }
    return {"type": "features.computed", "data": {**data, **more}}


def said(value: Any) -> bytes:
    return json.dumps(value).encode()


def score(kafka: Broker, bank: Any, topic: str, out: str, holds: Any, **more: Any) -> None:
    settings = Kafka(kafka.servers, (topic,), group=f"of {topic}", start=EARLIEST)
    Scorer(bank, settings, Until(holds, f"scoring {topic}"), out=out, **more).run()


def taken(topic: str) -> int:
    return sum(one.taken for one in StreamPosition.objects.filter(topic=topic))


def told(kafka: Broker, topic: str, many: int) -> dict[str, dict[str, Any]]:
    found = [json.loads(one.value())["data"] for one in kafka.read(topic, many, seconds=8)]
    return {one["transaction_id"]: one for one in found}


def test_vectors_that_the_platform_tells_get_the_scores_it_gave(own_kafka: Broker, bank) -> None:
    kafka, out = own_kafka, own_kafka.topic()
    vectors_in = kafka.topic()
    endpoint(f"kafka:{vectors_in}", events=[events.FEATURES])
    current.forget()
    topic = kafka.topic()
    kafka.send(topic, [("one user", value) for value in stream(60)])
    read_until(kafka, bank, topic, lambda: Decision.objects.count() == 60)
    while do_next(work_named("delivery")):
        pass
    decisions = {one.transaction.external_id: one for one in Decision.objects.all()}
    many = len(decisions)
    score(kafka, bank, vectors_in, out, lambda: taken(vectors_in) == many, every=True)
    found = told(kafka, out, many)
    assert found.keys() == decisions.keys()
    for id, one in decisions.items():
        assert found[id]["risk_score"] == pytest.approx(one.risk_score, abs=1e-12), id
        assert (found[id]["model"], found[id]["policy"]) == (one.model_id, one.policy_id)
    assert Transaction.objects.count() == many, "a vector is no payment"


def test_only_what_is_raised_is_told_and_in_the_order_of_its_key(own_kafka: Broker, bank) -> None:
    kafka, topic, out = own_kafka, own_kafka.topic(), own_kafka.topic()
    kafka.send(topic, [("u", said(one)) for one in crowded(300)])
    score(kafka, bank, topic, out, lambda: taken(topic) == 300, every=True)
    levels = {id: one["level"] for id, one in told(kafka, out, 300).items()}
    raised = [id for id, level in levels.items() if level in ("HIGH", "CRITICAL")]
    assert 0 < len(raised) < 300, "the model tells them apart"
    StreamPosition.objects.filter(topic=topic).update(next_offset=0)
    again = kafka.topic()
    score(kafka, bank, topic, again, lambda: taken(topic) == 600)
    assert list(told(kafka, again, 300)) == raised
    assert {one.key() for one in kafka.read(again, len(raised))} == {b"u"}


BAD = {
    b"\xff": "record",
    b'{"type": "features.computed"}': "data/features",
    said(vector(1, feature_set="of another release")): "data/feature_set",
    said(vector(1, transaction_id=None)): "data/transaction_id",
    said(vector(1, features={"amount_log": 1.0})): "data/features/",
    said(vector(1, features={**VALUES, NAMES[3]: "lots"})): f"data/features/{NAMES[3]}",
}


def test_what_is_no_vector_is_set_aside_with_its_place(own_kafka: Broker, bank) -> None:
    kafka, topic, out = own_kafka, own_kafka.topic(), own_kafka.topic()
    bad: list[tuple[str | None, bytes]] = [(None, value) for value in BAD]
    kafka.send(topic, [(None, said(vector(1))), *bad, (None, said(vector(2)))])
    score(kafka, bank, topic, out, lambda: taken(topic) == len(BAD) + 2, every=True)
    rejects = list(RejectedRecord.objects.order_by("pk"))
    assert [one.place for one in rejects] == [f"{topic}/0@{n + 1}" for n in range(len(BAD))]
    for one, field in zip(rejects, BAD.values(), strict=True):
        assert str(next(iter(one.reasons))).startswith(field), one.reasons
    assert set(told(kafka, out, 3)) == {"v1", "v2"}


def test_a_killed_service_tells_again_under_the_same_id_and_loses_nothing(
    own_kafka: Broker, bank, settings, tmp_path
) -> None:
    kafka, out = own_kafka, own_kafka.topic()
    topic = kafka.topic()
    kafka.send(topic, [(None, said(vector(number))) for number in range(200)])
    words = ["consume", "bank", "--topic", topic, "--stage", "score", "--out", out, "--every"]
    words += ["--start", "earliest"]
    env = {"KAFKA_SERVERS": kafka.servers, "SECRET_KEY": settings.SECRET_KEY}
    env["ANOMALYSHIELD_VAR"] = str(settings.BUNDLES.parent)
    with processes(tmp_path) as run:
        first = run.start(*words, faults="stream.told=kill9", **env)
        wait_for(lambda: first.poll() is not None, "it is killed")
        assert taken(topic) == 0, run.words()
        run.start(*words, **env)
        wait_for(lambda: taken(topic) == 200, "the other goes on")
    messages = kafka.read(out, 401, seconds=5)
    ids = {dict(one.headers())["id"]: json.loads(one.value())["data"] for one in messages}
    assert len(messages) > len(ids) == 200, "those told twice came with the same id"
    assert {one["transaction_id"] for one in ids.values()} == {f"v{n}" for n in range(200)}


def test_while_no_model_is_in_service_vectors_wait(own_kafka: Broker, monkeypatch) -> None:
    bank = source()
    current.forget()
    kafka, topic, out = own_kafka, own_kafka.topic(), own_kafka.topic()
    kafka.send(topic, [(None, said(vector(1)))])
    asked: list[int] = []
    seen = current.current_scorer
    monkeypatch.setattr(vectors, "current_scorer", lambda: asked.append(1) or seen())
    score(kafka, bank, topic, out, lambda: len(asked) > 2)
    assert taken(topic) == 0
    current.forget()


def test_what_cannot_be_done_is_said_before_anything_is_read(settings) -> None:
    source()
    settings.KAFKA_SERVERS = ""
    words = ["consume", "bank", "--stage", "score", "--servers", "127.0.0.1:9"]
    with pytest.raises(CommandError, match="KAFKA_SERVERS is empty"):
        call_command(*words)
    settings.KAFKA_SERVERS = "127.0.0.1:9"
    with pytest.raises(CommandError, match="read and told at once"):
        call_command(*words, "--out", "transactions_features")
