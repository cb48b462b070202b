"""What models ask, for programs: asked, answered, and how the queue does."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from alerts import feedback
from alerts.forms import NOTE_LENGTH
from alerts.models import Feedback
from alerts.review_shapes import BehindIn
from alerts.views.questions import find
from alerts.visibility import unread_by
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import (
    Listed,
    Number,
    PaymentNumber,
    Person,
    Strict,
    Text,
    Whole,
    page,
)


class QuestionsAsked(Listed):
    """Which questions."""

    waiting = s.BooleanField(required=False, allow_null=True, default=None)


class QuestionIn(Strict):
    """A payment to ask people about, and what the model said."""

    transaction_id = Text(max_length=128, help_text="As its source calls it")
    transaction_data = s.DictField(
        required=False, help_text="Kept only where no such payment is stored"
    )
    anomaly_score = Number(min_value=0, max_value=1)
    model_prediction = Whole(min_value=0, max_value=1, help_text="1: fraud")


class QuestionAnswerIn(Strict):
    """What it was."""

    human_label = Whole(min_value=0, max_value=1, help_text="1: fraud")
    notes = Text(max_length=NOTE_LENGTH, required=False)


class QuestionOut(s.ModelSerializer):
    """A question of the model, and its answer."""

    name = s.CharField(source="__str__", help_text="Q-17")
    transaction_id = PaymentNumber(source="external_id")
    transaction = s.IntegerField(
        source="transaction_id", allow_null=True, help_text="null: no such payment is stored"
    )
    anomaly_score = s.FloatField(source="score")
    model_prediction = s.IntegerField(source="prediction")
    human_label = s.IntegerField(allow_null=True)
    reviewer = Person()
    label = s.IntegerField(source="label_id", allow_null=True, help_text="That it gave")

    class Meta:
        model = Feedback
        fields = (
            "id", "name", "transaction_id", "transaction", "anomaly_score", "model_prediction",
            "why", "added_at", "human_label", "reviewer", "reviewed_at", "label",
        )  # fmt: skip


class MetricsOut(s.Serializer):
    """How the queue does; null where nothing was answered."""

    total = s.IntegerField()
    pending = s.IntegerField()
    reviewed = s.IntegerField()
    agreement = s.FloatField(allow_null=True, help_text="Share that says what the model said")
    kappa = s.FloatField(allow_null=True, help_text="Cohen's: agreement beyond chance")
    kappa_interval = s.ListField(child=s.FloatField(allow_null=True), help_text="95 %")
    precision = s.FloatField(allow_null=True, help_text="Frauds among the answers")
    precision_of_predictions = s.FloatField(allow_null=True)
    label_rates = s.DictField(child=s.FloatField())
    median_seconds = s.FloatField(allow_null=True, help_text="From question to answer")
    by_reason = s.DictField(child=s.IntegerField())


class Questions(Resource):
    """The questions."""

    refusals = (feedback.Refused,)

    @does("listQuestions", "review.view", page(QuestionOut), asked=QuestionsAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """What models ask people about, latest first."""
        rows = Feedback.objects.for_the_page().exclude(transaction__in=unread_by(request.user))
        if asked["waiting"] is not None:
            rows = rows.waiting() if asked["waiting"] else rows.answered()
        return latest_first(rows, asked)

    @does("askQuestion", "review.ask", QuestionOut, body=QuestionIn, status=201)
    def post(self, request: Request, given: dict[str, Any]) -> Feedback:
        """Ask people about a payment; asked again while it waits, it is the same question."""
        given.setdefault("transaction_data", {})
        made = feedback.add_to_review_queue(**given, by=request.user)
        return Feedback.objects.for_the_page().get(pk=made.pk)


class OneQuestion(Resource):
    @does("readQuestion", "review.work", QuestionOut, versioned=True)
    def get(self, request: Request, pk: int) -> Feedback:
        """One question."""
        return self.one(request, pk)

    def one(self, request: Request, pk: int) -> Feedback:
        return find(request, pk)


class TakeNext(Resource):
    """The next one."""

    @does("takeNextQuestion", "review.work", QuestionOut, body=BehindIn, refused=(404,))
    def post(self, request: Request, given: dict[str, Any]) -> Feedback:
        """One that waits and nobody looks at; the caller's for a quarter of an hour."""
        behind = find(request, given["behind"]) if "behind" in given else None
        found = feedback.take_next(by=request.user, behind=behind)
        if found is None:
            raise Problem(404, "nothing_waits", "No model asks anything now.")
        return find(request, found.pk)


class AnswerQuestion(Resource):
    """Its answer."""

    refusals = (feedback.Refused,)

    @does("answerQuestion", "review.work", QuestionOut, body=QuestionAnswerIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Feedback:
        """Say whether it was fraud; its payment is labelled with the source FEEDBACK."""
        found = find(request, pk)
        feedback.submit_review(found.external_id, reviewer_id=request.user.get_username(), **given)
        return find(request, pk)


class Metrics(Resource):
    """How the queue does."""

    @does("readReviewMetrics", "review.view", MetricsOut)
    def get(self, request: Request) -> dict[str, Any]:
        """Agreement of people and model with Cohen's kappa, precision, label rates, median time."""
        return feedback.get_review_metrics()
