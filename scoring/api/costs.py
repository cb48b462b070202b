"""The cost model for programs: read, asked for, answered by a second person."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, Number, Person, Strict, Text, page
from scoring import cost_changes, cost_effect, costs
from scoring.cost_changes import Refused
from scoring.engine.costs import MOST_AMOUNT, Costs, wrong
from scoring.models import CostModel, CostRequest

REASON = 2000


def _figure(name: str) -> Number:
    meaning = costs.MEANINGS[name]
    most = 1 if meaning.share else MOST_AMOUNT
    return Number(min_value=0, max_value=most, required=False, help_text=meaning.title)


class FiguresIn(Strict):
    """What changes; what is not named stays as it is in force. Shares are 0 to 1."""

    loss_share = _figure("loss_share")
    recovery = _figure("recovery")
    missed_fee = _figure("missed_fee")
    review_cost = _figure("review_cost")
    friction_review = _figure("friction_review")
    friction_block = _figure("friction_block")
    sure_critical = _figure("sure_critical")
    sure_high = _figure("sure_high")
    sure_below = _figure("sure_below")


class CostTrialIn(Strict):
    """Figures to try."""

    values = FiguresIn()


class CostAskIn(Strict):
    """Figures to ask for, and where they come from."""

    values = FiguresIn()
    reason = Text(max_length=REASON)


class CostApprovalIn(Strict):
    """What the second person says, if there is something to say."""

    reason = Text(max_length=REASON, required=False, default="", allow_blank=True)


class CostRefusalIn(Strict):
    """Why not."""

    reason = Text(max_length=REASON)


class CostModelOut(s.ModelSerializer):
    """One version of the cost model; it is never edited. `created_by` answers for its figures."""

    values = s.DictField(child=s.FloatField())
    created_by = Person(help_text="null: the installation itself")

    class Meta:
        model = CostModel
        fields = ("id", "version", "active", "values", "created_by", "created_at", "reason")


class FigureMovedOut(s.Serializer):
    """One figure that differs."""

    name = s.CharField()
    before = s.FloatField()
    after = s.FloatField()


class CostRequestOut(s.ModelSerializer):
    """A change that was asked for, and what was answered."""

    base = s.IntegerField(source="base.version", help_text="The cost model it changes")
    changes = s.SerializerMethodField()
    became = s.IntegerField(
        source="became.version", allow_null=True, default=None, help_text="What it became"
    )
    asked_by = Person()
    answered_by = Person()

    class Meta:
        model = CostRequest
        fields = (
            "id", "state", "base", "changes", "reason", "asked_by", "asked_at", "answered_by",
            "answered_at", "answer", "became",
        )  # fmt: skip

    def get_changes(self, asked: CostRequest) -> list[dict[str, Any]]:
        return _moved(asked.base.values, asked.values)


class BreakEvenOut(s.Serializer):
    """From which probability a review of a payment of this amount pays; null: never."""

    amount = s.FloatField()
    net_loss = s.FloatField(help_text="What a fraud of this amount costs")
    break_even = s.FloatField(allow_null=True)
    before = s.FloatField(allow_null=True, help_text="Under the costs in force")


class CheapestOut(s.Serializer):
    """The champion's cheapest threshold on its held-out rows."""

    cut = s.FloatField()
    per_day = s.FloatField(allow_null=True)
    total = s.FloatField()
    version = s.CharField()


class CostEffectOut(s.Serializer):
    """What other figures would mean."""

    changes = FigureMovedOut(many=True)
    break_even = BreakEvenOut(many=True)
    cheapest = CheapestOut(allow_null=True)


class AboutCostRequest(Resource):
    """One change. Every verb answers it as it is then."""

    refusals = (Refused,)

    def one(self, request: Request, pk: int) -> CostRequest:
        return self.found(_requests(), pk)


class CostModels(Resource):
    """The cost models."""

    @does("listCosts", "cost.view", page(CostModelOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Every version there was, latest first; the active one is in force."""
        costs.active()
        return latest_first(CostModel.objects.select_related("created_by"), asked)


class TryCosts(Resource):
    @does("tryCosts", "cost.edit", CostEffectOut, body=CostTrialIn)
    def post(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Say what other figures would mean; nothing changes."""
        before, wanted = costs.in_force(), _wanted(given["values"])
        return {
            "changes": _moved(before.as_dict(), wanted.as_dict()),
            "break_even": cost_effect.lines(wanted, before),
            "cheapest": cost_effect.cheapest(wanted),
        }


class Requests(AboutCostRequest):
    """The changes that were asked for."""

    @does("listCostRequests", "cost.view", page(CostRequestOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Changes that were asked for, latest first."""
        return latest_first(_requests(), asked)

    @does("askCosts", "cost.edit", CostRequestOut, body=CostAskIn, status=201)
    def post(self, request: Request, given: dict[str, Any]) -> CostRequest:
        """Ask that these figures be put into force; one change at a time."""
        wanted = _wanted(given["values"])
        asked = cost_changes.ask(by=request.user, wanted=wanted, reason=given["reason"])
        return self.one(request, asked.pk)


class OneRequest(AboutCostRequest):
    @does("readCostRequest", "cost.view", CostRequestOut, versioned=True)
    def get(self, request: Request, pk: int) -> CostRequest:
        """One change, what differs, and the answer."""
        return self.one(request, pk)


class Approve(AboutCostRequest):
    @does("approveCosts", "cost.activate", CostRequestOut, body=CostApprovalIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> CostRequest:
        """Put it into force as a second person; open alerts are put in its order."""
        found = self.one(request, pk)
        cost_changes.approve(by=request.user, request=found, answer=given["reason"])
        return self.one(request, pk)


class Refuse(AboutCostRequest):
    @does("refuseCosts", "cost.edit", CostRequestOut, body=CostRefusalIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> CostRequest:
        """Answer with no; who asked withdraws it."""
        found = self.one(request, pk)
        cost_changes.refuse(by=request.user, request=found, answer=given["reason"])
        return self.one(request, pk)


def _wanted(values: dict[str, float]) -> Costs:
    """What is in force with these figures; 400 by field for what makes no sense together."""
    wanted = Costs.from_dict({**costs.in_force().as_dict(), **values})
    if bad := wrong(wanted):
        errors = [{"pointer": f"/values/{name}", "detail": why} for name, why in bad.items()]
        raise Problem(400, "invalid", "These figures make no sense together.", errors=errors)
    return wanted


def _moved(before: dict[str, float], after: dict[str, float]) -> list[dict[str, Any]]:
    differing = cost_changes.changes(before, after)
    return [{"name": name, "before": was, "after": will} for name, was, will in differing]


def _requests() -> "QuerySet[CostRequest]":
    return CostRequest.objects.select_related("asked_by", "answered_by", "base", "became")
