"""From the outbox to the endpoints: at least once, with the same webhook-id each time."""

import logging
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from anomalyshield import faults, leases
from anomalyshield.audit.record import record
from anomalyshield.finishing import advance_all, finish_all
from scoring.models import Delivery, Endpoint
from scoring.webhooks import events, signing
from scoring.webhooks.channels import Channel, channel_of
from scoring.webhooks.sending import Answer

log = logging.getLogger(__name__)
JITTER = 0.2  # so that those of one outage do not come back in one moment
PATIENCE = timedelta(days=5)  # then an endpoint that only fails is stopped
TROUBLED = 3  # failures in a row before an endpoint is left alone for a while …
REST = timedelta(seconds=30)  # … for so long, doubled each time up to the channel's longest


def perform(delivery: Delivery) -> None:
    perform_all([delivery])


def perform_all(deliveries: list[Delivery]) -> None:
    """Send them at the same time, then write down what came of each.

    A process killed between the two sends once more, with the same id; receivers know by it.
    """
    letters: dict[Channel, list[tuple[Delivery, Any]]] = {}
    for one in _mine(deliveries):
        if (letter := _letter(one)) is not None:
            letters.setdefault(channel_of(one.endpoint.url), []).append((one, letter))
    answers = [
        (delivery, answer)
        for channel, sent in letters.items()
        for (delivery, _), answer in zip(sent, _sent_by(channel, sent), strict=True)
    ]
    faults.point("delivery.sent")
    if all(answer.delivered for _, answer in answers) and _noted_together(answers):
        return
    for delivery, answer in answers:
        try:
            note(delivery, answer)
        except leases.LeaseLost as lost:
            log.warning("%s", lost)


def _noted_together(answers: Sequence[tuple[Delivery, Answer]]) -> bool:
    """All were taken: one statement says so. If one is no longer ours, each speaks for itself."""
    if not answers:
        return True
    now = timezone.now().isoformat()
    changes = [
        {**_tried(one, answer), "sent_at": now, "final": _final(one, answer)}
        for one, answer in answers
    ]
    try:
        with transaction.atomic():
            finish_all([delivery for delivery, _ in answers], changes)
            for endpoint in {delivery.endpoint for delivery, _ in answers}:
                _well(endpoint)
    except leases.LeaseLost:
        return False
    return True


def _sent_by(channel: Channel, sent: list[tuple[Delivery, Any]]) -> list[Answer]:
    answers: list[Answer] = channel.module.send_all([letter for _, letter in sent])
    return answers


def _mine(deliveries: list[Delivery]) -> list[Delivery]:
    """Those still held by this process, with all that is sent."""
    advance_all(deliveries)
    related = Delivery.objects.select_related("event__resolution", "endpoint")
    return list(related.filter(pk__in=[one.pk for one in deliveries]).order_by("pk"))


def _letter(delivery: Delivery) -> Any:
    """What is sent; None when not now: the endpoint pauses or rests."""
    endpoint, now = delivery.endpoint, timezone.now()
    if endpoint.state != Endpoint.State.ACTIVE:
        leases.hold(delivery)
    elif endpoint.rest_until and endpoint.rest_until > now:
        leases.postpone(delivery, _jittered((endpoint.rest_until - now).total_seconds()))
    else:
        try:
            return channel_of(endpoint.url).module.letter(delivery, now)
        except signing.SecretLost as lost:
            note(delivery, Answer(None, str(lost)))
    return None


@transaction.atomic
def note(delivery: Delivery, answer: Answer) -> None:
    """Write down what came of one try, and when there is another."""
    told = {**_tried(delivery, answer), "sent_at": timezone.now()}
    if answer.delivered:
        leases.finish(delivery, final=_final(delivery, answer), **told)
        _well(delivery.endpoint)
        return
    pauses = channel_of(delivery.endpoint.url).module.PAUSES
    if answer.gone or delivery.tries >= len(pauses):
        leases.advance(delivery, **told)
        leases.quarantine(delivery, answer.said)
    else:
        pause = max(_jittered(pauses[delivery.tries]), answer.retry_after)
        leases.postpone(delivery, pause, **told)
    _badly(delivery.endpoint, answer)


def _tried(delivery: Delivery, answer: Answer) -> dict[str, Any]:
    return {"tries": delivery.tries + 1, "status": answer.status, "said": answer.said}


def _final(delivery: Delivery, answer: Answer) -> bool:
    about = delivery.event.resolution
    return about is not None and (answer.final or events.is_final(delivery.endpoint, about))


def _well(endpoint: Endpoint) -> None:
    """All is well again: letters that only waited for the rest to end, never tried, go now."""
    troubled = Endpoint.objects.filter(pk=endpoint.pk, failures__gt=0)
    if troubled.update(failures=0, failing_since=None, rest_until=None):
        held = endpoint.deliveries.filter(state=Delivery.State.READY, tries=0, due_at__gt=Now())
        held.update(due_at=Now())


def _badly(endpoint: Endpoint, answer: Answer) -> None:
    Endpoint.objects.filter(pk=endpoint.pk).update(failures=F("failures") + 1)
    endpoint = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
    now = timezone.now()
    endpoint.failing_since = endpoint.failing_since or now
    if endpoint.failures >= TROUBLED:
        # Bounded before it is raised to a power, which a year of failures would overflow.
        doubled = REST * 2 ** min(endpoint.failures - TROUBLED, 10)
        longest = timedelta(seconds=channel_of(endpoint.url).longest_rest)
        endpoint.rest_until = now + min(doubled, longest)
    endpoint.save(update_fields=["failing_since", "rest_until"])
    if answer.gone:
        stop(endpoint, "It answered 410 Gone: nobody wants these events there any more.")
    elif now - endpoint.failing_since > PATIENCE:
        stop(endpoint, f"Nothing was delivered for {PATIENCE.days} days: {answer.said}.")


def stop(endpoint: Endpoint, why: str) -> None:
    """Send nothing more there until a person says so; what is queued waits."""
    active = Endpoint.objects.filter(pk=endpoint.pk, state=Endpoint.State.ACTIVE)
    if not active.update(state=Endpoint.State.STOPPED, stopped_because=why[:200]):
        return
    endpoint.deliveries.filter(state=Delivery.State.READY).update(state=Delivery.State.WAITING)
    record(by="worker", action="endpoint.stopped", object=endpoint, reason=why)


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(1, 1 + JITTER)  # noqa: S311
