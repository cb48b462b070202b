"""Routes for programs: drafted in order, tried on past alerts, put into force by two people."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers as s
from rest_framework.request import Request

from alerts import directing
from alerts.conditions import CONDITIONS, AtLeast, Below, OneOf, in_words
from alerts.models import Queue, Route, Routing
from alerts.rehearsal import rehearse
from alerts.route_forms import DAYS, WORDS, contradictions
from anomalyshield.audit.record import denied
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, Number, Person, Strict, Text, Whole, page

REASON = 500
SAID = ("name", "queue", "grouping", "window_hours", "sla_minutes", "conditions")


class ConditionsIn(Strict):
    """All that are given must hold; of a list, one value is enough."""

    def get_fields(self) -> dict[str, s.Field]:
        return {condition.name: _field(condition) for condition in CONDITIONS}

    def validate(self, said: dict[str, Any]) -> dict[str, Any]:
        if wrong := contradictions(said):
            raise s.ValidationError(dict(wrong))
        return {name: value for name, value in said.items() if value != []}


class RouteChangeIn(Strict):
    """What a route says from now on; what is not named stays."""

    name = Text(max_length=80, required=False)
    queue = s.SlugField(max_length=80, required=False, help_text="The slug of one")
    grouping = s.ChoiceField(Route.Grouping.choices, required=False)
    window_hours = Whole(min_value=1, max_value=720, required=False, help_text="Between payments")
    sla_minutes = Whole(
        min_value=5,
        max_value=43_200,
        required=False,
        allow_null=True,
        help_text="null: the queue's",
    )
    conditions = ConditionsIn(required=False, help_text="Of the default there are none")

    def validate_queue(self, slug: str) -> Queue:
        if found := Queue.objects.filter(slug=slug).first():
            return found
        raise s.ValidationError("There is no such queue.")


class RouteIn(RouteChangeIn):
    """A route more, just before the default."""

    name = Text(max_length=80)
    queue = s.SlugField(max_length=80, help_text="The slug of one")
    conditions = ConditionsIn()


class MoveIn(Strict):
    """Which way."""

    to = s.ChoiceField(["up", "down"])


class RoutingReasonIn(Strict):
    """Why; it stays with the version."""

    reason = Text(max_length=REASON)


class SeenIn(Strict):
    """Which content was read."""

    seen = Text(max_length=64, help_text="The `digest` of the version that was read")


class TrialAsked(Strict):
    """How far back."""

    days = s.ChoiceField([str(days) for days, _ in DAYS], required=False, default="7")


class RouteOut(s.ModelSerializer):
    """One route; the first that takes a payment has it."""

    queue = s.CharField(source="queue.slug")
    conditions = s.DictField()
    in_words = s.SerializerMethodField()

    class Meta:
        model = Route
        fields = (
            "id", "name", "queue", "conditions", "in_words", "grouping", "window_hours",
            "sla_minutes", "is_default",
        )  # fmt: skip

    def get_in_words(self, route: Route) -> str:
        return in_words(route.conditions)


class RoutingRowOut(s.ModelSerializer):
    """A version of the whole list."""

    drafted_by = Person(help_text="null: the installation itself")
    proposed_by = Person()
    answered_by = Person()

    class Meta:
        model = Routing
        fields = (
            "id", "number", "state", "drafted_by", "drafted_at", "reason", "proposed_by",
            "answered_by", "answered_at", "answer",
        )  # fmt: skip


class RoutingOut(RoutingRowOut):
    """A version with its routes in order."""

    routes = RouteOut(many=True)
    digest = s.CharField(help_text="Say it as `seen` when you approve: it is of this content")

    class Meta(RoutingRowOut.Meta):
        fields = (*RoutingRowOut.Meta.fields, "digest", "routes")


class LineOut(s.Serializer):
    """What one route would have taken."""

    route = s.IntegerField(source="route.pk")
    payments = s.IntegerField()
    alerts = s.IntegerField()
    shadowed = s.IntegerField(help_text="It asks for them, but routes before it take them")
    share = s.FloatField()


class MovedOut(s.Serializer):
    """Payments that would go elsewhere."""

    origin = s.CharField(source="0")
    target = s.CharField(source="1")
    payments = s.IntegerField(source="2")


class TrialOut(s.Serializer):
    """The payments of past alerts under these routes, and under those in force."""

    days = s.IntegerField()
    payments = s.IntegerField()
    capped = s.BooleanField(help_text="Only the latest were tried")
    alerts = s.IntegerField()
    alerts_in_force = s.IntegerField()
    lines = LineOut(many=True)
    moved = MovedOut(many=True)


class AboutRouting(Resource):
    """One version. Every verb answers the version as it is then."""

    refusals = (directing.Refused,)

    def one(self, request: Request, pk: int, route: int | None = None) -> Routing:
        return self.found(_versions().prefetch_related("routes__queue"), pk)

    def line(self, pk: int, route: int) -> Route:
        found: Route = get_object_or_404(
            Route.objects.select_related("routing"), pk=route, routing=pk
        )
        return found


class Routings(AboutRouting):
    """The versions."""

    @does("listRoutings", "route.view", page(RoutingRowOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Versions of the routes, latest first; one is in force."""
        return latest_first(_versions(), asked)


