"""The audit log: one's own actions, or everyone's for an admin."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from anomalyshield.accounts.forms import TrailFilter
from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.models import AuditEvent
from anomalyshield.audit.words import ACTIONS, action_in_words, actions_called, actor_called

PAGE = 50


@allow("audit.own", methods=("GET",))
def audit(request: HttpRequest) -> HttpResponse:
    everyone = request.user.may("audit.all")
    form = TrailFilter(request.GET)
    asked = form.asked
    before = asked.pop("before", None)
    events = readable(request.user).filter(**_narrowed(asked)).order_by("-pk")
    if before:
        events = events.filter(pk__lt=before)
    rows = list(events[: PAGE + 1])
    context = {
        "events": [_told(event) for event in rows[:PAGE]],
        "known": sorted(ACTIONS.values()),
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


def _narrowed(asked: dict[str, object]) -> dict[str, object]:
    """Action and actor as codes or in words: a person has seen words, a link may carry a code."""
    if "actor" in asked:
        asked = {**asked, "actor": actor_called(str(asked["actor"]))}
    if "action" not in asked:
        return asked
    others = {name: value for name, value in asked.items() if name != "action"}
    return {**others, "action__in": actions_called(str(asked["action"]))}


def _told(event: AuditEvent) -> tuple[AuditEvent, str, list[tuple[str, Any, Any]]]:
    return event, action_in_words(event.action), _changes(event)


def _changes(event: AuditEvent) -> list[tuple[str, Any, Any]]:
    """What is different after: (name, before, after); all of it when there was nothing before."""
    before, after = event.before or {}, event.after or {}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [(name, _said(before.get(name)), _said(after.get(name), "–")) for name in names]


def _said(value: Any, nothing: Any = None) -> Any:
    match value:
        case None:
            return nothing
        case "":
            return "–"
        case bool():
            return _("yes") if value else _("no")
        case list():
            return ", ".join(map(str, value)) or _("none")
    return value
