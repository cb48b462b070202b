"""From a reviewable decision to an alert in a queue: exactly once, whoever asks and how often."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from alerts.models import Alert, Queue
from scoring.models import Decision

BATCH = 500  # decisions turned into alerts per transaction
UNITS = 10_000  # `amount_units` are ten-thousandths of the base currency


def raise_alerts(decision_ids: Sequence[int]) -> int:
    """Put those of these decisions that want a person and have no alert into a queue.

    Returns how many were routed. Calling it twice, or from two processes at once, changes nothing:
    the rows are locked, the unique decision of an alert decides, and `routed_at` commits with it.
    """
    ids = list(decision_ids)
    return sum(_route(ids[start : start + BATCH]) for start in range(0, len(ids), BATCH))


def sweep() -> int:
    """Raise the alerts that no announcement raised. Run every 2 s; safe beside any other sweep."""
    routed = 0
    while count := _route(None):
        routed += count
        if count < BATCH:
            break
    return routed


@transaction.atomic
def _route(ids: list[int] | None) -> int:
    decisions = _claim(ids)
    if not decisions:
        return 0
    queue, now = default_queue(), timezone.now()
    alerts = [alert_of(decision, queue=queue, now=now) for decision in decisions]
    Alert.objects.bulk_create(alerts, ignore_conflicts=True)
    return Decision.objects.filter(pk__in=[d.pk for d in decisions]).update(routed_at=now)


def _claim(ids: list[int] | None) -> list[Decision]:
    unrouted = Decision.objects.unrouted().select_related("transaction").order_by("pk")
    if ids is not None:
        unrouted = unrouted.filter(pk__in=ids)
    # SKIP LOCKED: a row held by someone else is being routed by them, or swept if they die.
    return list(unrouted.select_for_update(skip_locked=True, of=("self",))[:BATCH])


def alert_of(decision: Decision, *, queue: Queue, now: datetime) -> Alert:
    """The unsaved alert of a decision; what the queue page sorts and shows is copied onto it."""
    payment = decision.transaction
    return Alert(
        decision=decision,
        transaction=payment,
        queue=queue,
        level=decision.level,
        risk_score=decision.risk_score,
        expected_loss=expected_loss(payment.amount_units, decision.risk_score),
        amount=payment.amount,
        currency=payment.currency,
        user_id=payment.user_id,
        reason_codes=decision.reason_codes,
        created_at=now,
        due_at=now + timedelta(minutes=queue.sla_minutes),
    )


def expected_loss(units: int, score: float) -> Decimal:
    """Amount × risk score in the base currency; without a score the whole amount is at risk."""
    share = Decimal(repr(score)) if math.isfinite(score) else Decimal(1)
    return (Decimal(units) / UNITS * share).quantize(Decimal("0.0001"))


def default_queue() -> Queue:
    """The queue that takes what no other one claims: the last route always matches."""
    queue = Queue.objects.filter(is_default=True).first() or Queue.objects.order_by("pk").first()
    if queue is None:
        queue, _ = Queue.objects.get_or_create(
            is_default=True, defaults={"name": "Fraud review", "slug": "fraud-review"}
        )
    return queue
