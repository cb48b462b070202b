"""Models for programs: versions and trainings, and what the two persons of a promotion do."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.leases import Leased
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Download, Resource, does
from anomalyshield.rest.shapes import Flag, Listed, Number, Person, Strict, Text, Whole, page
from scoring import comparison, judgement, novelty, registry, training, updating
from scoring.engine import lane
from scoring.labels import MATURITY
from scoring.model_forms import MOST_WEEKS
from scoring.models import ModelVersion, PromotionRequest, TrainingRun
from scoring.views.models import card_file

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


class ModelOut(ModelRowOut):
    """A version with all its measurements and what was asked about it."""

    metrics = s.DictField()
    requests = PromotionOut(many=True)
    lane = s.SerializerMethodField(help_text="Null for a version without a novelty lane")

    class Meta(ModelRowOut.Meta):
        fields = (*ModelRowOut.Meta.fields, "metrics", "requests", "lane", "online")

    online = s.SerializerMethodField(help_text="Of an update: how it does as a shadow, in words")

    def get_online(self, version: ModelVersion) -> str:
        return judgement.told(version)

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

    class Meta:
        model = TrainingRun
        fields = (
            "id", "state", "progress", "message", "options", "asked_by", "asked_at", "result",
            "verdict",
        )  # fmt: skip


class AboutModel(Resource):
    """One version. Every verb answers the version as it is then."""

    refusals = (registry.Refused,)

    def one(self, request: Request, pk: int) -> ModelVersion:
        return self.found(_versions().prefetch_related("requests__asked_by"), pk)

    def asked_of(self, request: Request, pk: int) -> PromotionRequest:
        """The latest request for it; one answered meanwhile is the verb's to refuse in words."""
        found = self.one(request, pk).requests.first()
        if found is None:
            raise Problem(409, "nobody_asked", "Nobody has asked to promote this version.")
        return found


class Models(AboutModel):
    """The versions."""

    @does("listModels", "model.view", page(ModelRowOut), asked=ModelsAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Versions, latest first."""
        found = _versions()
        return latest_first(
            found.filter(state=asked["state"]) if "state" in asked else found, asked
        )


class OneModel(AboutModel):
    @does("readModel", "model.view", ModelOut, versioned=True)
    def get(self, request: Request, pk: int) -> ModelVersion:
        """One version, its measurements, and what was asked about it."""
        return self.one(request, pk)


class Card(Download):
    """The model card: what it was made from, how well it does, and for whom."""

    action = "model.view"

    @extend_schema(operation_id="readModelCard", responses={(200, "text/markdown"): str})
    def get(self, request: Request, pk: int) -> HttpResponse:
        return card_file(get_object_or_404(_versions(), pk=pk))


class Ask(AboutModel):
    @does("askPromotion", "model.promote", ModelOut, body=AskIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> ModelVersion:
        """Ask that a version become champion; a second model owner answers."""
        version = self.one(request, pk)
        registry.ask_promotion(by=request.user, version=version, **given)
        comparison.renew(version)
        return self.one(request, pk)


class Approve(AboutModel):
    @does("approvePromotion", "model.promote", ModelOut, body=AnswerIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> ModelVersion:
        """Promote what was asked for, exactly that, as a second person."""
        asked = self.asked_of(request, pk)
        registry.approve(by=request.user, request=asked, answer=given["reason"])
        return self.one(request, pk)


class Refuse(AboutModel):
    @does("refusePromotion", "model.promote", ModelOut, body=ReasonIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> ModelVersion:
        """Answer with no. Who asked withdraws; anybody else rejects the version too."""
        asked = self.asked_of(request, pk)
        registry.refuse(by=request.user, request=asked, answer=given["reason"])
        return self.one(request, pk)


class Shadow(AboutModel):
    @does("setShadow", "model.train", ModelOut, body=ShadowIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> ModelVersion:
        """Let a candidate score along without deciding, or end that."""
        registry.set_shadow(by=request.user, version=self.one(request, pk), **given)
        return self.one(request, pk)


class RollBack(AboutModel):
    @does("rollBack", "model.rollback", ModelOut, body=ReasonIn)
    def post(self, request: Request, given: dict[str, Any]) -> ModelVersion:
        """Give the place back to the champion before; the answer is who decides now."""
        return self.one(request, registry.roll_back(by=request.user, **given).pk)


class Train(Resource):
    @does("train", "model.train", RunOut, body=TrainIn, status=202)
    def post(self, request: Request, given: dict[str, Any]) -> TrainingRun:
        """Have a model trained. While one waits to be trained, asking again answers that one."""
        for name in ("budget", "novelty"):
            percent = given.pop(f"{name}_percent", None)
            given[name] = None if percent is None else percent / 100
        return training.ask(by=request.user, **given)


class Update(Resource):
    refusals = (updating.Refused,)

    @does("updateModel", "model.train", RunOut, body=UpdateIn, status=202)
    def post(self, request: Request, given: dict[str, Any]) -> TrainingRun:
        """Have the champion go on learning from the latest labels, in shadow at first."""
        return updating.ask(by=request.user, **given)


class Runs(Resource):
    """The trainings."""

    @does("listTrainings", "model.view", page(RunOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Trainings, latest first."""
        return latest_first(_runs(), asked)


class OneRun(Resource):
    @does("readTraining", "model.view", RunOut, versioned=True)
    def get(self, request: Request, pk: int) -> TrainingRun:
        """One training, to be asked again until its state is DONE or QUARANTINED."""
        return self.one(request, pk)

    def one(self, request: Request, pk: int) -> TrainingRun:
        return self.found(_runs(), pk)


def _versions() -> "QuerySet[ModelVersion]":
    return ModelVersion.objects.select_related("trained_by", "update_of")


def _runs() -> "QuerySet[TrainingRun]":
    return TrainingRun.objects.select_related("asked_by")
