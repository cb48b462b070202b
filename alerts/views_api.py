"""Saved views of the queue and how its table looks, for programs of people."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from alerts import viewing
from alerts.models import SavedView
from alerts.views.saved import ViewForm
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, Person, Strict, Text, page


class ViewIn(Strict):
    """Filters and search under a name."""

    name = Text(max_length=40)
    query = Text(max_length=1000, help_text="The address of the page behind its ?: q=amount>5000")
    queue = Text(max_length=80, required=False, help_text="For everybody who works it")


class ViewChangeIn(Strict):
    """What changes; what is not named stays."""

    name = Text(max_length=40, required=False)
    to = s.ChoiceField(["up", "down"], required=False, help_text="One place among its like")


class ViewOut(s.ModelSerializer):
    """A view of the queue."""

    queue = s.CharField(source="queue.slug", allow_null=True, help_text="null: the caller's own")
    made_by = Person()

    class Meta:
        model = SavedView
        fields = ("id", "name", "query", "queue", "made_by", "position")


class DisplayIn(Strict):
    """How the table of the queue looks."""

    density = s.ChoiceField([viewing.COMFORTABLE, viewing.COMPACT])
    hidden = s.ListField(child=s.ChoiceField(list(viewing.COLUMNS)), max_length=20)


class DisplayOut(s.Serializer):
    """How the table of the queue looks to the caller."""

    density = s.ChoiceField([viewing.COMFORTABLE, viewing.COMPACT])
    hidden = s.ListField(child=s.ChoiceField(list(viewing.COLUMNS)))


class AboutView(Resource):
    """A view the caller sees."""

    refusals = (viewing.Refused,)

    def one(self, request: Request, pk: int) -> SavedView:
        return self.found(SavedView.objects.for_person(request.user), pk)


class Views(AboutView):
    """The views of the queue."""

    @does("listViews", "session.own", page(ViewOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """The caller's own views and those of their queues, latest first."""
        rows = SavedView.objects.for_person(request.user).select_related("made_by")
        return latest_first(rows, asked)

    @does("saveView", "session.own", ViewOut, body=ViewIn, status=201, refused=(409,))
    def post(self, request: Request, given: dict[str, Any]) -> SavedView:
        """Keep filters and search under a name, for oneself or for a queue's people."""
        form = ViewForm(given, user=request.user)
        if not form.is_valid():
            errors = [
                {"pointer": f"/{name}", "detail": str(said[0])}
                for name, said in form.errors.as_data().items()
                for said in [[message for one in said for message in one.messages]]
            ]
            raise Problem(400, "unreadable_view", errors[0]["detail"], errors=errors)
        return viewing.save(by=request.user, **form.said)


class OneView(AboutView):
    @does("changeView", "session.own", ViewOut, body=ViewChangeIn, refused=(409,))
    def patch(self, request: Request, pk: int, given: dict[str, Any]) -> SavedView:
        """Rename a view, or move it one place."""
        return viewing.change(by=request.user, view=self.one(request, pk), **given)


class RemoveView(AboutView):
    @does("removeView", "session.own", None, status=204, refused=(409,))
    def post(self, request: Request, pk: int) -> None:
        """Remove a view; the alerts it showed are as they were."""
        viewing.remove(by=request.user, view=self.one(request, pk))


class Display(Resource):
    """How the queue looks to the caller."""

    @does("readDisplay", "session.own", DisplayOut)
    def get(self, request: Request) -> dict[str, Any]:
        """How dense the table stands and which columns are left out."""
        return viewing.look_of(request.user)

    @does("changeDisplay", "session.own", DisplayOut, body=DisplayIn)
    def patch(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Choose how dense the table stands and which columns are left out."""
        return viewing.arrange(by=request.user, **given)
