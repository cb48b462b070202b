"""Another cost model: asked by one person, put into force by a second."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import timezone

from anomalyshield.audit.record import denied, record
from scoring import costs
from scoring.engine.costs import Costs, wrong
from scoring.models import CostModel, CostRequest

State = CostRequest.State


class Refused(Exception):
    """This cannot be done now; the sentence is for the person, `fields` for what they typed."""

    def __init__(self, sentence: str = "", fields: dict[str, str] | None = None) -> None:
        self.fields = fields or {}
        super().__init__(sentence or " ".join(self.fields.values()))


@transaction.atomic
def ask(*, by: Any, wanted: Costs, reason: str) -> CostRequest:
    """Ask that these figures be put into force. One change at a time: the next builds on it."""
    _one_at_a_time()
    if bad := wrong(wanted):
        raise Refused(fields=bad)
    base = costs.active()
    if not changes(base.values, wanted.as_dict()):
        raise Refused(f"These are the figures of {base}: nothing would change.")
    if waiting := CostRequest.objects.filter(state=State.OPEN).select_related("asked_by").first():
        raise Refused(f"A change that {waiting.asked_by} asked for waits. Answer that one first.")
    request = CostRequest.objects.create(
        base=base, values=wanted.as_dict(), reason=reason, asked_by=by
    )
    record(
        by=by,
        action="costs.change_asked",
        object=request,
        before=base.values,
        after=request.values,
        reason=reason,
    )
    return request


def approve(*, by: Any, request: CostRequest, answer: str = "") -> CostModel:
    """Put into force what was asked for, as a second person. Open alerts follow by work rows.

    An attempt that is refused leaves its row in the audit trail.
    """
    try:
        return _approved(by=by, request=request, answer=answer)
    except Refused as refusal:
        denied(by, "costs.activated", request, str(refusal))
        raise


@transaction.atomic
def _approved(*, by: Any, request: CostRequest, answer: str) -> CostModel:
    _one_at_a_time()
    request = _locked(request)
    _may_approve(by, request)
    base = costs.active()
    if base != request.base:
        raise Refused(f"{base} came into force since {request.asked_by} asked: ask anew.")
    CostModel.objects.filter(active=True).update(active=False)
    made = CostModel.objects.create(
        version=base.version + 1,
        values=request.values,
        active=True,
        created_by=request.asked_by,
        reason=request.reason,
    )
    _answered(request, by, State.APPROVED, answer, made)
    record(
        by=by,
        action="costs.activated",
        object=made,
        before=base.values,
        after={**made.values, "four_eyes": settings.FOUR_EYES},
        reason=answer or request.reason,
    )
    return made


@transaction.atomic
def refuse(*, by: Any, request: CostRequest, answer: str) -> CostRequest:
    """Answer with no. Who asked withdraws it; others need the right to answer."""
    request = _locked(request)
    withdrawn = by == request.asked_by
    if not withdrawn and not by.may("cost.activate"):
        raise Refused("Who puts cost models into force answers this, or who asked withdraws it.")
    _answered(request, by, State.REFUSED, answer)
    action = "costs.change_withdrawn" if withdrawn else "costs.change_refused"
    record(by=by, action=action, object=request, reason=answer)
    return request


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, float, float]]:
    """Name, old and new value of everything that differs, in the order of the model."""
    old, new = Costs.from_dict(before).as_dict(), Costs.from_dict(after).as_dict()
    return [(name, was, new[name]) for name, was in old.items() if was != new[name]]


def _answered(
    request: CostRequest,
    by: Any,
    state: CostRequest.State,
    answer: str,
    became: CostModel | None = None,
) -> None:
    request.state, request.answered_by, request.answer = state, by, answer
    request.answered_at, request.became = timezone.now(), became
    request.four_eyes = settings.FOUR_EYES
    request.save()


def _may_approve(by: Any, request: CostRequest) -> None:
    # Asked anew: whoever lost the role since logging in has lost it here as well.
    person = get_user_model().objects.get(pk=by.pk)
    if not person.is_active or not person.may("cost.activate"):
        raise Refused(f"{by} may not put a cost model into force.")
    if settings.FOUR_EYES and by == request.asked_by:
        raise Refused("You asked for this change; a second person must put it into force.")


def _locked(request: CostRequest) -> CostRequest:
    people = ("asked_by", "answered_by", "base")
    rows = CostRequest.objects.select_for_update(of=("self",)).select_related(*people)
    held = rows.get(pk=request.pk)
    if held.state != State.OPEN:
        answer = held.get_state_display().lower()
        raise Refused(f"{held.answered_by} has answered already: {answer}.")
    return held


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('cost model', 0))")
