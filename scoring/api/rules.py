"""The rules and the decision policies for programs."""

from typing import Any

from django.http import Http404
from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, Person, page
from scoring import policies
from scoring.engine.decision import Level, Outcome
from scoring.models import DecisionPolicy


class PolicyOut(s.ModelSerializer):
    """One version of the cut points, limits and thresholds; it is never edited."""

    values = s.DictField()
    created_by = Person(help_text="null: the installation itself")

    class Meta:
        model = DecisionPolicy
        fields = ("id", "version", "active", "values", "created_by", "created_at", "reason")


class ThresholdOut(s.Serializer):
    """A value a rule compares with."""

    meaning = s.CharField()
    value = s.CharField(help_text="For people; the number itself is in the policy")


class RuleOut(s.Serializer):
    """A rule as it is in force."""

    code = s.CharField(help_text="Its reason code")
    meaning = s.CharField()
    raises = s.BooleanField(help_text="A hit alone is enough for a person to look")
    thresholds = ThresholdOut(many=True)
    hits = s.IntegerField(help_text="In the last thirty days")
    alone = s.IntegerField(help_text="Of those, where nothing else asked for a person")
    frauds = s.IntegerField(help_text="Of the hits, judged to be fraud")
    genuine = s.IntegerField(help_text="Of the hits, judged to be genuine")
    precision = s.FloatField(
        allow_null=True, help_text="Frauds among the judged; null: nobody has judged one"
    )


class CutOut(s.Serializer):
    """One line of the decision table."""

    risk_score = s.CharField()
    level = s.ChoiceField([str(level) for level in Level])
    outcome = s.ChoiceField([str(outcome) for outcome in Outcome])


class RulesOut(s.Serializer):
    """What decides beside the model."""

    policy = PolicyOut()
    rules = RuleOut(many=True)
    cuts = CutOut(many=True)


class Rules(Resource):
    @does("readRules", "rules.view", RulesOut)
    def get(self, request: Request) -> dict[str, Any]:
        """Every rule with its thresholds and recent hits, and the decision table."""
        policy = policies.active()
        rules = [
            {
                **vars(rule),
                **vars(rule.counted),
                "precision": rule.counted.precision,
                "thresholds": [_threshold(*one) for one in rule.thresholds],
            }
            for rule in policies.rules(policy)
        ]
        cuts = [
            {"risk_score": bound, "level": level, "outcome": outcome}
            for bound, level, outcome in policies.cuts(policy)
        ]
        return {"policy": policy, "rules": rules, "cuts": cuts}


class Policies(Resource):
    """The policies."""

    @does("listPolicies", "rules.view", page(PolicyOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Every version there was, latest first; decisions name theirs."""
        policies.active()  # a new installation has none before the first question
        return latest_first(DecisionPolicy.objects.select_related("created_by"), asked)


class OnePolicy(Resource):
    @does("readPolicy", "rules.view", PolicyOut, versioned=True)
    def get(self, request: Request, version: int) -> DecisionPolicy:
        """One policy, by the version that decisions name."""
        return self.one(request, version)

    def one(self, request: Request, version: int) -> DecisionPolicy:
        rows = DecisionPolicy.objects.select_related("created_by")
        found = rows.filter(version=version).first()
        if found is None:
            raise Http404("There is no such policy.")
        return found


def _threshold(meaning: str, value: Any) -> dict[str, str]:
    return {"meaning": meaning, "value": str(value)}
