"""Tasks of a case on its page."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from anomalyshield.accounts.permissions import allow
from cases import tasks
from cases.forms import MoveForm, TaskForm, TickForm
from cases.states import Refused
from cases.views import act, find, page, sentences


@allow("case.work", methods=("POST",))
def add(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, TaskForm, tasks.add, "tasks")


@allow("case.work", methods=("POST",))
def change(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    return _act(request, pk, number, TaskForm, tasks.change)


@allow("case.work", methods=("POST",))
def tick(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    return _act(request, pk, number, TickForm, tasks.tick)


@allow("case.work", methods=("POST",))
def move(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    return _act(request, pk, number, MoveForm, tasks.move)


def _act(
    request: HttpRequest, pk: int, number: int, form_class: type[Any], verb: Callable[..., Any]
) -> HttpResponse:
    found = find(request, pk)
    task = get_object_or_404(found.tasks.select_related("case"), pk=number)
    form = form_class(request.POST)
    if not form.is_valid():
        return page(request, found, status=400, errors=sentences(form), changing=task.pk)
    try:
        verb(by=request.user, task=task, **form.cleaned_data)
    except Refused as refusal:
        return page(request, found, status=409, errors=[str(refusal)])
    return redirect(f"{request.path.partition('/tasks/')[0]}/#tasks")
