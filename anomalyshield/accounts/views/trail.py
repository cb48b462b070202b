"""The audit log: one's own actions, or everyone's for an admin."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.models import AuditEvent

PAGE = 50


@allow("audit.own", methods=("GET",))
def audit(request: HttpRequest) -> HttpResponse:
    events = AuditEvent.objects.order_by("-id")
    everyone = request.user.may("audit.all")
    if not everyone:
        events = events.filter(actor=request.user.username)
    asked = {name: request.GET.get(name, "").strip() for name in ("actor", "action", "object_id")}
    events = events.filter(**{name: value for name, value in asked.items() if value})
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        events = events.filter(id__lt=int(before))
    rows = list(events[: PAGE + 1])
    context = {
        "events": rows[:PAGE],
        "older": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "asked": asked,
        "everyone": everyone,
        "unsealed": AuditEvent.objects.filter(number=None).count(),
    }
    return render(request, "audit/events.html", context)
