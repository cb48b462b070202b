"""How the cases of each queue are handled, for programs of admins."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from alerts.models import Queue
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Flag, Listed, Strict, Text, Whole, page
from cases.models import BusinessCalendar
from cases.terms import change_terms, terms_of, told


class TermsIn(Strict):
    """What changes; what is not named stays."""

    creation_approval = Flag(required=False, help_text="A second person approves the opening")
    calendar = Text(max_length=80, required=False, allow_null=True, help_text="By name")
    hours_critical = Whole(min_value=1, max_value=2000, required=False)
    hours_high = Whole(min_value=1, max_value=2000, required=False)
    hours_medium = Whole(min_value=1, max_value=2000, required=False)
    hours_low = Whole(min_value=1, max_value=2000, required=False)


class TermsOut(s.Serializer):
    """How the cases of a queue are handled."""

    queue = s.IntegerField(source="pk")
    name = s.CharField()
    creation_approval = s.BooleanField()
    calendar = s.CharField(allow_null=True, help_text="Null: the default one")
    hours_critical = s.IntegerField(help_text="Of business time, from opening to closure")
    hours_high = s.IntegerField()
    hours_medium = s.IntegerField()
    hours_low = s.IntegerField()

    def to_representation(self, queue: Queue) -> dict[str, Any]:
        return {"queue": queue.pk, "name": queue.name, **told(terms_of(queue))}


class Terms(Resource):
    """All queues."""

    @does("listCaseTerms", "user.manage", page(TermsOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """How the cases of each queue are handled; latest queue first."""
        return latest_first(Queue.objects.select_related("terms__calendar"), asked)


class TermsOfQueue(Resource):
    """One queue."""

    def one(self, request: Request, pk: int) -> Queue:
        return self.found(Queue.objects.select_related("terms__calendar"), pk)

    @does("changeCaseTerms", "user.manage", TermsOut, body=TermsIn, versioned=True)
    def patch(self, request: Request, pk: int, given: dict[str, Any]) -> Queue:
        """Say how the cases of a queue are handled from now on."""
        if given.get("calendar") is not None:
            given["calendar"] = _calendar(given["calendar"])
        change_terms(by=request.user, queue=self.one(request, pk), **given)
        return self.one(request, pk)


def _calendar(name: str) -> BusinessCalendar:
    found = BusinessCalendar.objects.filter(name=name).first()
    if found is None:
        raise Problem(400, "unknown_calendar", "No calendar is called that.", pointer="/calendar")
    return found
