"""What upstream systems can be told, and how it is queued beside what it tells of.

A body is thin: ids and states, no person. Who wants more asks `GET /api/v1/decisions/{id}`.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield import bell
from scoring.models import Decision, Delivery, Endpoint, OutboundEvent, Resolution
from scoring.webhooks import outbox
from scoring.webhooks.outbox import Letter

DECISION_UPDATED = "decision.updated"
ANOMALY, ALERT = "anomaly.detected", "alert.raised"
FEATURES = "features.computed"  # scoring/current.py asks by this name whether anybody wants it
TESTED = "endpoint.tested"
# Those one subscribes to, and what they mean. A test is sent to whoever asks for it.
EVENTS = {
    DECISION_UPDATED: _lazy("A held payment was released, declined, or is held again"),
    ANOMALY: _lazy("A payment was decided otherwise than approved"),
    ALERT: _lazy("An alert was opened"),
    FEATURES: _lazy("A payment was decided: all its features; for topics only"),
}


@dataclass(frozen=True)
class News:
    """What is told: its content, and whose it is. Events with one key keep their order."""

    data: dict[str, Any]
    key: str
    at: datetime


def decisions_updated(steps: Sequence[tuple[Resolution, int]]) -> None:
    """Queue what these steps did, each with its number, in the caller's transaction.

    `sequence` counts the steps of one decision: of two events the higher one holds, in whatever
    order they arrive.
    """
    events = [_updated(resolution, sequence) for resolution, sequence in steps]
    OutboundEvent.objects.bulk_create(events)
    if events:
        _address(events, list(Endpoint.objects.subscribed_to(DECISION_UPDATED)))


def _updated(resolution: Resolution, sequence: int) -> OutboundEvent:
    decision, before = resolution.decision, resolution.follows
    data = {
        "decision": decision.pk,
        "transaction_id": decision.transaction.external_id,
        "source": decision.transaction.source.name,
        "outcome": decision.outcome,
        "state": resolution.state,
        "previous": before.state if before else Resolution.State.HELD,
        "sequence": sequence,
        "reason": resolution.reason or None,
        "reversal": resolution.is_reversal,
        "href": f"/api/v1/decisions/{decision.pk}",
    }
    body = _body(DECISION_UPDATED, data, resolution.at)
    key = key_of(decision.transaction.user_key)
    return OutboundEvent(type=DECISION_UPDATED, body=body, resolution=resolution, key=key)


def anomaly(decision: Decision) -> News:
    """What is told of a decision that was no approval; it comes with its payment and source."""
    paid = decision.transaction
    data = {
        "decision": decision.pk,
        "transaction_id": paid.external_id,
        "source": paid.source.name,
        "risk_score": decision.risk_score,
        "probability": decision.probability,
        "level": decision.level,
        "outcome": decision.outcome,
        "reason_codes": decision.reason_codes,
        "degraded": decision.degraded or None,
        "model": decision.model_id,
        "event_time": paid.event_time.isoformat(),
        "href": f"/api/v1/decisions/{decision.pk}",
    }
    return News(data, key_of(paid.user_key), decision.decided_at)


def key_of(user_key: int) -> str:
    """The same for all payments of one user, without saying who it is."""
    return f"{user_key & (2**64 - 1):016x}"


def queue_all(made: Mapping[str, Callable[[], Iterable[News]]], *, ring: bool = True) -> None:
    """Queue many events by type, in the caller's transaction, for whoever subscribed.

    What nobody subscribed to is not even made. Without `ring` workers find them by themselves.
    """
    listening = list(Endpoint.objects.filter(events__overlap=list(made)))
    for type, news in made.items():
        if endpoints := [one for one in listening if type in one.events]:
            letters = (Letter(_body(type, one.data, one.at), one.key) for one in news())
            if outbox.put(type, letters, endpoints) and ring:
                bell.leave("delivery")


def heard(type: str) -> str:
    """When somebody is told of it: "now", "later" while every endpoint pauses, "" for never."""
    states = set(Endpoint.objects.subscribed_to(type).values_list("state", flat=True))
    if Endpoint.State.ACTIVE in states:
        return "now"
    return "later" if states else ""


def tested(endpoint: Endpoint) -> OutboundEvent:
    """Queue a harmless event, so that somebody can see that everything fits."""
    event = _made(TESTED, {"endpoint": endpoint.name}, timezone.now(), None)
    _address([event], [endpoint])
    return event


def queue(
    type: str,
    data: dict[str, Any],
    *,
    at: datetime,
    resolution: Resolution | None = None,
    key: str = "",
) -> OutboundEvent:
    """Write it down for every endpoint that subscribed; those that pause get it later."""
    event = _made(type, data, at, resolution, key)
    _address([event], list(Endpoint.objects.subscribed_to(type)))
    return event


def is_final(endpoint: Endpoint, resolution: Resolution | None) -> bool:
    """Does this upstream hold that state to be final as soon as it has been told?"""
    if resolution is None:
        return False
    if endpoint.finality == Endpoint.Finality.DECLINED:
        return resolution.state == Resolution.State.DECLINED
    return endpoint.finality == Endpoint.Finality.ANY


def _made(
    type: str, data: dict[str, Any], at: datetime, resolution: Resolution | None, key: str = ""
) -> OutboundEvent:
    body = _body(type, data, at)
    return OutboundEvent.objects.create(type=type, body=body, resolution=resolution, key=key)


def _body(type: str, data: dict[str, Any], at: datetime) -> str:
    return json.dumps({"type": type, "timestamp": at.isoformat(), "data": data})


def _address(events: Sequence[OutboundEvent], endpoints: Sequence[Endpoint]) -> None:
    made = [
        Delivery(event=event, endpoint=one, state=outbox.state_for(one))
        for event in events
        for one in endpoints
    ]
    Delivery.objects.bulk_create(made)
    if made:
        bell.leave("delivery")
