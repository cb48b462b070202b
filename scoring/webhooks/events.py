"""What upstream systems can be told, and how it is queued beside what it tells of.

A body is thin: ids and states, no person. Who wants more asks `GET /api/v1/decisions/{id}`.
"""

import json
from datetime import datetime
from typing import Any

from django.utils import timezone

from anomalyshield import bell
from scoring.models import Delivery, Endpoint, OutboundEvent, Resolution

DECISION_UPDATED = "decision.updated"
TESTED = "endpoint.tested"
# Those one subscribes to, and what they mean. A test is sent to whoever asks for it.
EVENTS = {DECISION_UPDATED: "A held payment was released, declined, or is held again"}


def decision_updated(resolution: Resolution, *, previous: str) -> OutboundEvent:
    """Queue what a step did, in the caller's transaction.

    `sequence` counts the steps of one decision: of two events the higher one holds, in whatever
    order they arrive.
    """
    decision = resolution.decision
    data = {
        "decision": decision.pk,
        "transaction_id": decision.transaction.external_id,
        "source": decision.transaction.source.name,
        "outcome": decision.outcome,
        "state": resolution.state,
        "previous": previous,
        "sequence": decision.resolutions.count(),
        "reason": resolution.reason or None,
        "reversal": resolution.is_reversal,
        "href": f"/api/v1/decisions/{decision.pk}",
    }
    return queue(DECISION_UPDATED, data, at=resolution.at, resolution=resolution)


def heard(type: str) -> str:
    """When somebody is told of it: "now", "later" while every endpoint pauses, "" for never."""
    states = set(Endpoint.objects.subscribed_to(type).values_list("state", flat=True))
    if Endpoint.State.ACTIVE in states:
        return "now"
    return "later" if states else ""


def tested(endpoint: Endpoint) -> OutboundEvent:
    """Queue a harmless event, so that somebody can see that everything fits."""
    event = _made(TESTED, {"endpoint": endpoint.name}, timezone.now(), None)
    _address(event, [endpoint])
    return event


def queue(
    type: str, data: dict[str, Any], *, at: datetime, resolution: Resolution | None = None
) -> OutboundEvent:
    """Write it down for every endpoint that subscribed; those that pause get it later."""
    event = _made(type, data, at, resolution)
    _address(event, list(Endpoint.objects.subscribed_to(type)))
    return event


def is_final(endpoint: Endpoint, resolution: Resolution | None) -> bool:
    """Does this upstream hold that state to be final as soon as it has been told?"""
    if resolution is None:
        return False
    if endpoint.finality == Endpoint.Finality.DECLINED:
        return resolution.state == Resolution.State.DECLINED
    return endpoint.finality == Endpoint.Finality.ANY


def _made(
    type: str, data: dict[str, Any], at: datetime, resolution: Resolution | None
) -> OutboundEvent:
    body = json.dumps({"type": type, "timestamp": at.isoformat(), "data": data})
    return OutboundEvent.objects.create(type=type, body=body, resolution=resolution)


def _address(event: OutboundEvent, endpoints: list[Endpoint]) -> None:
    ready, waiting = Delivery.State.READY, Delivery.State.WAITING
    active = Endpoint.State.ACTIVE
    Delivery.objects.bulk_create(
        Delivery(event=event, endpoint=one, state=ready if one.state == active else waiting)
        for one in endpoints
    )
    if endpoints:
        bell.leave("delivery")
