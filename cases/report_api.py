"""Reports of a case, for programs: the verbs of the pages."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.audit.record import denied, record
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Download, Resource, does, read
from anomalyshield.rest.shapes import Flag, Listed, Person, Strict, Text, page
from cases import reporting, sections
from cases.forms import LENGTH
from cases.models import Report
from cases.report_export import KINDS, exported
from cases.report_steps import STEPS
from cases.report_views import as_file, one
from cases.states import Refused
from cases.views import find

MOST_PARTS = 1000


def _content(strict: bool) -> dict[str, s.Serializer]:
    """A shape for each section, from the one list of their fields."""
    base, field = (Strict, Text) if strict else (s.Serializer, s.CharField)
    shapes = {}
    for section in sections.SECTIONS:
        boxes: dict[str, Any] = {"__doc__": f"{section.title}."}
        for one_field in section.fields:
            more = {"max_length": one_field.most, "required": False} if strict else {}
            boxes[one_field.name] = field(
                allow_blank=True, help_text=f"{one_field.title}. {one_field.help}".strip(), **more
            )
        name = f"Report{section.name.capitalize()}{'In' if strict else 'Out'}"
        shapes[section.name] = type(name, (base,), boxes)(required=not strict)
    return shapes


ContentIn = type(
    "ReportContentIn",
    (Strict,),
    {"__doc__": "What it says; a section or field that is not named stays.", **_content(True)},
)
ContentOut = type(
    "ReportContentOut", (s.Serializer,), {"__doc__": "What it says.", **_content(False)}
)


class ReportBeginIn(Strict):
    """The day on which facts were found that may ask for a report."""

    on = s.DateField()
    subject_known = Flag(required=False, help_text="Without a known subject there are 60 days")
    reason = Text(max_length=LENGTH, required=False, help_text="Why another day than said before")


class DeclineIn(Strict):
    """Why nothing is reported."""

    no_file = s.ChoiceField(Report.NoFile.choices)
    reason = Text(max_length=LENGTH)


class StepIn(Strict):
    """A step, and what it has to be told."""

    step = s.ChoiceField(list(STEPS))
    seen = Text(max_length=64, required=False, help_text="`proposal`, to confirm or approve")
    reason = Text(max_length=LENGTH, required=False)
    on = s.DateField(required=False, help_text="When it was filed")
    reference = Text(max_length=120, required=False, help_text="The number it has there")


class ExportAsked(Strict):
    """Which file."""

    kind = s.ChoiceField(list(KINDS))
    part = s.IntegerField(min_value=1, max_value=MOST_PARTS, default=1, required=False)
    of = s.IntegerField(min_value=1, max_value=MOST_PARTS, default=1, required=False)


class ReportRowOut(s.ModelSerializer):
    """A report as a line."""

    made_by = Person()
    submitted_by = Person()
    approved_by = Person()
    no_file = s.ChoiceField(["", *Report.NoFile.values])
    filed_on = s.DateField(allow_null=True)

    class Meta:
        model = Report
        fields = (
            "number", "state", "no_file", "reason", "made_by", "made_at", "four_eyes",
            "submitted_by", "approved_by", "filed_on", "reference", "answer",
        )  # fmt: skip


class MissingOut(s.Serializer):
    """What keeps it from being submitted."""

    section = s.CharField()
    field = s.CharField()
    sentence = s.CharField()


class ReportOut(ReportRowOut):
    """A report, what it says, and what is missing."""

    version = s.SerializerMethodField(help_text="0: nothing was written yet")
    content = s.SerializerMethodField()
    missing = s.SerializerMethodField()
    steps = s.SerializerMethodField(help_text="What the caller may do with it now")
    proposal = s.CharField(help_text="Say it as `seen` when you confirm or approve")

    class Meta(ReportRowOut.Meta):
        more = ("version", "content", "missing", "steps", "proposal")
        fields = (*ReportRowOut.Meta.fields, *more)

    def get_version(self, report: Report) -> int:
        return report.current.number if report.current else 0

    @extend_schema_field(ContentOut)
    def get_content(self, report: Report) -> Any:
        return report.current.content if report.current else sections.empty()

    @extend_schema_field(MissingOut(many=True))
    def get_missing(self, report: Report) -> Any:
        wrong = sections.missing(self.get_content(report), timezone.now().date())
        return MissingOut(wrong, many=True).data

    def get_steps(self, report: Report) -> list[str]:
        return reporting.steps_for(report, self.context["user"])


class AboutReport(Resource):
    """One report of a case. Every verb answers it as it is then."""

    refusals = (Refused,)

    def one(self, request: Request, pk: int, number: int) -> Report:
        return one(request, pk, number)


class Reports(AboutReport):
    @does("listReports", "case.work", page(ReportRowOut), asked=Listed)
    def get(self, request: Request, pk: int, asked: dict[str, Any]) -> dict[str, Any]:
        """The reports of a case, latest first."""
        people = ("made_by", "submitted_by", "approved_by")
        return latest_first(find(request, pk).reports.select_related(*people), asked)

    @does("beginReport", "case.work", ReportOut, body=ReportBeginIn, status=201)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Report:
        """Say that something may have to be reported; the regulator's clock runs from that day."""
        made = reporting.begin(by=request.user, case=find(request, pk), **given)
        return self.one(request, pk, made.number)


