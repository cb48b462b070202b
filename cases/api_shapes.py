"""What programs send and read of cases."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers as s

from alerts.api_shapes import LEVELS, AlertRowOut
from alerts.forms import NOTE_LENGTH
from anomalyshield.rest.shapes import Flag, Listed, Person, Strict, Text, Whole
from cases.forms import LENGTH
from cases.listing import VIEWS
from cases.models import Case, CaseEvent, Clock, Reopening

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


class AlertIn(Strict):
    """One more alert of the same subject."""

    alert = Whole(min_value=1, max_value=BIGGEST)
