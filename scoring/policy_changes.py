"""Other cut points, limits and thresholds: asked by one person, put into force by a second."""

from dataclasses import fields
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.asking import Refused
from scoring import changes as versions
from scoring import policies
from scoring.engine.decision import Policy
from scoring.models import DecisionPolicy, PolicyRequest

MOST = 1e12  # base currency
MOST_CODES = 200


def wrong(policy: Policy) -> dict[str, str]:
    """What makes no sense in it, by field; empty if it may be put into force."""
    found: dict[str, str] = {}
    if not 0 < policy.low_below < policy.high_above:
        found["low_below"] = _("LOW must end above 0 and below where HIGH begins.")
    if not policy.high_above < policy.critical_above < 1:
        found["critical_above"] = _("CRITICAL must begin above HIGH and below 1.")
    for name in ("high_amount", "critical_amount"):
        if not 0 < getattr(policy, name) <= MOST:
            found[name] = _("The amount must be above 0 and at most a million millions.")
    if not 1 <= policy.velocity_count <= 1000:
        found["velocity_count"] = _("From 1 to 1,000 transactions.")
    if not 1 <= policy.velocity_cities <= 100:
        found["velocity_cities"] = _("From 1 to 100 cities.")
    for name in ("unusual_from", "unusual_until"):
        if not 0 <= getattr(policy, name) <= 24:
            found[name] = _("An hour is from 0 to 24.")
    codes = policy.high_risk_mcc
    if len(codes) > MOST_CODES or any(len(c) != 4 or not _digits(c) for c in codes):
        found["high_risk_mcc"] = _("Codes of four digits, at most {most_codes}.").format(
            most_codes=MOST_CODES
        )
    return found


def _digits(code: str) -> bool:
    return code.isascii() and code.isdigit()


def ask(*, by: Any, policy: Policy, reason: str) -> PolicyRequest:
    """Ask that these values be put into force. One change at a time: the next builds on it."""
    if bad := wrong(policy):
        raise Refused(fields=bad)
    return versions.ask(POLICIES, by=by, values=policy.as_dict(), reason=reason)


def approve(*, by: Any, request: PolicyRequest, answer: str = "") -> DecisionPolicy:
    """Put into force what was asked for, as a second person. Every process has it in a second.

    An attempt that is refused leaves its row in the audit trail.
    """
    return versions.approve(POLICIES, by=by, request=request, answer=answer)


def refuse(*, by: Any, request: PolicyRequest, answer: str) -> PolicyRequest:
    """Answer with no. Who asked withdraws it; others need the right to put policies into force."""
    return versions.refuse(POLICIES, by=by, request=request, answer=answer)


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Name, old value and new value of everything that differs, in the order of the policy."""
    old, new = (Policy.from_dict(values) for values in (before, after))
    pairs = ((f.name, getattr(old, f.name), getattr(new, f.name)) for f in fields(Policy))
    return [(name, was, will) for name, was, will in pairs if was != will]


POLICIES = versions.Kind(
    requests=PolicyRequest,
    versions=DecisionPolicy,
    became="policy",
    active=policies.active,
    changes=changes,
    right="policy.activate",
    turn="policy",
    nothing=_lazy("These are the values of {base}: nothing would change."),
    lost=_lazy("{by} may not put policies into force."),
    others=_lazy("Who may put policies into force answers this, or who asked withdraws it."),
    ask_action="policy.change_asked",
    approve_action="policy.activated",
    refuse_action="policy.change_refused",
    withdraw_action="policy.change_withdrawn",
)
