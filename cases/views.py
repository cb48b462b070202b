"""Cases: the list, one case, and what two people do with it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from alerts.models import Alert
from alerts.triage import Refused
from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import denied, record
from cases import workflow
from cases.forms import EscalationForm, ProposalForm, ReturnForm, TextForm
from cases.models import Case, CaseQuerySet

PAGE = 50
VIEWS = [
    ("Open", ""),
    ("Mine", "mine"),
    ("Waiting for your approval", "approval"),
    ("Closed", "closed"),
]


@allow("case.view", methods=("GET",))
def cases(request: HttpRequest) -> HttpResponse:
    show, before = request.GET.get("show", ""), request.GET.get("before", "")
    found = shown(Case.objects.visible_to(request.user), show, request.user)
    if before.isascii() and before.isdigit() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    rows = list(found.with_counts().select_related("owner", "proposed_by")[: PAGE + 1])
    context = {
        "cases": rows[:PAGE],
        "older": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "views": VIEWS,
        "show": show,
    }
    return render(request, "cases/cases.html", context)


@allow("case.view", methods=("GET",))
def case(request: HttpRequest, pk: int) -> HttpResponse:
    found = find(request, pk)
    record(by=request.user, action="data.read", object=found)
    return page(request, found)


@allow("case.work", methods=("POST",))
def escalate(request: HttpRequest, pk: int) -> HttpResponse:
    alert = get_object_or_404(Alert.objects.visible_to(request.user), pk=pk)
    form = EscalationForm(request.POST)
    try:
        if not form.is_valid():
            raise Refused(" ".join(_sentences(form)))
        opened = workflow.escalate(by=request.user, alert=alert, note=form.cleaned_data["note"])
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("alert", pk=alert.pk)
    messages.success(request, f"{alert} is in {opened}.")
    return redirect("case", pk=opened.pk)


@allow("case.work", methods=("POST",))
def note(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, TextForm, workflow.add_note)


@allow("case.close", methods=("POST",))
def propose(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, ProposalForm, workflow.propose_closure)


@allow("case.close", methods=("POST",))
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    found, seen = find(request, pk), request.POST.get("seen", "")
    try:
        closed = workflow.approve_closure(by=request.user, case=found, seen=seen)
    except Refused as refusal:
        denied(by=request.user, action="case.close", object=found, reason=str(refusal))
        return page(request, found, status=409, errors=[str(refusal)])
    messages.success(request, f"{closed} is closed: {closed.get_outcome_display().lower()}.")
    return redirect("case", pk=pk)


@allow("case.close", methods=("POST",))
def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, ReturnForm, workflow.return_case)


def act(
    request: HttpRequest, pk: int, form_class: type[Form], verb: Callable[..., Any]
) -> HttpResponse:
    """Find, check, act, answer."""
    found = find(request, pk)
    form = form_class(request.POST)
    if not form.is_valid():
        return page(request, found, status=400, errors=_sentences(form), typed=request.POST)
    try:
        verb(by=request.user, case=found, **form.cleaned_data)
    except Refused as refusal:
        return page(request, found, status=409, errors=[str(refusal)], typed=request.POST)
    return redirect("case", pk=pk)


def find(request: HttpRequest, pk: int) -> Case:
    """The case, if one of its alerts lies in a queue of this person; else there is none."""
    return get_object_or_404(Case.objects.visible_to(request.user), pk=pk)


def page(request: HttpRequest, found: Case, status: int = 200, **more: Any) -> HttpResponse:
    people = ("owner", "opened_by", "proposed_by", "closed_by")
    context = {
        "case": Case.objects.select_related(*people).get(pk=found.pk),
        "timeline": found.timeline.select_related("author"),
        "alerts": found.alerts.visible_to(request.user).for_the_page().order_by("-pk"),
        "outcomes": Case.Outcome.choices,
    }
    return render(request, "cases/case.html", context | more, status=status)


def shown(cases: CaseQuerySet, show: str, user: Any) -> CaseQuerySet:
    match show:
        case "closed":
            return cases.filter(status=Case.Status.CLOSED)
        case "mine":
            return cases.open().filter(owner=user)
        case "approval":
            return cases.awaiting(user)
    return cases.open()


def _sentences(form: Form) -> list[str]:
    return [str(error) for errors in form.errors.values() for error in errors]
