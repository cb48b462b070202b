"""Changes of the policy for programs: tried on past decisions, asked for, answered by a second."""

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, Number, Person, Strict, Text, Whole, page
from scoring import policies, policy_changes, whatif
from scoring.engine.decision import Policy
from scoring.models import PolicyRequest
from scoring.policy_changes import MOST, MOST_CODES, Refused

REASON = 2000


class ValuesIn(Strict):
    """What changes; what is not named stays as it is in force."""

    low_below = Number(min_value=0, max_value=1, required=False)
    high_above = Number(min_value=0, max_value=1, required=False)
    critical_above = Number(min_value=0, max_value=1, required=False)
    high_amount = Number(min_value=0, max_value=MOST, required=False, help_text="Base currency")
    critical_amount = Number(min_value=0, max_value=MOST, required=False)
    velocity_count = Whole(min_value=1, max_value=1000, required=False)
    velocity_cities = Whole(min_value=1, max_value=100, required=False)
    unusual_from = Whole(min_value=0, max_value=24, required=False)
    unusual_until = Whole(min_value=0, max_value=24, required=False)
    high_risk_mcc = s.ListField(
        child=s.RegexField(r"^[0-9]{4}$"), max_length=MOST_CODES, required=False
    )


class PolicyTrialIn(Strict):
    """Values to try, and on how many of the latest decisions."""

    values = ValuesIn()
    last = s.ChoiceField(list(whatif.SIZES), required=False, default=whatif.SIZES[1])


class PolicyAskIn(Strict):
    """Values to ask for, and why."""

    values = ValuesIn()
    reason = Text(max_length=REASON)


class PolicyApprovalIn(Strict):
    """What the second person says, if there is something to say."""

    reason = Text(max_length=REASON, required=False, default="", allow_blank=True)


class PolicyRefusalIn(Strict):
    """Why not."""

    reason = Text(max_length=REASON)


class DifferenceOut(s.Serializer):
    """One value that differs."""

    name = s.CharField()
    before = s.JSONField()
    after = s.JSONField()


class PolicyRequestOut(s.ModelSerializer):
    """A change that was asked for, and what was answered."""

    base = s.IntegerField(source="base.version", help_text="The policy it changes")
    changes = s.SerializerMethodField()
    policy = s.IntegerField(
        source="policy.version", allow_null=True, default=None, help_text="What it became"
    )
    asked_by = Person()
    answered_by = Person()

    class Meta:
        model = PolicyRequest
        fields = (
            "id", "state", "base", "changes", "reason", "asked_by", "asked_at", "answered_by",
            "answered_at", "answer", "policy",
        )  # fmt: skip

    def get_changes(self, asked: PolicyRequest) -> list[dict[str, Any]]:
        differing = policy_changes.changes(asked.base.values, asked.values)
        return [{"name": name, "before": was, "after": will} for name, was, will in differing]


class OutcomeMovedOut(s.Serializer):
    """So many decisions would be another."""

    before = s.CharField()
    after = s.CharField()
    decisions = s.IntegerField()


class RuleHitsOut(s.Serializer):
    """How often a rule fired, and would fire."""

    code = s.CharField()
    before = s.IntegerField()
    after = s.IntegerField()


class EffectOut(s.Serializer):
    """How the latest decisions would read; scores and vectors as they were then."""

    decisions = s.IntegerField()
    days = s.FloatField(help_text="From the first of these decisions to the last")
    changed = s.IntegerField()
    newly = s.IntegerField(help_text="To people, who did not see them")
    no_longer = s.IntegerField()
    gained = s.DictField(child=s.IntegerField(), help_text="Of the new, what they turned out to be")
    lost = s.DictField(child=s.IntegerField())
    before_a_day = s.FloatField(
        allow_null=True, help_text="For people; null where they span less than a day"
    )
    after_a_day = s.FloatField(allow_null=True)
    without_vector = s.IntegerField(help_text="Too old: rules of history stay silent")
    moved = OutcomeMovedOut(many=True)
    hits = RuleHitsOut(many=True)


class AboutPolicyRequest(Resource):
    """One change. Every verb answers it as it is then."""

    refusals = (Refused,)

    def one(self, request: Request, pk: int) -> PolicyRequest:
        return self.found(_requests(), pk)


class Requests(AboutPolicyRequest):
    """The changes that were asked for."""

    @does("listPolicyRequests", "rules.view", page(PolicyRequestOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Changes that were asked for, latest first."""
        return latest_first(_requests(), asked)

    @does("askPolicy", "rules.edit", PolicyRequestOut, body=PolicyAskIn, status=201)
    def post(self, request: Request, given: dict[str, Any]) -> PolicyRequest:
        """Ask that these values be put into force; one change at a time."""
        wanted = _policy(given["values"])
        asked = policy_changes.ask(by=request.user, policy=wanted, reason=given["reason"])
        return self.one(request, asked.pk)


class OneRequest(AboutPolicyRequest):
    @does("readPolicyRequest", "rules.view", PolicyRequestOut, versioned=True)
    def get(self, request: Request, pk: int) -> PolicyRequest:
        """One change, what differs, and the answer."""
        return self.one(request, pk)


class Approve(AboutPolicyRequest):
    @does("approvePolicy", "policy.activate", PolicyRequestOut, body=PolicyApprovalIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> PolicyRequest:
        """Put it into force as a second person: everywhere within seconds."""
        found = self.one(request, pk)
        policy_changes.approve(by=request.user, request=found, answer=given["reason"])
        return self.one(request, pk)


class Refuse(AboutPolicyRequest):
    @does("refusePolicy", "rules.edit", PolicyRequestOut, body=PolicyRefusalIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> PolicyRequest:
        """Answer with no; who asked withdraws it."""
        found = self.one(request, pk)
        policy_changes.refuse(by=request.user, request=found, answer=given["reason"])
        return self.one(request, pk)


class TryPolicy(Resource):
    @does("tryPolicy", "rules.edit", EffectOut, body=PolicyTrialIn)
    def post(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Say what the latest decisions would have been under other values; nothing changes."""
        before = Policy.from_dict(policies.active().values)
        found = whatif.effect(before, _policy(given["values"]), last=given["last"])
        return {
            **{name: getattr(found, name) for name in EffectOut().fields},
            "gained": _named(found.gained),
            "lost": _named(found.lost),
            "moved": [
                {"before": was, "after": will, "decisions": count}
                for (was, will), count in found.moved.items()
            ],
            "hits": [
                {"code": code, "before": was, "after": will}
                for code, (was, will) in found.hits.items()
            ],
        }


def _policy(values: dict[str, Any]) -> Policy:
    """What is in force with these values; 400 by field for what makes no sense together."""
    said = {**asdict(Policy.from_dict(policies.active().values)), **values}
    said["high_risk_mcc"] = tuple(sorted(set(said["high_risk_mcc"])))
    wanted = Policy(**said)
    if bad := policy_changes.wrong(wanted):
        errors = [{"pointer": f"/values/{name}", "detail": why} for name, why in bad.items()]
        raise Problem(400, "invalid", "These values make no sense together.", errors=errors)
    return wanted


def _named(counts: dict[str, int]) -> dict[str, int]:
    return {word or "not judged": count for word, count in counts.items()}


def _requests() -> "QuerySet[PolicyRequest]":
    return PolicyRequest.objects.select_related("asked_by", "answered_by", "base", "policy")
