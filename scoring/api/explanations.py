"""Why a decision is what it is, as programs read it."""

from typing import Any

from rest_framework import serializers as s

from scoring.engine.decision import Level, Outcome
from scoring.models import Explanation


class WayOut(s.Serializer):
    """A change that would have been decided otherwise, tried as if it had been paid like that."""

    changes = s.ListField(child=s.CharField(), help_text="Of amount, device, card, merchant, …")
    sentence = s.CharField()
    risk_score = s.FloatField()
    level = s.ChoiceField([str(level) for level in Level])
    outcome = s.ChoiceField([str(outcome) for outcome in Outcome])


class OtherwiseOut(s.Serializer):
    """What would have changed it."""

    state = s.ChoiceField(["approved", "lower", "nothing", "untold"], help_text="How far it gets")
    sentence = s.CharField(help_text="The first way, or why there is none")
    ways = WayOut(many=True)
    counts = s.ListField(child=s.CharField(), help_text="What no change of the customer's moves")


class ExplanationOut(s.Serializer):
    """What moved the score: base and contributions add up to the margin, in log-odds."""

    state = s.ChoiceField(Explanation.State.choices)
    base = s.FloatField(allow_null=True)
    margin = s.FloatField(allow_null=True)
    contributions = s.DictField(child=s.FloatField(), allow_null=True)
    sentences = s.ListField(child=s.DictField(), help_text="The strongest first")
    otherwise = OtherwiseOut(allow_null=True, source="counterfactual")


class WeightOut(s.Serializer):
    """A feature and what the score would lose if its value were ordinary, in log-odds."""

    feature = s.CharField()
    meaning = s.CharField()
    weight = s.FloatField()


class MeasuredOut(s.Serializer):
    """How well the second method follows the model, and how far both agree."""

    fit = s.FloatField(help_text="Weighted R² near the payment; 1 is exact")
    common = s.IntegerField(help_text="Of the strongest reasons, named by both …")
    of = s.IntegerField(help_text="… of so many")
    same_direction = s.IntegerField(help_text="Of those in common")
    rank_correlation = s.FloatField(help_text="Spearman's, over the strongest contributions")
    neighbours = s.IntegerField()


class OpinionOut(s.Serializer):
    """What a second method says of the reasons of an alert."""

    state = s.ChoiceField(["given", "none", "failed"])
    sentence = s.CharField()
    agrees = s.BooleanField(allow_null=True, help_text="null: it cannot say")
    reasons = WeightOut(many=True)
    measured = MeasuredOut(allow_null=True)


def told(explanation: Explanation | None) -> Any:
    """None for a decision that nobody asked an explanation of."""
    return None if explanation is None else ExplanationOut(explanation).data
