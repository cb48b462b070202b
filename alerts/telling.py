"""Tells upstream what routing did: every decision it looked at, and every alert it opened."""

from collections.abc import Sequence

from alerts.models import Alert
from scoring.models import Decision
from scoring.webhooks import events
from scoring.webhooks.events import News


def routed(decisions: Sequence[Decision], opened: Sequence[Alert]) -> None:
    """Queue both, in the transaction of the routing: what is rolled back is told to nobody."""
    events.queue_all(
        {
            events.ANOMALY: lambda: [events.anomaly(decision) for decision in decisions],
            events.ALERT: lambda: [_opened(alert) for alert in opened],
        }
    )


def _opened(alert: Alert) -> News:
    data = {
        "alert": alert.pk,
        "queue": alert.queue.name,
        "typology": alert.typology or None,
        "entity_kind": alert.entity_kind,
        "level": alert.level,
        "risk_score": alert.risk_score,
        "reason_codes": alert.reason_codes,
        "payments": alert.hit_count,
        "decision": alert.decision_id,
        "transaction_id": alert.transaction.external_id,
        "source": alert.transaction.source.name,
        "due_at": alert.due_at.isoformat() if alert.due_at else None,
        "href": f"/api/v1/alerts/{alert.pk}",
    }
    return News(data, events.key_of(alert.transaction.user_key), alert.created_at)
