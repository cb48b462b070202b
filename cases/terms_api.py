"""How the cases of each queue are handled, for programs of admins."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from alerts.models import Queue
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Flag, Listed, Strict, page
from cases.terms import change_terms, terms_of


class TermsIn(Strict):
    """What changes; what is not named stays."""

    creation_approval = Flag(required=False, help_text="A second person approves the opening")


class TermsOut(s.Serializer):
    """How the cases of a queue are handled."""

    queue = s.IntegerField(source="pk")
    name = s.CharField()
    creation_approval = s.SerializerMethodField()

    def get_creation_approval(self, queue: Queue) -> bool:
        return terms_of(queue).creation_approval


class Terms(Resource):
    """All queues."""

    @does("listCaseTerms", "user.manage", page(TermsOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """How the cases of each queue are handled; latest queue first."""
        return latest_first(Queue.objects.select_related("terms"), asked)


class TermsOfQueue(Resource):
    """One queue."""

    def one(self, request: Request, pk: int) -> Queue:
        return self.found(Queue.objects.select_related("terms"), pk)

    @does("changeCaseTerms", "user.manage", TermsOut, body=TermsIn, versioned=True)
    def patch(self, request: Request, pk: int, given: dict[str, Any]) -> Queue:
        """Say how the cases of a queue are handled from now on."""
        change_terms(by=request.user, queue=self.one(request, pk), **given)
        return self.one(request, pk)
