"""What a payment was decided on is told to topics, if one wants it, in the decision's commit."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from anomalyshield.accounts.models import User
from scoring import current, explaining, retention
from scoring.batch import decide_many
from scoring.engine.features import NAMES, spec_id, widened
from scoring.models import Decision, Delivery, OutboundEvent
from scoring.webhooks import events, vectors
from tests.rest.asking import patch, post
from tests.scoring import making
from tests.scoring.test_deciding import parsed, payment, rest, send
from tests.webhooks.making import endpoint

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lake() -> Any:
    """It pauses: no Kafka is needed to see what waits for it."""
    made = endpoint("kafka:transactions_features", events=[events.FEATURES], state="PAUSED")
    current.forget()
    yield made
    current.forget()


def told() -> dict[str, dict[str, Any]]:
    bodies = [json.loads(one.body) for one in OutboundEvent.objects.all()]
    assert {body["type"] for body in bodies} <= {"features.computed"}
    return {body["data"]["transaction_id"]: body["data"] for body in bodies}


def test_one_or_many_or_a_file_each_payment_is_told_once_with_all_that_decided_it(
    lake: Any,
) -> None:
    send(payment(transaction_id="one"))
    send(payment(transaction_id="one"))  # again, the same: nothing new is decided
    records = {place: payment(transaction_id=f"m{place}", amount=place + 1) for place in range(3)}
    decide_many(
        {place: parsed(one) for place, one in records.items()}, source=rest(), records=records
    )
    making.send(making.csv_of(making.ordinary_rows(5)))
    making.work_through()
    found = told()
    assert len(found) == Decision.objects.count() == OutboundEvent.objects.count() == 9
    for decision in Decision.objects.select_related("transaction__source"):
        data = found[decision.transaction.external_id]
        values = widened(explaining.stored_vector(decision)).tolist()
        assert data["features"] == dict(
            zip(NAMES, (None if value != value else value for value in values), strict=True)
        )
        assert (data["feature_set"], data["model"]) == (spec_id(), decision.model_id)
        assert data["source"] == decision.transaction.source.name
    assert '"u1"' not in json.dumps(found)
    assert Delivery.objects.filter(endpoint=lake).count() == 9


def test_nobody_wants_it_until_somebody_says_so_and_then_within_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send(payment())
    endpoint("kafka:others", events=[events.DECISION_UPDATED])
    endpoint("kafka:transactions_features", events=[events.FEATURES])
    monkeypatch.setattr(current, "FRESH_SECONDS", 0)
    send(payment(transaction_id="t2"))
    assert set(told()) == {"t2"}
    monkeypatch.undo()
    current.forget()


def test_a_decision_that_does_not_commit_is_told_to_nobody(
    lake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors.events, "key_of", lambda paid: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        send(payment())
    assert not Decision.objects.exists()
    assert not OutboundEvent.objects.exists()


def test_what_every_topic_has_is_forgotten_after_a_day(lake: Any) -> None:
    making.send(making.csv_of(making.ordinary_rows(3)))
    making.work_through()
    events.queue(events.ANOMALY, {"decision": 1}, at=timezone.now())
    long_ago = timezone.now() - timedelta(days=2)
    OutboundEvent.objects.update(made_at=long_ago)
    first = Delivery.objects.order_by("pk").first()
    Delivery.objects.filter(pk=first.pk).update(state="DONE", finished_at=long_ago)
    retention.drop_old_bookkeeping()
    assert not OutboundEvent.objects.filter(pk=first.event_id).exists()
    assert (OutboundEvent.objects.count(), Delivery.objects.count()) == (3, 2)
    connection.check_constraints()


def test_an_address_on_the_web_is_not_told_of_every_payment(adam: User, settings: Any) -> None:
    settings.KAFKA_SERVERS = "broker:9092"
    web = {"name": "core", "url": "https://93.184.216.34/hook", "events": ["features.computed"]}
    said = post(adam, "endpoints", web, 400)
    assert "to topics only: kafka:NAME" in str(said)
    made = post(adam, "endpoints", {**web, "url": "kafka:transactions_features"}, 201)
    assert "topics only" in str(patch(adam, f"endpoints/{made['id']}", {"url": web["url"]}, 400))
