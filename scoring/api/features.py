"""Features and the pipelines that choose and prepare them, for programs."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, Person, Strict, Text, page
from scoring import (
    feature_facts,
    feature_pipelines,
    importance,
    plan_preview,
    plans,
    proposing,
    stability,
)
from scoring.engine.families import FAMILIES
from scoring.models import FeaturePipeline
from scoring.views.features import possible_owners

REASON = 500


class FeatureOut(s.Serializer):
    """One number a model may learn from."""

    name = s.CharField(source="feature.name")
    meaning = s.CharField(source="feature.meaning")
    missing = s.FloatField(allow_null=True, help_text="Share of unknown values on the latest day")
    stability = s.FloatField(
        allow_null=True,
        help_text="Population stability index: the latest seven days beside what the champion "
        "learnt from; null: not known",
    )
    moved = s.CharField(help_text="The same in words: stable, moved, moved much")
    importance = s.SerializerMethodField(help_text="By version: share of all that moved scores")

    @extend_schema_field(s.DictField(child=s.FloatField(allow_null=True)))
    def get_importance(self, known: Any) -> dict[str, float | None]:
        return {str(version): share for version, share in known.importance}


class FamilyOut(s.Serializer):
    """Features of one kind, and who answers for them."""

    key = s.CharField()
    title = s.CharField(source="family.title")
    meaning = s.CharField(source="family.meaning")
    owner = Person()
    gain = s.FloatField(allow_null=True, help_text="Average precision it adds; null: not measured")
    features = FeatureOut(many=True)


class FeaturesOut(s.Serializer):
    """Every feature there is, by family."""

    families = FamilyOut(many=True)


class OwnerIn(Strict):
    """Who answers for it from now on."""

    owner = Text(max_length=150, help_text="An engineer or a model owner, by user name")


class OwnerOut(s.Serializer):
    """Who answers for a family."""

    family = s.CharField()
    owner = Person()
    since = s.DateTimeField()


class PipelineTextIn(Strict):
    """A document."""

    text = Text(max_length=plans.MOST, trim_whitespace=False, help_text="YAML")


class PipelineIn(PipelineTextIn):
    """A document, and why it is written."""

    reason = Text(max_length=REASON)


class PipelineReasonIn(Strict):
    """Why the next trainings should use it."""

    reason = Text(max_length=REASON)


class PipelineRowOut(s.ModelSerializer):
    """A version of what models learn from."""

    title = s.CharField(source="__str__", help_text="P3")
    made_by = Person(help_text="null: the installation itself")

    class Meta:
        model = FeaturePipeline
        fields = (
            "id", "number", "title", "name", "sha256", "active", "made_by", "made_at", "reason",
        )  # fmt: skip


class PipelineOut(PipelineRowOut):
    """A version with its document."""

    class Meta(PipelineRowOut.Meta):
        fields = (*PipelineRowOut.Meta.fields, "text")


class ColumnTriedOut(s.Serializer):
    """A feature before and after: mean and spread; null: unknown."""

    name = s.CharField(source="feature.name")
    known = s.FloatField(help_text="Share of known values")
    before = s.ListField(child=s.FloatField(), allow_null=True)
    after = s.ListField(child=s.FloatField(), allow_null=True)
    low = s.FloatField(allow_null=True)
    high = s.FloatField(allow_null=True)


class PipelineTriedOut(s.Serializer):
    """What a document does to the vectors of the latest decisions."""

    rows = s.IntegerField()
    columns = ColumnTriedOut(many=True)
    left_out = s.SerializerMethodField()

    def get_left_out(self, preview: Any) -> list[str]:
        return [feature.name for feature in preview.left_out]


class AdviceOut(s.Serializer):
    """Features that are alike, what is proposed for them, and why."""

    step = s.SerializerMethodField()
    features = s.ListField(child=s.CharField(), source="columns")
    why = s.CharField()

    def get_step(self, advice: Any) -> str:
        return proposing.step_in_words(advice.step)


class PipelineProposalOut(s.Serializer):
    """A document to read, change, try and save."""

    text = s.CharField(help_text="YAML")
    rows = s.IntegerField(help_text="The latest decisions, which were looked at")
    advice = AdviceOut(many=True)


class Features(Resource):
    @does("readFeatures", "feature.view", FeaturesOut)
    def get(self, request: Request) -> dict[str, Any]:
        """Every feature with its meaning, how often it is unknown, and what it moves."""
        return {"families": feature_facts.families(importance.in_use(), stability.of_champion())}


class Owner(Resource):
    @does("handOverFamily", "pipeline.edit", OwnerOut, body=OwnerIn)
    def post(self, request: Request, family: str, given: dict[str, Any]) -> Any:
        """Make somebody answer for a family of features."""
        if family not in FAMILIES:
            raise Http404("There is no such family.")
        person = possible_owners().filter(username=given["owner"]).first()
        if person is None:
            sentence = "No engineer and no model owner is called that."
            raise Problem(400, "unknown_user", sentence, pointer="/owner")
        return feature_facts.hand_over(by=request.user, family=family, to=person)


class AboutPipeline(Resource):
    """One pipeline. Every verb answers it as it is then."""

    refusals = (feature_pipelines.Refused,)

    def handle_exception(self, error: Exception) -> Any:
        if isinstance(error, plans.Unreadable):
            errors = [{"pointer": "/text", "detail": str(fault)} for fault in error.problems]
            error = Problem(400, "unreadable", "This is not a pipeline.", errors=errors)
        return super().handle_exception(error)

    def one(self, request: Request, pk: int) -> FeaturePipeline:
        return self.found(_pipelines(), pk)


class Pipelines(AboutPipeline):
    """The pipelines."""

    @does("listPipelines", "feature.view", page(PipelineRowOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Versions of what models learn from, latest first; one is used by the next training."""
        feature_pipelines.active()  # the first version is there before the first question
        return latest_first(_pipelines(), asked)

    @does("savePipeline", "pipeline.edit", PipelineOut, body=PipelineIn, status=201)
    def post(self, request: Request, given: dict[str, Any]) -> FeaturePipeline:
        """Keep a document as the next version; 400 names every fault with its line."""
        return self.one(request, feature_pipelines.save(by=request.user, **given).pk)


class TryPipeline(AboutPipeline):
    @does("tryPipeline", "pipeline.edit", PipelineTriedOut, body=PipelineTextIn)
    def post(self, request: Request, given: dict[str, Any]) -> Any:
        """Say what a document does to the vectors of the latest decisions; nothing is stored."""
        return plan_preview.preview(plans.read(given["text"]))


class Propose(Resource):
    @does("proposePipeline", "pipeline.edit", PipelineProposalOut, refused=(409,))
    def get(self, request: Request) -> Any:
        """Make a document from what the latest decisions look like; nothing is kept."""
        try:
            return proposing.propose()
        except proposing.TooFew as few:
            raise Problem(409, "too_few", str(few)) from None


class OnePipeline(AboutPipeline):
    @does("readPipeline", "feature.view", PipelineOut, versioned=True)
    def get(self, request: Request, pk: int) -> FeaturePipeline:
        """One version with its document."""
        return self.one(request, pk)


class Activate(AboutPipeline):
    @does("activatePipeline", "pipeline.activate", PipelineOut, body=PipelineReasonIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> FeaturePipeline:
        """Have the next trainings use it. Models trained before keep theirs."""
        feature_pipelines.activate(by=request.user, pipeline=self.one(request, pk), **given)
        return self.one(request, pk)


def _pipelines() -> "QuerySet[FeaturePipeline]":
    return FeaturePipeline.objects.select_related("made_by")