class Draft(AboutRouting):
    @does("draftRouting", "route.edit", RoutingOut)
    def post(self, request: Request) -> Routing:
        """Begin the next version as a copy of what is in force, or answer the draft there is."""
        return self.one(request, directing.draft(by=request.user).pk)


class OneRouting(AboutRouting):
    @does("readRouting", "route.view", RoutingOut, versioned=True)
    def get(self, request: Request, pk: int) -> Routing:
        """One version with its routes in order."""
        return self.one(request, pk)


class Trial(AboutRouting):
    @does("tryRouting", "route.view", TrialOut, asked=TrialAsked)
    def get(self, request: Request, pk: int, asked: dict[str, Any]) -> Any:
        """Say what these routes would have done with the payments of past alerts."""
        return rehearse(list(self.one(request, pk).routes.all()), days=int(asked["days"]))


class Add(AboutRouting):
    @does("addRoute", "route.edit", RoutingOut, body=RouteIn, status=201, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Routing:
        """Add a route to a draft, just before the default."""
        said = directing.Said(**given)
        directing.add(by=request.user, routing=self.one(request, pk), said=said)
        return self.one(request, pk)


class OneRoute(AboutRouting):
    @does("changeRoute", "route.edit", RoutingOut, body=RouteChangeIn, versioned=True)
    def patch(self, request: Request, pk: int, route: int, given: dict[str, Any]) -> Routing:
        """Say something else in a route of a draft."""
        Routing.objects.select_for_update(no_key=True).filter(pk=pk).first()
        line = self.line(pk, route)
        said = {name: getattr(line, name) for name in SAID} | given
        directing.change(by=request.user, route=line, said=directing.Said(**said))
        return self.one(request, pk)


class Move(AboutRouting):
    @does("moveRoute", "route.edit", RoutingOut, body=MoveIn, versioned=True)
    def post(self, request: Request, pk: int, route: int, given: dict[str, Any]) -> Routing:
        """Move a route of a draft one place up or down; the default stays last."""
        directing.move(by=request.user, route=self.line(pk, route), up=given["to"] == "up")
        return self.one(request, pk)


class Remove(AboutRouting):
    @does("removeRoute", "route.edit", RoutingOut, versioned=True)
    def post(self, request: Request, pk: int, route: int) -> Routing:
        """Take a route out of a draft."""
        directing.remove(by=request.user, route=self.line(pk, route))
        return self.one(request, pk)


class Discard(AboutRouting):
    @does("discardRouting", "route.edit", None, status=204)
    def post(self, request: Request, pk: int) -> None:
        """Throw a draft away."""
        directing.discard(by=request.user, routing=self.one(request, pk))


class Propose(AboutRouting):
    @does("proposeRouting", "route.edit", RoutingOut, body=RoutingReasonIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Routing:
        """Ask a second person to put a draft into force."""
        directing.propose(by=request.user, routing=self.one(request, pk), **given)
        return self.one(request, pk)


class Approve(AboutRouting):
    @does("approveRouting", "route.activate", RoutingOut, body=SeenIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Routing:
        """Put what was proposed into force: new alerts go by it."""
        found = self.one(request, pk)
        try:
            directing.approve(by=request.user, routing=found, **given)
        except directing.Refused as refusal:
            denied(by=request.user, action="route.activate", object=found, reason=str(refusal))
            raise
        return self.one(request, pk)


class Refuse(AboutRouting):
    @does("refuseRouting", "route.edit", RoutingOut, body=RoutingReasonIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Routing:
        """Say no to what was proposed, or withdraw it."""
        directing.refuse(by=request.user, routing=self.one(request, pk), **given)
        return self.one(request, pk)


def _versions() -> "QuerySet[Routing]":
    return Routing.objects.select_related("drafted_by", "proposed_by", "answered_by")


def _field(condition: OneOf | AtLeast | Below) -> s.Field:
    if not isinstance(condition, OneOf):
        most = 1.0 if condition.name.startswith("score") else 1e12
        return Number(min_value=0, max_value=most, required=False, help_text=condition.title)
    choices = [value for value, _ in condition.choices]
    one: s.Field = s.ChoiceField(choices) if choices else Text(max_length=100)
    words = condition.help or condition.title
    return s.ListField(child=one, max_length=WORDS, required=False, help_text=words)
