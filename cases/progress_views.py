"""What takes a case from one state to the next, besides its closure."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import denied
from cases import clocks, creation, progress, reopening, restricting
from cases.forms import (
    DeterminationForm,
    HandOverForm,
    NothingForm,
    ReasonForm,
    RestrictionForm,
    ResumeForm,
    ReturnForm,
    SuspensionForm,
)
from cases.states import Refused
from cases.views import act, find, page


@allow("case.work", methods=("POST",))
def submit(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, NothingForm, creation.submit)


@allow("case.close", methods=("POST",))
def admit(request: HttpRequest, pk: int) -> HttpResponse:
    return answer(request, pk, creation.admit, "case.admit", _("{} is open."))


@allow("case.close", methods=("POST",))
def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, ReturnForm, creation.send_back)


@allow("case.work", methods=("POST",))
def start(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, NothingForm, progress.start)


@allow("case.work", methods=("POST",))
def suspend(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, SuspensionForm, progress.suspend)


@allow("case.work", methods=("POST",))
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, ResumeForm, progress.resume)


@allow("case.work", methods=("POST",))
def hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, HandOverForm, progress.hand_over)


@allow("case.work", methods=("POST",))
def abandon(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, ReasonForm, progress.abandon)


@allow("case.close", methods=("POST",))
def ask_reopening(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, ReasonForm, reopening.ask)


@allow("case.close", methods=("POST",))
def approve_reopening(request: HttpRequest, pk: int) -> HttpResponse:
    return answer(request, pk, reopening.approve, "case.reopen", _("{} is open again."))


@allow("case.close", methods=("POST",))
def refuse_reopening(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, ReasonForm, reopening.refuse)


@allow("case.work", methods=("POST",))
def determine(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, DeterminationForm, clocks.determine, "clocks")


@allow("case.work", methods=("POST",))
def restrict(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, RestrictionForm, restricting.restrict)


@allow("case.work", methods=("POST",))
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, ReasonForm, restricting.lift)


def answer(
    request: HttpRequest, pk: int, verb: Callable[..., Any], action: str, said: str
) -> HttpResponse:
    """As the second person: of what was read; a refusal is on the trail."""
    found, seen = find(request, pk), request.POST.get("seen", "")
    try:
        done = verb(by=request.user, case=found, seen=seen)
    except Refused as refusal:
        denied(by=request.user, action=action, object=found, reason=str(refusal))
        return page(request, found, status=409, errors=[str(refusal)])
    messages.success(request, said.format(done))
    return redirect("case", pk=pk)
