"""The sample below the line for programs: what waits, answers, and the recall they estimate."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers as s
from rest_framework.request import Request

from alerts import sampling
from alerts.models import Alert, Sample
from alerts.recall import Recall, measured
from alerts.review_shapes import BehindIn, ReviewAnswerIn
from alerts.views.samples import find
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import (
    Listed,
    PaymentNumber,
    Person,
    Personal,
    Strict,
    page,
)


class SamplesAsked(Listed):
    """Which of the sample."""

    waiting = s.BooleanField(required=False, allow_null=True, default=None)


class SampleOut(s.ModelSerializer):
    """A payment that raised nothing, drawn with this chance."""

    name = s.CharField(source="__str__", help_text="BTL-17")
    transaction = s.IntegerField(source="transaction_id", help_text="/api/v1/transactions/{id}")
    transaction_id = PaymentNumber(source="transaction.external_id")
    user_id = Personal(source="transaction.user_id")
    amount = s.DecimalField(18, 4, source="transaction.amount")
    currency = s.CharField(source="transaction.currency")
    timestamp = s.DateTimeField(source="transaction.event_time")
    risk_score = s.FloatField(source="transaction.decision.risk_score")
    drawn_on = s.DateField(source="draw.day")
    said = s.ChoiceField(["", *Alert.Disposition.values])
    by = Person()
    label = s.IntegerField(source="label_id", allow_null=True, help_text="That it gave")

    class Meta:
        model = Sample
        fields = (
            "id", "name", "transaction", "transaction_id", "user_id", "amount", "currency",
            "timestamp", "risk_score", "drawn_on", "band", "chance", "said", "confidence", "by",
            "answered_at", "label",
        )  # fmt: skip


class RecallAsked(Strict):
    """Over which draws."""

    days = s.IntegerField(min_value=1, max_value=3650, default=30, required=False)


class BandOut(s.Serializer):
    """One band of the risk score."""

    low = s.FloatField()
    high = s.FloatField()
    population = s.IntegerField(help_text="Decisions that raised nothing")
    drawn = s.IntegerField()
    answered = s.IntegerField(help_text="One way or the other")
    undecided = s.IntegerField(help_text="Inconclusive")
    found = s.IntegerField(help_text="Frauds")


class MissedOut(s.Serializer):
    """Frauds below the line, estimated."""

    total = s.FloatField()
    low = s.FloatField(help_text="Of its 95 % interval")
    high = s.FloatField()
    covered = s.FloatField(help_text="Payments in bands with an answer")
    left = s.FloatField(help_text="Payments in bands without one")


class RecallOut(s.Serializer):
    """What the alerts miss."""

    days = s.IntegerField()
    draws = s.IntegerField()
    bands = BandOut(many=True)
    waiting = s.IntegerField(help_text="Drawn and not answered")
    caught = s.IntegerField(help_text="Raised and confirmed")
    open = s.IntegerField(help_text="Raised and undecided")
    reported = s.IntegerField(help_text="Not raised, and called fraud")
    missed = s.SerializerMethodField(help_text="null: nobody has answered yet")
    recall = s.ListField(
        child=s.FloatField(), allow_null=True, help_text="Value, low, high of its 95 % interval"
    )
    naive = s.FloatField(allow_null=True, help_text="By labels alone: too good")

    @extend_schema_field(MissedOut(allow_null=True))
    def get_missed(self, found: Recall) -> Any:
        return MissedOut(found.missed).data if found.missed else None


class Samples(Resource):
    """The sample."""

    @does("listSamples", "review.view", page(SampleOut), asked=SamplesAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Payments drawn below the line, latest first."""
        rows = Sample.objects.for_the_page()
        if asked["waiting"] is not None:
            rows = rows.waiting() if asked["waiting"] else rows.answered()
        return latest_first(rows, asked)


class AboutSample(Resource):
    """One payment of the sample."""

    refusals = (sampling.Refused,)

    def one(self, request: Request, pk: int) -> Sample:
        return find(pk)


class OneSample(AboutSample):
    @does("readSample", "review.work", SampleOut, versioned=True)
    def get(self, request: Request, pk: int) -> Sample:
        """One payment of the sample, and what was said of it."""
        return self.one(request, pk)


class TakeNext(Resource):
    """The next one."""

    @does("takeNextSample", "review.work", SampleOut, body=BehindIn, refused=(404,))
    def post(self, request: Request, given: dict[str, Any]) -> Sample:
        """One that waits and nobody looks at; the caller's for a quarter of an hour."""
        behind = find(given["behind"]) if "behind" in given else None
        found = sampling.take_next(by=request.user, behind=behind)
        if found is None:
            raise Problem(404, "nothing_waits", "Nothing of the sample waits now.")
        return find(found.pk)


class AnswerOne(AboutSample):
    @does("answerSample", "review.work", SampleOut, body=ReviewAnswerIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Sample:
        """Say what it was; its payment is labelled with the source SAMPLE."""
        sampling.answer(by=request.user, sample=self.one(request, pk), **given)
        return self.one(request, pk)


class RecallOf(Resource):
    """What the alerts miss."""

    @does("readRecall", "review.view", RecallOut, asked=RecallAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> Recall:
        """Frauds missed and recall, estimated from the sample below the line, with intervals."""
        return measured(asked["days"])
