"""Where alerts go: the routes in force, the draft of the next version, and trying it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts import directing
from alerts.conditions import in_words
from alerts.guards import leads
from alerts.models import AlertHit, Queue, Route, Routing
from alerts.rehearsal import rehearse
from alerts.route_forms import DAYS, ReasonForm, RouteForm, initial_of
from alerts.routing import active_routes
from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import denied

WEEK = timedelta(days=7)
VERSIONS = 12


@allow("route.view", methods=("GET",))
def routes(request: HttpRequest) -> HttpResponse:
    """What is in force, with what each route took this week."""
    in_force = active_routes()
    recent = AlertHit.objects.filter(at__gte=timezone.now() - WEEK)
    taken = dict(recent.values_list("alert__route").annotate(Count("pk")).order_by())
    people = ("drafted_by", "proposed_by", "answered_by")
    context = {
        "routing": in_force[0].routing,
        "routes": [(one, in_words(one.conditions), taken.get(one.pk, 0)) for one in in_force],
        "pending": Routing.objects.filter(state__in=["DRAFT", "PROPOSED"]).first(),
        "versions": Routing.objects.select_related(*people)[:VERSIONS],
        "queues": Queue.objects.all(),
        "may_edit": request.user.may("route.edit") and leads(request.user),
        "may_staff": request.user.may("user.manage"),
    }
    return render(request, "alerts/routes.html", context)


@allow("route.edit", methods=("POST",))
def draft(request: HttpRequest) -> HttpResponse:
    try:
        made = directing.draft(by=request.user)
    except directing.Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("routes")
    return redirect("routing", made.pk)


@allow("route.view", methods=("GET",))
def routing(request: HttpRequest, pk: int) -> HttpResponse:
    """One version. `days` asks for the dry run, `edit` for the form of one of its routes."""
    return page(request, find(pk))


@allow("route.edit", methods=("POST",))
def add(request: HttpRequest, pk: int) -> HttpResponse:
    found, form = find(pk), RouteForm(request.POST)
    if not form.is_valid():
        return page(request, found, form=form, status=400)
    return act(request, found, lambda by: directing.add(by=by, routing=found, said=form.said))


@allow("route.edit", methods=("POST",))
def change(request: HttpRequest, pk: int, route: int) -> HttpResponse:
    one = find_route(pk, route)
    form = RouteForm(request.POST, is_default=one.is_default)
    if not form.is_valid():
        return page(request, one.routing, form=form, editing=one, status=400)
    return act(request, one.routing, lambda by: directing.change(by=by, route=one, said=form.said))


@allow("route.edit", methods=("POST",))
def move(request: HttpRequest, pk: int, route: int) -> HttpResponse:
    one, up = find_route(pk, route), request.POST.get("to") != "down"
    return act(request, one.routing, lambda by: directing.move(by=by, route=one, up=up))


@allow("route.edit", methods=("POST",))
def remove(request: HttpRequest, pk: int, route: int) -> HttpResponse:
    one = find_route(pk, route)
    return act(request, one.routing, lambda by: directing.remove(by=by, route=one))


@allow("route.edit", methods=("POST",))
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    found = find(pk)
    try:
        directing.discard(by=request.user, routing=found)
    except directing.Refused as refusal:
        return page(request, found, error=str(refusal), status=409)
    messages.success(
        request, _("The draft of version {number} is thrown away.").format(number=found.number)
    )
    return redirect("routes")


@allow("route.edit", methods=("POST",))
def propose(request: HttpRequest, pk: int) -> HttpResponse:
    found, form = find(pk), ReasonForm(request.POST)
    if not form.is_valid():
        return page(request, found, error=_("Say why it should change."), status=400)
    reason = form.cleaned_data["reason"]
    return act(request, found, lambda by: directing.propose(by=by, routing=found, reason=reason))


@allow("route.activate", methods=("POST",))
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    found, seen = find(pk), request.POST.get("seen", "")
    try:
        directing.approve(by=request.user, routing=found, seen=seen)
    except directing.Refused as refusal:
        denied(by=request.user, action="route.activate", object=found, reason=str(refusal))
        return page(request, found, error=str(refusal), status=409)
    messages.success(
        request, _("Version {number} is in force: new alerts go by it.").format(number=found.number)
    )
    return redirect("routes")


@allow("route.edit", methods=("POST",))
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    found, form = find(pk), ReasonForm(request.POST)
    if not form.is_valid():
        return page(request, found, error=_("Say what is wrong with it."), status=400)
    reason = form.cleaned_data["reason"]
    return act(request, found, lambda by: directing.refuse(by=by, routing=found, reason=reason))


def find(pk: int) -> Routing:
    people = ("drafted_by", "proposed_by", "answered_by")
    return get_object_or_404(Routing.objects.select_related(*people), pk=pk)


def find_route(pk: int, route: int) -> Route:
    return get_object_or_404(Route.objects.select_related("routing", "queue"), pk=route, routing=pk)


def act(request: HttpRequest, found: Routing, verb: Callable[[Any], Any]) -> HttpResponse:
    try:
        verb(request.user)
    except directing.Refused as refusal:
        fresh = Routing.objects.filter(pk=found.pk).first()
        if fresh is None:
            messages.error(request, str(refusal))
            return redirect("routes")
        return page(request, fresh, error=str(refusal), status=409)
    return redirect("routing", found.pk)


def page(
    request: HttpRequest,
    found: Routing,
    *,
    form: RouteForm | None = None,
    editing: Route | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    user, listed = request.user, list(found.routes.select_related("queue"))
    lead = user.may("route.edit") and leads(user)
    editable = lead and found.state == Routing.State.DRAFT
    editing = editing or _asked_for(request, listed)
    if editing and form is None:
        form = RouteForm(initial=initial_of(editing), is_default=editing.is_default)
    days = _days(request)
    context = {
        "routing": found,
        "routes": [(one, in_words(one.conditions)) for one in listed],
        "last": len(listed) - 2,  # of those that can be moved
        "editable": editable,
        "form": form or RouteForm(),
        "editing": editing,
        "error": error,
        "lead": lead,
        "waits": found.state == Routing.State.PROPOSED,
        "own": found.four_eyes and found.proposed_by_id == user.pk,
        "digest": found.digest,
        "days": DAYS,
        "trial": rehearse(listed, days=days) if days else None,
        "reason": request.POST.get("reason", ""),
    }
    return render(request, "alerts/routing.html", context, status=status)


def _asked_for(request: HttpRequest, listed: list[Route]) -> Route | None:
    wanted = request.GET.get("edit", "")
    return next((one for one in listed if str(one.pk) == wanted), None)


def _days(request: HttpRequest) -> int:
    return next((days for days, _unused in DAYS if str(days) == request.GET.get("days", "")), 0)
