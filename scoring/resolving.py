"""Held payments released, declined and held again: each step a row, and an event for upstream."""

from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from anomalyshield.templatetags.words import within
from scoring.engine.decision import Outcome
from scoring.models import Decision, Delivery, Label, Resolution
from scoring.webhooks import events

State = Resolution.State


class Final(Exception):
    """It cannot be taken back any more; the message is a sentence for the person who asked."""


def standing(decision: Decision) -> Resolution | None:
    """The last word on it; None while nobody has said anything."""
    return decision.resolutions.order_by("-pk").first()


@transaction.atomic
def resolve(
    *, by: Any, decision: Decision, state: str, reason: Label.Value | None, behind: str
) -> Resolution | None:
    """Release or decline what the decision holds, and queue `decision.updated` for upstream.

    No `reason` where nobody said what it was. None when it approved the payment at once: there
    is nothing to release. HELD is a step as well: the review ended and the payment stays where
    it is.
    """
    decision = _locked(decision)
    if decision.outcome == Outcome.APPROVE:
        return None
    return _step(
        decision,
        standing(decision),
        state=State(state),
        by=_person(by),
        reason=reason.value if reason else "",
        behind=behind,
    )


@transaction.atomic
def revise(
    *, by: Any, decision: Decision, state: str, reason: Label.Value, behind: str
) -> Resolution | None:
    """As `resolve`, after something else was said of it: None when that meant the same.

    Raises Final when an upstream system holds what it was told to be final.
    """
    decision = _locked(decision)
    latest = standing(decision)
    if decision.outcome == Outcome.APPROVE or state == (latest.state if latest else State.HELD):
        return None
    if latest is not None:
        _recall(latest)
    by = _person(by)
    said = {"state": State(state), "by": by, "reason": reason.value, "behind": behind}
    return _step(decision, latest, **said)


@transaction.atomic
def reverse(*, by: Any, resolution: Resolution, behind: str) -> Resolution:
    """Put it back to what it was before, and queue the event that says so.

    Raises Final when the payment moved on meanwhile, or when an upstream system holds what it was
    told to be final. What was not sent yet is not sent any more, only its reversal is.
    """
    decision = _locked(resolution.decision)
    latest = standing(decision)
    if latest != resolution:
        raise Final(_("The payment was resolved again meanwhile."))
    _recall(resolution)
    before = resolution.follows
    return _step(
        decision,
        resolution,
        state=State(before.state) if before else State.HELD,
        by=_person(by),
        reason=before.reason if before else "",
        behind=behind,
        is_reversal=True,
    )


def _step(decision: Decision, latest: Resolution | None, **said: Any) -> Resolution:
    made = Resolution.objects.create(decision=decision, follows=latest, **said)
    events.decision_updated(made, previous=latest.state if latest else State.HELD)
    return made


def _recall(resolution: Resolution) -> None:
    """Keep back what was not tried yet; refuse when it was taken as final, or might be just now."""
    deliveries = Delivery.objects.filter(event__resolution=resolution)
    for one in deliveries.select_for_update(of=("self",)).select_related("endpoint"):
        told = within(Resolution.State(resolution.state).label)
        if one.final:
            raise Final(
                _("{endpoint} took “{told}” as final. Settle it there, by hand.").format(
                    endpoint=one.endpoint, told=told
                )
            )
        if one.state == Delivery.State.RUNNING and events.is_final(one.endpoint, resolution):
            raise Final(
                _("{endpoint} is being told “{told}” at this moment. Try once more.").format(
                    endpoint=one.endpoint, told=told
                )
            )
    untold = deliveries.filter(tries=0, state__in=[Delivery.State.READY, Delivery.State.WAITING])
    untold.update(state=Delivery.State.CANCELLED, said="taken back before it was sent")


def _locked(decision: Decision) -> Decision:
    """Of two people at once the second waits, and then sees what the first one did."""
    locked = Decision.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related("transaction__source").get(pk=decision.pk)


def _person(by: Any) -> Any:
    return by if isinstance(by, models.Model) else None
