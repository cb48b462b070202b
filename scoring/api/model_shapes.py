"""What programs send and read of models."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers as s

from anomalyshield.leases import Leased
from anomalyshield.rest.shapes import Flag, Listed, Number, Person, Strict, Text, Whole
from scoring import judgement, novelty, training
from scoring.below import below
from scoring.engine import lane
from scoring.labels import MATURITY
from scoring.model_forms import MOST_WEEKS
from scoring.models import ModelVersion, PromotionRequest, TrainingRun

REASON = 2000


class ModelsAsked(Listed):
    """Which versions."""

    state = s.ChoiceField(ModelVersion.State.choices, required=False)


class TrainIn(Strict):
    """How a training treats what nobody has said, and how much people can review."""

    maturity_days = Whole(
        min_value=0,
        max_value=365,
        required=False,
        default=MATURITY.days,
        help_text="Silence counts as legitimate after so many days",
    )
    budget_percent = Number(
        min_value=0.01, max_value=40, required=False, help_text="Without: the champion's"
    )
    novelty_percent = Number(
        min_value=0,
        max_value=100 * lane.MOST,
        required=False,
        help_text="Of the budget, for the novelty lane; 0: none. Without: the champion's",
    )
    weeks = Whole(
        min_value=0,
        max_value=MOST_WEEKS,
        required=False,
        default=0,
        help_text="Past weeks to measure, each with a model of its own",
    )
    preset = s.ChoiceField(
        choices=training.preset_names(),
        required=False,
        default=training.preset_names()[0],
        help_text="The default, or a weighted mean of the documents by name",
    )


class UpdateIn(Strict):
    """How an update treats what nobody has said."""

    maturity_days = Whole(min_value=0, max_value=365, required=False, default=MATURITY.days)


class ReasonIn(Strict):
    """Why. It goes into the audit trail."""

    reason = Text(max_length=REASON)


class AskIn(ReasonIn):
    """Why, and whether what speaks against it was seen."""

    despite = Flag(
        required=False, default=False, help_text="Ask in spite of a doubt the figures leave"
    )


class AnswerIn(Strict):
    """What the second person says, if there is something to say."""

    reason = Text(max_length=REASON, required=False, default="", allow_blank=True)


class ShadowIn(Strict):
    """Whether it scores along."""

    on = Flag()


class ModelRowOut(s.ModelSerializer):
    """A version and its standing."""

    name = s.CharField(source="__str__", help_text="As decisions call it: v3")
    headline = s.DictField(
        child=s.FloatField(allow_null=True), help_text="Measured on rows it has not learnt from"
    )
    trained_by = Person()
    update_of = s.IntegerField(
        source="update_of_id", allow_null=True, help_text="The version it goes on from; its id"
    )

    class Meta:
        model = ModelVersion
        fields = (
            "id", "number", "name", "state", "kind", "update_of", "headline", "sha256", "cutoff",
            "trained_rows", "trained_frauds", "trained_by", "trained_at", "champion_since",
        )  # fmt: skip


class PromotionOut(s.ModelSerializer):
    """Who asked that a version become champion, and what was answered."""

    asked_by = Person()
    answered_by = Person()

    class Meta:
        model = PromotionRequest
        fields = (
            "id", "state", "sha256", "asked_by", "asked_at", "reason", "answered_by",
            "answered_at", "answer",
        )  # fmt: skip


class LaneOut(s.Serializer):
    """The novelty lane over the latest payments the version decided."""

    share = s.FloatField(help_text="Of the alert budget")
    promised = s.FloatField(help_text="Of all payments")
    payments = s.IntegerField(help_text="That the version decided, of the latest ones")
    raised = s.IntegerField(help_text="Of these, by the lane")
    frauds = s.IntegerField(help_text="Of the raised ones, by the last word on them")
    genuine = s.IntegerField()


class MissedOfModelOut(s.Serializer):
    """Frauds it raised nothing for, estimated."""

    total = s.FloatField()
    low = s.FloatField(help_text="Of its 95 % interval")
    high = s.FloatField()
    left = s.FloatField(help_text="Payments in bands of the score without an answer")


class BelowOut(s.Serializer):
    """What the sample below the line says, of days on which the version decided everything."""

    since = s.DateField()
    until = s.DateField()
    draws = s.IntegerField(help_text="One a day")
    population = s.IntegerField(help_text="Payments that raised nothing")
    drawn = s.IntegerField(help_text="Of these: at random by bands of the score, chances kept")
    answered = s.IntegerField(help_text="One way or the other")
    caught = s.IntegerField(help_text="Raised and confirmed")
    missed = MissedOfModelOut(allow_null=True, help_text="Null: nobody has answered yet")
    recall = s.ListField(
        child=s.FloatField(), allow_null=True, help_text="Value, low, high of its 95 % interval"
    )
    naive = s.FloatField(allow_null=True, help_text="Recall by labels alone: too good")


class ModelOut(ModelRowOut):
    """A version with all its measurements and what was asked about it."""

    metrics = s.DictField()
    requests = PromotionOut(many=True)
    lane = s.SerializerMethodField(help_text="Null for a version without a novelty lane")

    class Meta(ModelRowOut.Meta):
        fields = (*ModelRowOut.Meta.fields, "metrics", "requests", "lane", "below", "online")

    online = s.SerializerMethodField(help_text="Of an update: how it does as a shadow, in words")

    def get_online(self, version: ModelVersion) -> str:
        return judgement.told(version)

    below = s.SerializerMethodField(help_text="Null where nothing was drawn of what it decided")

    @extend_schema_field(BelowOut(allow_null=True))
    def get_below(self, version: ModelVersion) -> dict[str, Any] | None:
        found = below(version)
        return BelowOut(found).data if found else None

    @extend_schema_field(LaneOut(allow_null=True))
    def get_lane(self, version: ModelVersion) -> dict[str, Any] | None:
        found = novelty.followed(version)
        return LaneOut(found).data if found else None


class RunOut(s.ModelSerializer):
    """A training: where it stands and what came of it."""

    state = s.ChoiceField(Leased.State.choices)
    options = s.DictField()
    asked_by = Person()
    result = s.IntegerField(source="result_id", allow_null=True, help_text="The version it made")
    verdict = s.CharField(help_text="Better, not worse, worse or undecided, with the range")
    seconds_left = s.FloatField(allow_null=True, help_text="Estimated; null while nobody can tell")

    class Meta:
        model = TrainingRun
        fields = (
            "id", "state", "progress", "seconds_left", "rows", "message", "options", "asked_by",
            "asked_at", "result", "verdict",
        )  # fmt: skip
