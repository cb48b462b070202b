"""Webhook endpoints for programs of admins: made, changed, rotated, paused, tried, sent again."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.leases import Leased
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Choice, Listed, Person, Strict, Text, page
from scoring.models import Delivery, Endpoint
from scoring.webhooks import endpoints
from scoring.webhooks.events import EVENTS

CHOICES = list(EVENTS)
ADDRESS = "https://, or http:// to named networks, or kafka: and a topic"


class EndpointChangeIn(Strict):
    """What changes; what is not named stays."""

    name = Text(max_length=80, required=False)
    url = Text(max_length=500, required=False, help_text=ADDRESS)
    events = s.ListField(child=Choice(CHOICES), min_length=1, required=False)
    finality = Choice(
        Endpoint.Finality.choices,
        required=False,
        allow_blank=True,
        help_text="What they hold to be final once it was told; empty: nothing",
    )


class EndpointIn(EndpointChangeIn):
    """A new endpoint."""

    name = Text(max_length=80)
    url = Text(max_length=500, help_text=ADDRESS)
    events = s.ListField(child=Choice(CHOICES), min_length=1)


class EndpointOut(s.ModelSerializer):
    """An address of an upstream system and how it fares."""

    events = s.ListField(child=s.ChoiceField(CHOICES))
    finality = s.ChoiceField(Endpoint.Finality.values)
    made_by = Person()

    class Meta:
        model = Endpoint
        fields = (
            "id", "name", "url", "events", "finality", "state", "stopped_because", "failures",
            "failing_since", "rest_until", "former_until", "made_by", "made_at",
        )  # fmt: skip


class EndpointMadeOut(EndpointOut):
    """An endpoint with its secret, told this once."""

    secret = s.CharField(help_text="whsec_…: verifies our signatures; empty for a topic")

    class Meta(EndpointOut.Meta):
        fields = (*EndpointOut.Meta.fields, "secret")


class SecretOut(s.Serializer):
    """A new secret, told this once. For a day the former one signs too."""

    secret = s.CharField()


class DeliveryOut(s.ModelSerializer):
    """An event on its way to an endpoint."""

    event = s.CharField(source="event.__str__", help_text="Its webhook-id")
    type = s.CharField(source="event.type")
    state = s.ChoiceField(
        Leased.State.choices, help_text="DONE: it answered 2xx, or the broker has it"
    )
    final = s.BooleanField(help_text="They hold it to be final")

    class Meta:
        model = Delivery
        fields = (
            "id", "event", "type", "state", "tries", "status", "said", "sent_at", "due_at",
            "final",
        )  # fmt: skip


class AboutEndpoint(Resource):
    """One endpoint. Every verb answers it as it is then."""

    refusals = (endpoints.Refused,)

    def handle_exception(self, error: Exception) -> Any:
        if isinstance(error, endpoints.Refused) and error.field:
            status = 409 if error.field == "name" else 400
            error = Problem(status, "refused", str(error), pointer=f"/{error.field}")
        return super().handle_exception(error)

    def one(self, request: Request, pk: int) -> Endpoint:
        return self.found(Endpoint.objects.select_related("made_by"), pk)


class Endpoints(AboutEndpoint):
    """The endpoints."""

    @does("listEndpoints", "endpoint.manage", page(EndpointOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Endpoints of upstream systems, latest first."""
        return latest_first(Endpoint.objects.select_related("made_by"), asked)

    @does("makeEndpoint", "endpoint.manage", EndpointMadeOut, body=EndpointIn, status=201)
    def post(self, request: Request, given: dict[str, Any]) -> Endpoint:
        """Make an endpoint. The answer holds its secret, and nothing else ever does."""
        made, secret = endpoints.make(by=request.user, **given)
        found = self.one(request, made.pk)
        found.secret = secret
        return found


class OneEndpoint(AboutEndpoint):
    @does("readEndpoint", "endpoint.manage", EndpointOut, versioned=True)
    def get(self, request: Request, pk: int) -> Endpoint:
        """One endpoint and how it fares."""
        return self.one(request, pk)

    @does("changeEndpoint", "endpoint.manage", EndpointOut, body=EndpointChangeIn)
    def patch(self, request: Request, pk: int, given: dict[str, Any]) -> Endpoint:
        """Change an endpoint; what is queued goes to the new address."""
        endpoints.change(by=request.user, endpoint=self.one(request, pk), **given)
        return self.one(request, pk)


class Rotate(AboutEndpoint):
    @does("rotateSecret", "endpoint.manage", SecretOut)
    def post(self, request: Request, pk: int) -> dict[str, str]:
        """Give it a new secret; for a day both sign."""
        return {"secret": endpoints.rotate(by=request.user, endpoint=self.one(request, pk))}


class Pause(AboutEndpoint):
    @does("pauseEndpoint", "endpoint.manage", EndpointOut, versioned=True)
    def post(self, request: Request, pk: int) -> Endpoint:
        """Send nothing there for now; what happens meanwhile waits."""
        endpoints.pause(by=request.user, endpoint=self.one(request, pk))
        return self.one(request, pk)


class Resume(AboutEndpoint):
    @does("resumeEndpoint", "endpoint.manage", EndpointOut, versioned=True)
    def post(self, request: Request, pk: int) -> Endpoint:
        """Go on, also after the platform stopped it: what waited is sent now."""
        endpoints.resume(by=request.user, endpoint=self.one(request, pk))
        return self.one(request, pk)


class TryOut(AboutEndpoint):
    @does("tryEndpoint", "endpoint.manage", DeliveryOut, status=202)
    def post(self, request: Request, pk: int) -> Delivery:
        """Send a harmless event, to see that address and secret fit."""
        return endpoints.try_out(by=request.user, endpoint=self.one(request, pk))


class Deliveries(AboutEndpoint):
    @does("listDeliveries", "endpoint.manage", page(DeliveryOut), asked=Listed)
    def get(self, request: Request, pk: int, asked: dict[str, Any]) -> dict[str, Any]:
        """What was sent there, or is on its way, latest first."""
        return latest_first(_deliveries().filter(endpoint=self.one(request, pk)), asked)


class SendAgain(AboutEndpoint):
    @does("sendAgain", "endpoint.manage", DeliveryOut, status=202)
    def post(self, request: Request, pk: int, delivery: int) -> Delivery:
        """Try what was given up once more, with the same id."""
        found = self.found(_deliveries().filter(endpoint=self.one(request, pk)), delivery)
        return endpoints.send_again(by=request.user, delivery=found)


def _deliveries() -> "QuerySet[Delivery]":
    return Delivery.objects.select_related("event", "endpoint")
