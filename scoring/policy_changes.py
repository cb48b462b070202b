"""Other cut points, limits and thresholds: asked by one person, put into force by a second."""

from dataclasses import fields
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import timezone

from anomalyshield.audit.record import denied, record
from scoring import policies
from scoring.engine.decision import Policy
from scoring.models import DecisionPolicy, PolicyRequest

State = PolicyRequest.State
MOST = 1e12  # base currency
MOST_CODES = 200


class Refused(Exception):
    """This cannot be done now; the sentence is for the person, `fields` for what they typed."""

    def __init__(self, sentence: str = "", fields: dict[str, str] | None = None) -> None:
        self.fields = fields or {}
        super().__init__(sentence or " ".join(self.fields.values()))


def wrong(policy: Policy) -> dict[str, str]:
    """What makes no sense in it, by field; empty if it may be put into force."""
    found: dict[str, str] = {}
    if not 0 < policy.low_below < policy.high_above:
        found["low_below"] = "LOW must end above 0 and below where HIGH begins."
    if not policy.high_above < policy.critical_above < 1:
        found["critical_above"] = "CRITICAL must begin above HIGH and below 1."
    for name in ("high_amount", "critical_amount"):
        if not 0 < getattr(policy, name) <= MOST:
            found[name] = "The amount must be above 0 and at most a million millions."
    if not 1 <= policy.velocity_count <= 1000:
        found["velocity_count"] = "From 1 to 1,000 transactions."
    if not 1 <= policy.velocity_cities <= 100:
        found["velocity_cities"] = "From 1 to 100 cities."
    for name in ("unusual_from", "unusual_until"):
        if not 0 <= getattr(policy, name) <= 24:
            found[name] = "An hour is from 0 to 24."
    codes = policy.high_risk_mcc
    if len(codes) > MOST_CODES or any(len(c) != 4 or not _digits(c) for c in codes):
        found["high_risk_mcc"] = f"Codes of four digits, at most {MOST_CODES}."
    return found


def _digits(code: str) -> bool:
    return code.isascii() and code.isdigit()


@transaction.atomic
def ask(*, by: Any, policy: Policy, reason: str) -> PolicyRequest:
    """Ask that these values be put into force. One change at a time: the next builds on it."""
    _one_at_a_time()
    if bad := wrong(policy):
        raise Refused(fields=bad)
    base = policies.active()
    if not changes(base.values, policy.as_dict()):
        raise Refused(f"These are the values of {base}: nothing would change.")
    if waiting := PolicyRequest.objects.filter(state=State.OPEN).select_related("asked_by").first():
        raise Refused(f"A change that {waiting.asked_by} asked for waits. Answer that one first.")
    request = PolicyRequest.objects.create(
        base=base, values=policy.as_dict(), reason=reason, asked_by=by
    )
    record(
        by=by,
        action="policy.change_asked",
        object=request,
        before=base.values,
        after=request.values,
        reason=reason,
    )
    return request


def approve(*, by: Any, request: PolicyRequest, answer: str = "") -> DecisionPolicy:
    """Put into force what was asked for, as a second person. Every process has it in a second.

    An attempt that is refused leaves its row in the audit trail.
    """
    try:
        return _approved(by=by, request=request, answer=answer)
    except Refused as refusal:
        denied(by, "policy.activated", request, str(refusal))
        raise


@transaction.atomic
def _approved(*, by: Any, request: PolicyRequest, answer: str) -> DecisionPolicy:
    _one_at_a_time()
    request = _locked(request)
    _may_approve(by, request)
    base = policies.active()
    if base != request.base:
        raise Refused(f"{base} came into force since {request.asked_by} asked: ask anew.")
    DecisionPolicy.objects.filter(active=True).update(active=False)
    policy = DecisionPolicy.objects.create(
        version=base.version + 1,
        values=request.values,
        active=True,
        created_by=request.asked_by,
        reason=request.reason,
    )
    _answered(request, by, State.APPROVED, answer, policy)
    record(
        by=by,
        action="policy.activated",
        object=policy,
        before=base.values,
        after={**policy.values, "four_eyes": settings.FOUR_EYES},
        reason=answer or request.reason,
    )
    return policy


@transaction.atomic
def refuse(*, by: Any, request: PolicyRequest, answer: str) -> PolicyRequest:
    """Answer with no. Who asked withdraws it; others need the right to put policies into force."""
    request = _locked(request)
    withdrawn = by == request.asked_by
    if not withdrawn and not by.may("policy.activate"):
        raise Refused("Who may put policies into force answers this, or who asked withdraws it.")
    _answered(request, by, State.REFUSED, answer)
    action = "policy.change_withdrawn" if withdrawn else "policy.change_refused"
    record(by=by, action=action, object=request, reason=answer)
    return request


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Name, old value and new value of everything that differs, in the order of the policy."""
    old, new = (Policy.from_dict(values) for values in (before, after))
    pairs = ((f.name, getattr(old, f.name), getattr(new, f.name)) for f in fields(Policy))
    return [(name, was, will) for name, was, will in pairs if was != will]


def _answered(
    request: PolicyRequest,
    by: Any,
    state: PolicyRequest.State,
    answer: str,
    policy: DecisionPolicy | None = None,
) -> None:
    request.state, request.answered_by, request.answer = state, by, answer
    request.answered_at, request.policy = timezone.now(), policy
    request.four_eyes = settings.FOUR_EYES
    request.save()


def _may_approve(by: Any, request: PolicyRequest) -> None:
    # Asked anew: whoever lost the role since logging in has lost it here as well.
    person = get_user_model().objects.get(pk=by.pk)
    if not person.is_active or not person.may("policy.activate"):
        raise Refused(f"{by} may not put policies into force.")
    if settings.FOUR_EYES and by == request.asked_by:
        raise Refused("You asked for this change; a second person must put it into force.")


def _locked(request: PolicyRequest) -> PolicyRequest:
    people = ("asked_by", "answered_by", "base")
    rows = PolicyRequest.objects.select_for_update(of=("self",)).select_related(*people)
    held = rows.get(pk=request.pk)
    if held.state != State.OPEN:
        answer = held.get_state_display().lower()
        raise Refused(f"{held.answered_by} has answered already: {answer}.")
    return held


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('policy', 0))")
