"""A verdict is known of the payment's user, card, device and merchant with its own commit."""

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from alerts import triage
from scoring import deciding, history
from scoring.engine.history import KINDS, Rows
from scoring.engine.keys import folded_key
from scoring.engine.transaction import Defaults, parse
from scoring.models import EntityFraud, Source
from tests.alerts import making

pytestmark = pytest.mark.django_db(transaction=True)
FRAUD = "TRUE_POSITIVE_FRAUD"


def detect(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> Rows:
    """Known frauds that the decision of one request was handed."""
    handed: list[Rows] = []
    read = history.read_now

    def noted(event: Rows) -> tuple[history.History, datetime]:
        past, known_at = read(event)
        handed.append(past.frauds)
        return past, known_at

    monkeypatch.setattr(history, "read_now", noted)
    record = {"amount": "12.50", "timestamp": timezone.now().isoformat(), **fields}
    found = parse(record, defaults=Defaults("USD", "USD", "UTC", timezone.now()))
    source = Source.objects.get_or_create(name="rest", defaults={"kind": "rest"})[0]
    deciding.decide_one(found, source=source, record=record)
    monkeypatch.undo()
    return handed[0]


def seen_from_outside() -> int:
    with psycopg.connect(**connection.get_connection_params()) as apart:
        return apart.execute("SELECT count(*) FROM scoring_entityfraud").fetchone()[0]


def test_the_next_payment_of_the_merchant_meets_the_verdict(ana, monkeypatch):
    cards = making.queue("cards", ana)
    alert = making.alert(cards, merchant_name="Café", merchant_key=folded_key("Café"))
    other = {"transaction_id": "n1", "user_id": "somebody else", "merchant": "Café"}
    assert len(detect(monkeypatch, **other)) == 0
    alert = triage.decide(by=ana, alert=alert, disposition=FRAUD)
    [row] = detect(monkeypatch, **{**other, "transaction_id": "n2"})
    assert (row["kind"], row["id"]) == (KINDS["merchant"], alert.transaction.pk)
    triage.undo(by=ana, alert=alert)
    [row] = detect(monkeypatch, **{**other, "transaction_id": "n3"})
    assert row["until"] < history.FOREVER, "from now on it is nobody's fraud"


def test_a_verdict_is_known_with_its_commit_and_not_before(ana):
    cards = making.queue("cards", ana)
    with transaction.atomic():
        triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD)
        assert seen_from_outside() == 0
    assert seen_from_outside() == 1
    assert EntityFraud.objects.get().recorded_at > timezone.now() - timedelta(seconds=2)
