"""The audit log: one's own actions, or everyone's for an admin."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode

from anomalyshield.accounts.forms import TrailFilter
from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.models import AuditEvent

PAGE = 50


@allow("audit.own", methods=("GET",))
def audit(request: HttpRequest) -> HttpResponse:
    everyone = request.user.may("audit.all")
    form = TrailFilter(request.GET)
    asked = form.asked
    before = asked.pop("before", None)
    events = readable(request.user).filter(**asked).order_by("-pk")
    if before:
        events = events.filter(pk__lt=before)
    rows = list(events[: PAGE + 1])
    context = {
        "events": [(event, _changes(event)) for event in rows[:PAGE]],
        "older": urlencode({**asked, "before": rows[PAGE - 1].pk}) if len(rows) > PAGE else "",
        "newest": urlencode(asked) if before else "",
        "form": form,
        "everyone": everyone,
        "unsealed": AuditEvent.objects.filter(number=None).count(),
    }
    return render(request, "audit/events.html", context)


def readable(user: Any) -> "QuerySet[AuditEvent]":
    """What this person may read of the trail."""
    every = AuditEvent.objects.all()
    return every if user.may("audit.all") else every.filter(actor=user.username)


def _changes(event: AuditEvent) -> list[tuple[str, Any, Any]]:
    """What is different after: (name, before, after); all of it when there was nothing before."""
    before, after = event.before or {}, event.after or {}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [(name, _said(before.get(name)), _said(after.get(name))) for name in names]


def _said(value: Any) -> Any:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value)) or "none"
    return value
