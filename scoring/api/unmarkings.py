"""That fields of a source be personal no longer, for programs: asked for, answered by a second."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, Person, Strict, Text, page
from scoring import unmarking as verbs
from scoring.models import Source, Unmarking
from scoring.unmarking import LONGEST_REASON, Refused


class UnmarkIn(Strict):
    """Which fields shall be personal no longer, and why."""

    names = s.ListField(
        child=Text(max_length=200),
        min_length=1,
        max_length=200,
        help_text="As the source declares them in `pii`",
    )
    reason = Text(max_length=LONGEST_REASON)


class UnmarkAgreedIn(Strict):
    """What the second person says, if there is something to say."""

    reason = Text(max_length=LONGEST_REASON, required=False, default="", allow_blank=True)


class UnmarkRefusedIn(Strict):
    """Why not."""

    reason = Text(max_length=LONGEST_REASON)


class UnmarkingOut(s.ModelSerializer):
    """What was asked for, and what was answered."""

    source = s.CharField(source="source.name")
    names = s.ListField(child=s.CharField())
    version = s.IntegerField(allow_null=True, help_text="The source's version that came of it")
    asked_by = Person()
    answered_by = Person()

    class Meta:
        model = Unmarking
        fields = (
            "id", "source", "names", "state", "reason", "asked_by", "asked_at", "answered_by",
            "answered_at", "answer", "version",
        )  # fmt: skip


class AboutUnmarking(Resource):
    """One of them. Every verb answers it as it is then."""

    refusals = (Refused,)

    def one(self, request: Request, pk: int) -> Unmarking:
        return self.found(Unmarking.objects.visible_to(request.user).told(), pk)


class OfSource(AboutUnmarking):
    """Those of one source."""

    @does("listUnmarkings", "source.view", page(UnmarkingOut), asked=Listed)
    def get(self, request: Request, pk: int, asked: dict[str, Any]) -> dict[str, Any]:
        """What was asked for of a source, latest first."""
        return latest_first(self._source(request, pk).unmarkings.told(), asked)

    @does("askUnmarking", "source.unmark", UnmarkingOut, body=UnmarkIn, status=201)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Unmarking:
        """Ask that fields be personal no longer; a second person must agree."""
        try:
            asked = verbs.ask(by=request.user, source=self._source(request, pk), **given)
        except Refused as refusal:
            if not refusal.fields:
                raise
            errors = [
                {"pointer": f"/{name}", "detail": why} for name, why in refusal.fields.items()
            ]
            raise Problem(400, "invalid", str(refusal), errors=errors) from None
        return self.one(request, asked.pk)

    def _source(self, request: Request, pk: int) -> Source:
        return self.found(Source.objects.visible_to(request.user), pk)


class OneUnmarking(AboutUnmarking):
    @does("readUnmarking", "source.view", UnmarkingOut, versioned=True)
    def get(self, request: Request, pk: int) -> Unmarking:
        """One of them, and the answer."""
        return self.one(request, pk)


class Approve(AboutUnmarking):
    @does("approveUnmarking", "source.unmark", UnmarkingOut, body=UnmarkAgreedIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Unmarking:
        """Take the marks off as a second person; what is stored stays sealed."""
        verbs.approve(by=request.user, request=self.one(request, pk), answer=given["reason"])
        return self.one(request, pk)


class Refuse(AboutUnmarking):
    @does("refuseUnmarking", "source.unmark", UnmarkingOut, body=UnmarkRefusedIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Unmarking:
        """Answer with no; who asked withdraws it."""
        verbs.refuse(by=request.user, request=self.one(request, pk), answer=given["reason"])
        return self.one(request, pk)
