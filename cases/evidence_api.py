"""Evidence of a case for programs: listed, added, and read byte for byte."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Download, Resource, does
from anomalyshield.rest.shapes import Listed, Person, page
from cases import evidence
from cases.evidence import MOST_BYTES
from cases.evidence_views import download_of
from cases.filekinds import MEDIA_TYPES
from cases.models import Evidence
from cases.views import find
from cases.workflow import Refused
from scoring.receiving import went_wrong

NOTE = 500


class EvidenceIn(s.Serializer):
    """A file of at most 10 MB, and what it shows."""

    file = s.FileField(help_text="PDF, PNG, JPEG, GIF, docx, xlsx, or text in UTF-8")
    note = s.CharField(required=False, max_length=NOTE)


class EvidenceOut(s.ModelSerializer):
    """A file kept with a case."""

    kind = s.CharField(source="title", help_text="By its content, for people")
    sha256 = s.CharField(help_text="Checked whenever it is read")
    added_by = Person()

    class Meta:
        model = Evidence
        fields = (
            "id", "name", "kind", "media_type", "bytes", "sha256", "note", "added_by", "added_at",
        )  # fmt: skip


class EvidenceAddedOut(EvidenceOut):
    """A file just kept with a case."""

    notice = s.SerializerMethodField(help_text="Why it has another name than was sent, or empty")

    class Meta(EvidenceOut.Meta):
        fields = (*EvidenceOut.Meta.fields, "notice")

    def get_notice(self, kept: Evidence) -> str:
        return evidence.renaming(self.context["sent"], kept)


class CaseEvidence(Resource):
    """The files of one case."""

    actions: ClassVar[dict[str, str]] = {"POST": "case.work"}
    parser_classes = (MultiPartParser,)
    refusals = (Refused,)

    @does("listEvidence", "case.view", page(EvidenceOut), asked=Listed)
    def get(self, request: Request, pk: int, asked: dict[str, Any]) -> dict[str, Any]:
        """The files kept with a case, without their bytes; latest first."""
        return latest_first(_kept(request, pk), asked)

    @extend_schema(
        operation_id="addEvidence",
        request={"multipart/form-data": EvidenceIn},
        responses={201: EvidenceAddedOut, 409: None, 503: None},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Keep a file with an open case. It is never edited, and locked with the case."""
        found = find(request, pk)
        name, content = _sent(request)
        note = _note(request)
        kept = evidence.add(by=request.user, case=found, name=name, content=content, note=note)
        told = EvidenceAddedOut(kept, context={"sent": name}).data
        return Response(told, 201, headers={"Cache-Control": "no-store"})


class EvidenceCheckOut(s.Serializer):
    """A file whose bytes are those that were added."""

    holds = s.BooleanField()
    sha256 = s.CharField()


class CheckEvidence(Resource):
    refusals = (Refused,)

    @does("checkEvidence", "case.view", EvidenceCheckOut)
    def post(self, request: Request, pk: int, number: int) -> dict[str, Any]:
        """Look whether a file is still what was added; 409 if not."""
        kept = self.found(_kept(request, pk), number)
        evidence.check(by=request.user, evidence=kept)
        return {"holds": True, "sha256": kept.sha256}


class OneEvidence(Download):
    """The bytes of one file; whatever else is accepted, these are not JSON."""

    action = "case.view"

    @extend_schema(
        operation_id="readEvidence",
        responses={**{(200, one): OpenApiTypes.BINARY for one in MEDIA_TYPES}, 409: None},
    )
    def get(self, request: Request, pk: int, number: int) -> HttpResponse:
        """The file as it was added; 409 if its bytes are no longer those."""
        kept = get_object_or_404(_kept(request, pk), pk=number)
        try:
            return download_of(request.user, kept)
        except evidence.Damaged as damaged:
            raise Problem(409, "damaged", str(damaged)) from None


def _kept(request: Request, pk: int) -> QuerySet[Evidence]:
    return find(request, pk).evidence.select_related("added_by", "case")


def _sent(request: Request) -> tuple[str, bytes]:
    if reason := went_wrong(request._request):
        raise Problem(503, "no_room", reason, pointer="/file", retry_after=60)
    file = request.FILES.get("file")
    if file is None:
        raise Problem(400, "required", "Send the file as the part named file.", pointer="/file")
    if file.size > MOST_BYTES:  # before it is read into memory
        words = f"The file is larger than {MOST_BYTES // 1024**2} MB."
        raise Problem(413, "too_large", words, pointer="/file")
    return file.name, file.read()


def _note(request: Request) -> str:
    others = set(request.data) - {"file", "note"}
    if others:
        raise Problem(400, "unknown_field", "There is no such part.", pointer=f"/{min(others)}")
    note = str(request.data.get("note", ""))
    if len(note) > NOTE or "\x00" in note:
        raise Problem(400, "invalid", f"At most {NOTE} letters.", pointer="/note")
    return note
