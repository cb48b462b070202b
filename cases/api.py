"""Cases for programs: the list, one case, and what two people do with it."""

from typing import Any

from rest_framework.request import Request

from alerts import staffing
from alerts.guards import Refused
from alerts.models import Alert
from alerts.views.alert_page import find as find_alert
from anomalyshield.audit.record import denied, record
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import page
from cases import workflow
from cases.api_shapes import (
    AlertIn,
    ApprovalIn,
    CaseOut,
    CaseRowOut,
    CasesAsked,
    EscalationIn,
    OpenIn,
    ProposalIn,
    ReturnIn,
    TextIn,
)
from cases.listing import PEOPLE, narrowed, shown
from cases.models import Case
from cases.views import find


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
