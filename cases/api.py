"""Cases for programs: the list, one case, and what two people do with it."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers as s
from rest_framework.request import Request

from alerts import staffing
from alerts.api_shapes import LEVELS, AlertRowOut
from alerts.forms import NOTE_LENGTH
from alerts.models import Alert
from alerts.triage import Refused
from alerts.views.alert import find as find_alert
from anomalyshield.audit.record import denied, record
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Flag, Listed, Person, Strict, Text, Whole, page
from cases import workflow
from cases.forms import LENGTH
from cases.listing import PEOPLE, VIEWS, narrowed, shown
from cases.models import Case, CaseEvent, Clock, Reopening
from cases.views import find

MOST = 200  # alerts in one request
BIGGEST = 2**63 - 1


class CasesAsked(Listed):
    """The views of the page."""

    show = s.ChoiceField(
        [value for _, value in VIEWS if value], required=False, help_text="Without: open ones"
    )
    status = s.ChoiceField(Case.Status.choices, required=False)
    owner = s.CharField(max_length=150, required=False, help_text="By user name")
    outcome = s.ChoiceField(Case.Outcome.choices, required=False, help_text="Of closed ones")


class OpenIn(Strict):
    """What it begins with."""

    alerts = s.ListField(
        child=Whole(min_value=1, max_value=BIGGEST),
        min_length=1,
        max_length=MOST,
        help_text="Ids of alerts of one entity",
    )
    title = Text(max_length=200, required=False, help_text="No personal data: titles travel")
    note = Text(max_length=LENGTH, required=False)
    draft = Flag(required=False, help_text="Nobody is asked before it is submitted")


class EscalationIn(Strict):
    """Why it is investigated, if there is something to say."""

    note = Text(max_length=NOTE_LENGTH, required=False)


class TextIn(Strict):
    """A note for the timeline."""

    text = Text(max_length=LENGTH)


class ProposalIn(Strict):
    """How it ends, and why."""

    outcome = s.ChoiceField(Case.Outcome.choices)
    findings = Text(max_length=LENGTH)
    left_open = Text(
        max_length=LENGTH,
        required=False,
        help_text="Why it can be closed though required tasks are not done",
    )


class ApprovalIn(Strict):
    """Which proposal was read."""

    seen = Text(max_length=64, help_text="The `proposal` of the case that was read")


class ReturnIn(Strict):
    """What is missing."""

    reason = Text(max_length=LENGTH)


class CaseRowOut(s.ModelSerializer):
    """A case as a line of the list."""

    name = s.CharField(source="__str__", help_text="C-3")
    level = s.ChoiceField(LEVELS)
    owner = Person()
    opened_by = Person()
    proposed_by = Person()
    closed_by = Person()
    outcome = s.ChoiceField(["", *Case.Outcome.values], help_text="Proposed, or final if closed")
    waits_for = s.ChoiceField(["", *Case.Waiting.values], help_text="While it is suspended")
    waits_until = s.DateTimeField(allow_null=True)
    due_at = s.DateTimeField(allow_null=True, help_text="The nearest of its running clocks")
    proposed_at = s.DateTimeField(allow_null=True)
    closed_at = s.DateTimeField(allow_null=True)

    class Meta:
        model = Case
        fields = (
            "id", "name", "title", "subject", "level", "status", "restricted", "owner", "opened_by",
            "opened_at", "waits_for", "waits_until", "due_at", "outcome", "proposed_by",
            "proposed_at", "closed_by", "closed_at",
        )  # fmt: skip


class CaseEventOut(s.Serializer):
    """One entry of the timeline."""

    kind = s.ChoiceField(CaseEvent.Kind.choices)
    by = Person(source="author")
    text = s.CharField()
    at = s.DateTimeField()


class ReopeningOut(s.ModelSerializer):
    """Somebody asked to reopen it, and what was answered."""

    asked_by = Person()
    answered_by = Person()
    answered_at = s.DateTimeField(allow_null=True)

    class Meta:
        model = Reopening
        fields = (
            "state", "reason", "four_eyes", "asked_by", "asked_at",
            "answered_by", "answered_at", "answer",
        )  # fmt: skip


class ClockOut(s.ModelSerializer):
    """Something that is due."""

    due_at = s.DateTimeField(allow_null=True, help_text="Null while it stands still")
    stopped_at = s.DateTimeField(allow_null=True)
    determined_on = s.DateField(allow_null=True)

    class Meta:
        model = Clock
        fields = ("kind", "started_at", "determined_on", "days", "due_at", "stopped_at")


class CaseOut(CaseRowOut):
    """A case with its alerts, its findings and its timeline."""

    alerts = s.SerializerMethodField()
    timeline = s.SerializerMethodField()
    submitted_by = Person()
    submitted_at = s.DateTimeField(allow_null=True)
    admitted_by = Person()
    admitted_at = s.DateTimeField(allow_null=True)
    reopenings = s.SerializerMethodField()
    clocks = s.SerializerMethodField()
    proposal = s.CharField(help_text="Say it as `seen` when you approve: it is of this content")

    class Meta(CaseRowOut.Meta):
        more = (
            "findings", "left_open", "clocks", "four_eyes", "creation_asked",
            "submitted_by", "submitted_at",
            "admitted_by", "admitted_at", "reopenings", "proposal", "alerts", "timeline",
        )  # fmt: skip
        fields = (*CaseRowOut.Meta.fields, *more)

    @extend_schema_field(AlertRowOut(many=True))
    def get_alerts(self, case: Case) -> Any:
        seen = case.alerts.visible_to(self.context["user"]).for_the_page().order_by("-pk")
        return AlertRowOut(seen, many=True, context=self.context).data

    @extend_schema_field(ReopeningOut(many=True))
    def get_reopenings(self, case: Case) -> Any:
        asked = case.reopenings.select_related("asked_by", "answered_by")
        return ReopeningOut(asked, many=True).data

    @extend_schema_field(ClockOut(many=True))
    def get_clocks(self, case: Case) -> Any:
        return ClockOut(case.clocks.all(), many=True).data

    @extend_schema_field(CaseEventOut(many=True))
    def get_timeline(self, case: Case) -> Any:
        return CaseEventOut(case.timeline.select_related("author"), many=True).data


class AboutCase(Resource):
    """One case with an alert in the caller's queues. Every verb answers the case as it is then."""

    refusals = (Refused,)

    def one(self, request: Request, pk: int) -> Case:
        return Case.objects.select_related(*PEOPLE).get(pk=find(request, pk).pk)


