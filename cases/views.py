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
from cases.models import Case

PAGE = 100


@allow("case.view", methods=("GET",))
def cases(request: HttpRequest) -> HttpResponse:
    found = Case.objects.visible_to(request.user).select_related("owner", "proposed_by")
    closed = "closed" in request.GET
    found = found.filter(status=Case.Status.CLOSED) if closed else found.open()
    return render(request, "cases/cases.html", {"cases": found[:PAGE], "closed": closed})


@allow("case.view", methods=("GET",))
def case(request: HttpRequest, pk: int) -> HttpResponse:
    found = find(request, pk)
    record(by=request.user, action="data.read", object=found)
    return page(request, found)


@allow("case.work", methods=("POST",))
def escalate(request: HttpRequest, pk: int) -> HttpResponse:
    alert = get_object_or_404(Alert.objects.visible_to(request.user), pk=pk)
    form = EscalationForm(request.POST)
    if not form.is_valid():
        messages.error(request, "A note has at most 4,000 characters.")
        return redirect("alert", pk=alert.pk)
    try:
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
    found = find(request, pk)
    try:
        workflow.approve_closure(by=request.user, case=found, seen=request.POST.get("seen", ""))
    except Refused as refusal:
        denied(by=request.user, action="case.close", object=found, reason=str(refusal))
        return page(request, found, status=409, errors=[str(refusal)])
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
        sentences = [str(error) for errors in form.errors.values() for error in errors]
        return page(request, found, status=400, errors=sentences, typed=request.POST)
    try:
        verb(by=request.user, case=found, **form.cleaned_data)
    except Refused as refusal:
        return page(request, found, status=409, errors=[str(refusal)], typed=request.POST)
    return redirect("case", pk=pk)


def find(request: HttpRequest, pk: int) -> Case:
    """The case, if one of its alerts lies in a queue of this person; else there is none."""
    return get_object_or_404(Case.objects.visible_to(request.user), pk=pk)


def page(request: HttpRequest, found: Case, status: int = 200, **more: Any) -> HttpResponse:
    context = {
        "case": Case.objects.select_related("owner", "opened_by", "proposed_by", "closed_by").get(
            pk=found.pk
        ),
        "timeline": found.timeline.select_related("author"),
        "alerts": found.alerts.visible_to(request.user).order_by("-pk"),
        "outcomes": Case.Outcome.choices,
    }
    return render(request, "cases/case.html", context | more, status=status)
