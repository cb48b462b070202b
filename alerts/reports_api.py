"""Scheduled reports for programs of people."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from alerts import mailing
from alerts.analytics import TABS
from alerts.analytics.window import DAYS
from alerts.mailing import Refused, Wish
from alerts.models import ReportLetter, ScheduledReport
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, Person, Strict, Text, Whole, page


class ScheduledReportIn(Strict):
    """Which figures, how often, to whom."""

    name = Text(max_length=80)
    tab = s.ChoiceField([tab.key for tab in TABS.values() if tab.reported])
    last = s.ChoiceField(list(DAYS))
    cadence = s.ChoiceField(ScheduledReport.Cadence.values)
    hour = Whole(min_value=0, max_value=23, required=False, default=7)
    recipients = s.ListField(
        child=Text(max_length=150),
        min_length=1,
        max_length=mailing.MOST,
        help_text="User names of this installation",
    )


class ScheduledReportOut(s.ModelSerializer):
    """Figures that are sent as they come due."""

    owner = Person()
    recipients = s.SlugRelatedField("username", many=True, read_only=True)

    class Meta:
        model = ScheduledReport
        fields = (
            "id", "name", "owner", "tab", "last", "cadence", "hour", "recipients", "next_at",
            "paused",
        )  # fmt: skip


class ReportLetterOut(s.ModelSerializer):
    """One letter: READY, RUNNING, DONE or QUARANTINED, and what went wrong."""

    report = s.IntegerField(source="report_id")
    recipient = Person()

    class Meta:
        model = ReportLetter
        fields = ("id", "report", "recipient", "slot", "test", "state", "tries", "error", "note")


class AboutReport(Resource):
    """One report."""

    refusals = (Refused,)

    def one(self, request: Request, pk: int) -> ScheduledReport:
        return self.found(_seen(request.user), pk)


class Reports(AboutReport):
    """The scheduled reports."""

    @does("listScheduledReports", "report.schedule", page(ScheduledReportOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """What one has sent or receives, latest first; admins see all."""
        return latest_first(_seen(request.user), asked)

    @does(
        "scheduleReport", "report.schedule", ScheduledReportOut, body=ScheduledReportIn, status=201
    )
    def post(self, request: Request, given: dict[str, Any]) -> ScheduledReport:
        """Have figures sent from their next time on."""
        names = given.pop("recipients")
        people = list(mailing.reachable().filter(username__in=names))
        if missing := sorted(set(names) - {one.username for one in people}):
            words = f"Not reachable by e-mail: {', '.join(missing)}."
            raise Problem(400, "invalid", words, pointer="/recipients")
        try:
            made = mailing.make(by=request.user, wish=Wish(**given), recipients=people)
        except Refused as refusal:
            pointer = f"/{refusal.field}"
            raise Problem(400, "invalid", str(refusal), pointer=pointer) from None
        return self.one(request, made.pk)


class Letters(Resource):
    """The letters."""

    @does("listReportLetters", "report.schedule", page(ReportLetterOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """What was sent of the reports one sees, latest first."""
        rows = ReportLetter.objects.filter(report__in=_seen(request.user).values("pk"))
        return latest_first(rows.select_related("recipient"), asked)


class Pause(AboutReport):
    @does("pauseReport", "report.schedule", ScheduledReportOut)
    def post(self, request: Request, pk: int) -> ScheduledReport:
        """Send nothing until it is taken up again."""
        mailing.pause(by=request.user, report=self.one(request, pk))
        return self.one(request, pk)


class Resume(AboutReport):
    @does("resumeReport", "report.schedule", ScheduledReportOut)
    def post(self, request: Request, pk: int) -> ScheduledReport:
        """Send it again from its next time on."""
        mailing.resume(by=request.user, report=self.one(request, pk))
        return self.one(request, pk)


class TryOut(AboutReport):
    @does("tryReport", "report.schedule", ScheduledReportOut)
    def post(self, request: Request, pk: int) -> ScheduledReport:
        """Send it now, to the caller alone."""
        mailing.try_out(by=request.user, report=self.one(request, pk))
        return self.one(request, pk)


def _seen(user: Any) -> Any:
    seen = ScheduledReport.objects.visible_to(user)
    return seen.select_related("owner").prefetch_related("recipients")