class OneReport(AboutReport):
    @does("readReport", "case.work", ReportOut, versioned=True)
    def get(self, request: Request, pk: int, number: int) -> Report:
        """What a report says, and what is missing in it."""
        found = self.one(request, pk, number)
        record(by=request.user, action="data.read", object=found.case)
        return found

    @does("saveReport", "case.work", ReportOut, body=ContentIn, versioned=True)
    def patch(self, request: Request, pk: int, number: int, given: dict[str, Any]) -> Report:
        """Keep what it says now as another version."""
        found = self.one(request, pk, number)
        said = found.current.content if found.current else sections.empty()
        whole = {name: {**said[name], **given.get(name, {})} for name in said}
        reporting.save(by=request.user, report=found, content=whole)
        return self.one(request, pk, number)


class Draft(AboutReport):
    @does("draftReport", "case.work", ReportOut, versioned=True)
    def post(self, request: Request, pk: int, number: int) -> Report:
        """Fill dates, sums and the narrative from the rows of the case."""
        reporting.draft(by=request.user, report=self.one(request, pk, number))
        return self.one(request, pk, number)


class Decline(AboutReport):
    @does("declineReport", "case.work", ReportOut, body=DeclineIn, versioned=True)
    def post(self, request: Request, pk: int, number: int, given: dict[str, Any]) -> Report:
        """Propose not to file; a second person has to agree."""
        reporting.decline(by=request.user, report=self.one(request, pk, number), **given)
        return self.one(request, pk, number)


class StepOn(AboutReport):
    @does("stepReport", "case.work", ReportOut, body=StepIn, versioned=True)
    def post(self, request: Request, pk: int, number: int, given: dict[str, Any]) -> Report:
        """Take a report a step further: into review, approved, filed, acknowledged …"""
        found = self.one(request, pk, number)
        try:
            reporting.step(by=request.user, report=found, **given)
        except Refused as refusal:
            if STEPS[given["step"]].second:
                action = f"report.{given['step']}"
                denied(by=request.user, action=action, object=found.case, reason=str(refusal))
            raise
        return self.one(request, pk, number)


class Export(Download):
    """The files of a report."""

    action = "case.work"

    @extend_schema(
        operation_id="exportReport",
        parameters=[ExportAsked],
        responses={
            (200, "text/csv"): OpenApiTypes.BINARY,
            (200, "application/pdf"): OpenApiTypes.BINARY,
            (200, "application/json"): OpenApiTypes.OBJECT,
            400: None,
            409: None,
        },
    )
    def get(self, request: Request, pk: int, number: int) -> HttpResponse:
        """The table of payments as CSV of at most 1 MB, or the whole as JSON or PDF."""
        asked = read(ExportAsked, request.query_params.dict())
        try:
            found = one(request, pk, number)
            name, content = exported(by=request.user, report=found, **asked)
        except Refused as refusal:
            raise Problem(409, "refused", str(refusal)) from None
        return as_file(name, content, asked["kind"])
