"""What takes a case from one state to the next, for programs. Every verb answers the case."""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.accounts.models import User
from anomalyshield.audit.record import denied
from anomalyshield.problems import Problem
from anomalyshield.rest.resource import does
from anomalyshield.rest.shapes import Flag, Moment, Strict, Text
from cases import clocks, creation, progress, reopening, restricting
from cases.api import AboutCase, analyst
from cases.api_shapes import ApprovalIn, CaseOut, ReturnIn
from cases.forms import LENGTH
from cases.models import Case
from cases.states import Refused


class CaseReasonIn(Strict):
    """Why."""

    reason = Text(max_length=LENGTH)


class ResumptionIn(Strict):
    """What has come, if there is something to say."""

    why = Text(max_length=LENGTH, required=False)


class SuspensionIn(Strict):
    """What it waits for, why, and until when somebody looks again."""

    waits_for = s.ChoiceField(Case.Waiting.choices)
    reason = Text(max_length=LENGTH)
    until = Moment(required=False, help_text="When somebody looks again; not in the past")


class HandOverIn(Strict):
    """To whom, and why."""

    to = Text(max_length=150, help_text="An analyst by user name")
    reason = Text(max_length=LENGTH, required=False)


class Submit(AboutCase):
    @does("submitCase", "case.work", CaseOut, versioned=True)
    def post(self, request: Request, pk: int) -> Case:
        """Open a draft; where a queue's terms ask for it, it waits for a second person."""
        creation.submit(by=request.user, case=self.one(request, pk))
        return self.one(request, pk)


class Admit(AboutCase):
    @does("admitCase", "case.close", CaseOut, body=ApprovalIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Agree that a case is opened, as the second person."""
        return self.answered_by_second(request, pk, given, creation.admit, "case.admit")

    def answered_by_second(
        self, request: Request, pk: int, given: dict[str, Any], verb: Callable[..., Any], name: str
    ) -> Case:
        found = self.one(request, pk)
        try:
            verb(by=request.user, case=found, **given)
        except Refused as refusal:
            denied(by=request.user, action=name, object=found, reason=str(refusal))
            raise
        return self.one(request, pk)


class SendBack(AboutCase):
    @does("sendBackCase", "case.close", CaseOut, body=ReturnIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Send a case that asks to be opened back with what is missing."""
        creation.send_back(by=request.user, case=self.one(request, pk), **given)
        return self.one(request, pk)


class Start(AboutCase):
    @does("startCase", "case.work", CaseOut, versioned=True)
    def post(self, request: Request, pk: int) -> Case:
        """Begin to work on a case."""
        progress.start(by=request.user, case=self.one(request, pk))
        return self.one(request, pk)


class Suspend(AboutCase):
    @does("suspendCase", "case.work", CaseOut, body=SuspensionIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Let a case wait for somebody outside; its clock stands still meanwhile."""
        progress.suspend(by=request.user, case=self.one(request, pk), **given)
        return self.one(request, pk)


class Resume(AboutCase):
    @does("resumeCase", "case.work", CaseOut, body=ResumptionIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Go on with a suspended case."""
        progress.resume(by=request.user, case=self.one(request, pk), **given)
        return self.one(request, pk)


class HandOver(AboutCase):
    @does("handOverCase", "case.work", CaseOut, body=HandOverIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Give a case to somebody who works its queues."""
        given["to"] = analyst(given["to"], "/to")
        progress.hand_over(by=request.user, case=self.one(request, pk), **given)
        return self.one(request, pk)


class Abandon(AboutCase):
    @does("abandonCase", "case.work", CaseOut, body=CaseReasonIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Give up a case that was none; its undecided alerts go back to their queues."""
        progress.abandon(by=request.user, case=self.one(request, pk), **given)
        return self.one(request, pk)


class AskReopening(AboutCase):
    @does("askReopening", "case.close", CaseOut, body=CaseReasonIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Ask to go on with a closed case; verdicts and labels stay as they are."""
        reopening.ask(by=request.user, case=self.one(request, pk), **given)
        return self.one(request, pk)


class Reopen(Admit):
    @does("approveReopening", "case.close", CaseOut, body=ApprovalIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Agree that a closed case is reopened, as the second person."""
        return self.answered_by_second(request, pk, given, reopening.approve, "case.reopen")


class LeaveClosed(AboutCase):
    @does("refuseReopening", "case.close", CaseOut, body=CaseReasonIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Leave a case closed that somebody asked to reopen."""
        reopening.refuse(by=request.user, case=self.one(request, pk), **given)
        return self.one(request, pk)


class DeterminationIn(Strict):
    """The day on which facts were found that may ask for a report."""

    on = s.DateField()
    subject_known = Flag(required=False, help_text="Without a known subject there are 60 days")
    reason = Text(max_length=LENGTH, required=False, help_text="Why another day than said before")


class Determine(AboutCase):
    @does("determineCase", "case.work", CaseOut, body=DeterminationIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Start the regulator's clock: it runs from that day and never stands still."""
        clocks.determine(by=request.user, case=self.one(request, pk), **given)
        return self.one(request, pk)


class RestrictionIn(Strict):
    """Who knows of it from now on, and why."""

    people = s.ListField(
        child=Text(max_length=150),
        max_length=50,
        required=False,
        default=list,
        help_text="By user name; its owner and the caller always do",
    )
    reason = Text(max_length=LENGTH)


class Restrict(AboutCase):
    @does("restrictCase", "case.work", CaseOut, body=RestrictionIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Let a case exist for named people alone; for others it is not found."""
        given["people"] = _people(given["people"])
        restricting.restrict(by=request.user, case=self.one(request, pk), **given)
        return self.one(request, pk)


class Lift(AboutCase):
    @does("unrestrictCase", "case.work", CaseOut, body=CaseReasonIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Case:
        """Show a restricted case to all who work its queues again."""
        restricting.lift(by=request.user, case=self.one(request, pk), **given)
        return self.one(request, pk)


def _people(names: list[str]) -> list[User]:
    found = {one.username: one for one in User.objects.filter(username__in=names, is_active=True)}
    for index, name in enumerate(names):
        if name not in found:
            words = "Nobody is called that."
            raise Problem(400, "unknown_user", words, pointer=f"/people/{index}")
    return list(found.values())