class Cases(AboutCase):
    """The cases."""

    @does("listCases", "case.view", page(CaseRowOut), asked=CasesAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Cases of the caller's queues, latest first."""
        seen = Case.objects.visible_to(request.user).select_related(*PEOPLE)
        found = narrowed(shown(seen, asked.get("show", ""), request.user), asked)
        return latest_first(found, asked)

    @does("openCase", "case.work", CaseOut, body=OpenIn, status=201)
    def post(self, request: Request, given: dict[str, Any]) -> Case:
        """Start an investigation of one entity from its alerts."""
        given["alerts"] = _alerts(request.user, given["alerts"])
        return self.one(request, workflow.open_case(by=request.user, **given).pk)


class Escalate(AboutCase):
    @does("escalateAlert", "case.work", CaseOut, body=EscalationIn, status=201)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Bring an alert into the open case of its entity, or into a new one."""
        alert = find_alert(request, pk)
        return self.one(request, workflow.escalate(by=request.user, alert=alert, **given).pk)


class OneCase(AboutCase):
    @does("readCase", "case.view", CaseOut, versioned=True)
    def get(self, request: Request, pk: int) -> Case:
        """One case with its alerts and its timeline."""
        found = self.one(request, pk)
        record(by=request.user, action="data.read", object=found)
        return found


class AlertIn(Strict):
    """One more alert of the same subject."""

    alert = Whole(min_value=1, max_value=BIGGEST)


class BringIn(AboutCase):
    @does("addAlertToCase", "case.work", CaseOut, body=AlertIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Bring one more alert of the same subject into an open case."""
        found = self.one(request, pk)
        alert = Alert.objects.visible_to(request.user).filter(pk=given["alert"]).first()
        if alert is None:
            raise Problem(400, "unknown_alert", "No such alert.", pointer="/alert")
        workflow.add_alert(by=request.user, case=found, alert=alert)
        return self.one(request, pk)


class Comment(AboutCase):
    @does("noteCase", "case.work", CaseOut, body=TextIn, status=201, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Write an entry into the timeline of an open case."""
        workflow.add_note(by=request.user, case=self.one(request, pk), **given)
        return self.one(request, pk)


class Propose(AboutCase):
    @does("proposeClosure", "case.close", CaseOut, body=ProposalIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Propose how a case ends; with four eyes a second person approves it."""
        workflow.propose_closure(by=request.user, case=self.one(request, pk), **given)
        return self.one(request, pk)


class Approve(AboutCase):
    @does("approveClosure", "case.close", CaseOut, body=ApprovalIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Close a case as proposed: its undecided alerts are decided with it."""
        found = self.one(request, pk)
        try:
            workflow.approve_closure(by=request.user, case=found, **given)
        except Refused as refusal:
            denied(by=request.user, action="case.close", object=found, reason=str(refusal))
            raise
        return self.one(request, pk)


class Return(AboutCase):
    @does("returnCase", "case.close", CaseOut, body=ReturnIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Send a proposal back with what is missing."""
        workflow.return_case(by=request.user, case=self.one(request, pk), **given)
        return self.one(request, pk)


def _alerts(user: Any, numbers: list[int]) -> list[Alert]:
    """The alerts of these ids, in their order; one the caller does not see does not exist."""
    seen = Alert.objects.visible_to(user).in_bulk(numbers)
    for index, number in enumerate(numbers):
        if number not in seen:
            raise Problem(400, "unknown_alert", "No such alert.", pointer=f"/alerts/{index}")
    return [seen[number] for number in dict.fromkeys(numbers)]


def analyst(name: str, pointer: str) -> Any:
    """The analyst of this user name."""
    found = staffing.analysts().filter(username=name).first()
    if found is None:
        raise Problem(400, "unknown_user", "No analyst is called that.", pointer=pointer)
    return found
