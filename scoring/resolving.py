"""Held payments released, declined and held again: each step a row, and an event for upstream."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

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


class Wish(NamedTuple):
    """What is to become of a payment, and what it was; no `reason` where nobody said."""

    decision: Decision
    state: str
    reason: Label.Value | None = None


@transaction.atomic
def resolve(
    *, by: Any, decision: Decision, state: str, reason: Label.Value | None, behind: str
) -> Resolution | None:
    """Release or decline what the decision holds, and queue `decision.updated` for upstream.

    No `reason` where nobody said what it was. None when it approved the payment at once: there
    is nothing to release. HELD is a step as well: the review ended and the payment stays where
    it is.
    """
    return resolve_all(by=by, wishes=[Wish(decision, state, reason)], behind=behind)[0]


@transaction.atomic(savepoint=False)
def resolve_all(*, by: Any, wishes: Sequence[Wish], behind: str) -> list[Resolution | None]:
    """As `resolve`, for each of them, in as many statements as for one."""
    held = _locked([wish.decision.pk for wish in wishes])
    steps, by = _steps(held), _person(by)
    made = [
        None
        if held[wish.decision.pk].outcome == Outcome.APPROVE
        else Resolution(
            decision=held[wish.decision.pk],
            follows=next(iter(steps[wish.decision.pk]), None),
            state=State(wish.state),
            by=by,
            reason=wish.reason.value if wish.reason else "",
            behind=behind,
        )
        for wish in wishes
    ]
    _store([one for one in made if one is not None], steps)
    return made


@transaction.atomic
def revise(
    *, by: Any, decision: Decision, state: str, reason: Label.Value, behind: str
) -> Resolution | None:
    """As `resolve`, after something else was said of it: None when that meant the same.

    Raises Final when an upstream system holds what it was told to be final.
    """
    decision, steps = _held(decision)
    latest = next(iter(steps), None)
    if decision.outcome == Outcome.APPROVE or state == (latest.state if latest else State.HELD):
        return None
    if latest is not None:
        _recall(latest)
    by = _person(by)
    said = {"state": State(state), "by": by, "reason": reason.value, "behind": behind}
    return _step(decision, steps, **said)


@transaction.atomic
def reverse(*, by: Any, resolution: Resolution, behind: str) -> Resolution:
    """Put it back to what it was before, and queue the event that says so.

    Raises Final when the payment moved on meanwhile, or when an upstream system holds what it was
    told to be final. What was not sent yet is not sent any more, only its reversal is.
    """
    decision, steps = _held(resolution.decision)
    if next(iter(steps), None) != resolution:
        raise Final(_("The payment was resolved again meanwhile."))
    _recall(resolution)
    before = resolution.follows
    return _step(
        decision,
        steps,
        state=State(before.state) if before else State.HELD,
        by=_person(by),
        reason=before.reason if before else "",
        behind=behind,
        is_reversal=True,
    )


def _step(decision: Decision, steps: list[Resolution], **said: Any) -> Resolution:
    made = Resolution(decision=decision, follows=next(iter(steps), None), **said)
    _store([made], {decision.pk: steps})
    return made


def _store(made: Sequence[Resolution], steps: Mapping[int, list[Resolution]]) -> None:
    Resolution.objects.bulk_create(made)
    events.decisions_updated([(one, len(steps[one.decision_id]) + 1) for one in made])


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


def _locked(ids: Sequence[int]) -> dict[int, Decision]:
    """Of two people at once the second waits, and then sees what the first one did."""
    locked = Decision.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=ids)
    told = locked.select_related("transaction__source").defer("hits", "transaction__extra")
    return {one.pk: one for one in told.order_by("pk")}


def _steps(ids: Iterable[int]) -> dict[int, list[Resolution]]:
    """What was done with each until now, the last first; asked once they are locked."""
    steps: dict[int, list[Resolution]] = {pk: [] for pk in ids}
    for one in Resolution.objects.filter(decision__in=list(steps)).order_by("-pk"):
        steps[one.decision_id].append(one)
    return steps


def _held(decision: Decision) -> tuple[Decision, list[Resolution]]:
    """One decision, locked, and its steps."""
    held = _locked([decision.pk])
    return held[decision.pk], _steps(held)[decision.pk]


def _person(by: Any) -> Any:
    return by if isinstance(by, models.Model) else None
