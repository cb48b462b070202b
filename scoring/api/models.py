"""Models for programs: versions and trainings, and what the two persons of a promotion do."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Download, Resource, does
from anomalyshield.rest.shapes import Listed, page
from scoring import comparison, promotions, training, updating
from scoring.api.model_shapes import (
    AnswerIn,
    AskIn,
    ModelOut,
    ModelRowOut,
    ModelsAsked,
    ReasonIn,
    RunOut,
    ShadowIn,
    TrainIn,
    UpdateIn,
)
from scoring.models import ModelVersion, PromotionRequest, TrainingRun
from scoring.views.models import card_file


class AboutModel(Resource):
    """One version. Every verb answers the version as it is then."""

    refusals = (promotions.Refused,)

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
        promotions.ask(by=request.user, version=version, **given)
        comparison.renew(version)
        return self.one(request, pk)


class Approve(AboutModel):
    @does("approvePromotion", "model.promote", ModelOut, body=AnswerIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> ModelVersion:
        """Promote what was asked for, exactly that, as a second person."""
        asked = self.asked_of(request, pk)
        promotions.approve(by=request.user, request=asked, answer=given["reason"])
        return self.one(request, pk)


class Refuse(AboutModel):
    @does("refusePromotion", "model.promote", ModelOut, body=ReasonIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> ModelVersion:
        """Answer with no. Who asked withdraws; anybody else rejects the version too."""
        asked = self.asked_of(request, pk)
        promotions.refuse(by=request.user, request=asked, answer=given["reason"])
        return self.one(request, pk)


class Shadow(AboutModel):
    @does("setShadow", "model.train", ModelOut, body=ShadowIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> ModelVersion:
        """Let a candidate score along without deciding, or end that."""
        promotions.set_shadow(by=request.user, version=self.one(request, pk), **given)
        return self.one(request, pk)


class RollBack(AboutModel):
    @does("rollBack", "model.rollback", ModelOut, body=ReasonIn)
    def post(self, request: Request, given: dict[str, Any]) -> ModelVersion:
        """Give the place back to the champion before; the answer is who decides now."""
        return self.one(request, promotions.roll_back(by=request.user, **given).pk)


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
        """One training, to be asked again until its state is DONE, QUARANTINED or CANCELLED."""
        return self.one(request, pk)

    def one(self, request: Request, pk: int) -> TrainingRun:
        return self.found(_runs(), pk)


class RunCancel(Resource):
    """A training nobody wants any more."""

    @does("cancelTraining", "model.train", RunOut, refused=(409,))
    def post(self, request: Request, pk: int) -> TrainingRun:
        """Stop a training or an update. Whatever it has learnt until then is let go."""
        run = self.found(_runs(), pk)
        if not training.cancel(by=request.user, run=run):
            raise Problem(409, "ended", "This training has ended already.")
        return run


def _versions() -> "QuerySet[ModelVersion]":
    return ModelVersion.objects.select_related("trained_by", "update_of")


def _runs() -> "QuerySet[TrainingRun]":
    return TrainingRun.objects.select_related("asked_by")
