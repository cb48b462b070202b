"""Where labels come from, for programs."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.rest.resource import Resource, does
from scoring.label_facts import Facts, facts


class LabelWeekOut(s.Serializer):
    """The payments of one week, and what is said of them by now."""

    start = s.DateField(help_text="A Monday, UTC")
    payments = s.IntegerField()
    labelled = s.IntegerField(help_text="One way or the other")
    frauds = s.IntegerField()
    genuine = s.IntegerField()
    undecided = s.IntegerField(help_text="Said to be inconclusive")
    unlabelled = s.IntegerField(help_text="Nobody has said anything: not known to be genuine")
    by_origin = s.DictField(child=s.IntegerField())
    matured = s.BooleanField(help_text="Old enough for silence to be an answer")
    seen = s.FloatField(
        allow_null=True, help_text="Share of its frauds known by now, estimated; null: unknown"
    )


class DelaysOut(s.Serializer):
    """How many days frauds took to be known by one source."""

    origin = s.CharField()
    frauds = s.IntegerField()
    half = s.FloatField(help_text="Days, the median")
    most = s.FloatField(help_text="Days, nine of ten")


class LabelFactsOut(s.Serializer):
    """Labels by week and source, and how late frauds become known."""

    weeks = LabelWeekOut(many=True)
    delays = DelaysOut(many=True)
    curve = s.ListField(
        child=s.ListField(child=s.FloatField()), help_text="Days, share of frauds known by then"
    )
    maturity_days = s.IntegerField()


class LabelFacts(Resource):
    """Sources and maturity of labels."""

    @does("readLabelFacts", "review.view", LabelFactsOut)
    def get(self, request: Request, **_: Any) -> Facts:
        """Labels of twelve weeks by source, how late they came, and how much is still to come."""
        return facts()
