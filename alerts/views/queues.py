"""Queues and their people, for admins."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from alerts import staffing
from alerts.models import Queue
from alerts.route_forms import QueueForm
from anomalyshield.accounts.permissions import allow


@allow("user.manage")
def new(request: HttpRequest) -> HttpResponse:
    form = QueueForm(request.POST or None, queue=None)
    if not form.is_valid():
        return _page(request, form, None)
    made = staffing.make_queue(by=request.user, **form.cleaned_data)
    messages.success(request, _("{made} is made. Routes bring alerts into it.").format(made=made))
    return redirect("routes")


@allow("user.manage")
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    queue = get_object_or_404(Queue, pk=pk)
    form = QueueForm(request.POST or None, queue=queue)
    if not form.is_valid():
        return _page(request, form, queue)
    staffing.staff(by=request.user, queue=queue, **form.cleaned_data)
    messages.success(request, _("{name}: changed.").format(name=form.cleaned_data["name"]))
    return redirect("routes")


def _page(request: HttpRequest, form: QueueForm, queue: Queue | None) -> HttpResponse:
    status = 400 if form.errors else 200
    return render(request, "alerts/queue_edit.html", {"form": form, "queue": queue}, status=status)
