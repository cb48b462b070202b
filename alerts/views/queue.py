"""The alert queue: what waits, most urgent first."""

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode

from alerts.figures import figures
from alerts.forms import QueueFilter
from alerts.listing import Page, narrow, order_of, page_of
from alerts.models import Alert
from alerts.visibility import masked, queues_of
from anomalyshield.accounts.permissions import allow

VIEWS = [
    ("Open", {}),
    ("Critical, unassigned", {"level": "CRITICAL", "status": "unassigned"}),
    ("Past SLA", {"status": "overdue"}),
    ("Mine", {"mine": "on"}),
    ("Decided", {"status": "closed"}),
]


@allow("alert.view")
def alerts(request: HttpRequest) -> HttpResponse:
    queues = list(queues_of(request.user))
    form = QueueFilter(request.GET, queues=queues, hidden=masked(request.user))
    asked = form.asked
    seen = Alert.objects.filter(queue__in=queues)
    found = narrow(seen, asked, request.user).for_the_page()
    page = page_of(found, order_of(asked), asked.get("after", ""))
    context = _context(request, form, page, asked) | {"figures": figures(seen), "queues": queues}
    return _answer(request, context)


def filters_of(asked: dict[str, Any], **changed: str) -> str:
    """The filters as a query string, which every address reached from this page carries on."""
    kept = {name: "on" if value is True else value for name, value in asked.items()}
    kept.pop("after", None)
    return urlencode({name: value for name, value in (kept | changed).items() if value})


def _context(
    request: HttpRequest, form: QueueFilter, page: Page, asked: dict[str, Any]
) -> dict[str, Any]:
    filters = filters_of(asked)
    return {
        "form": form,
        "page": page,
        "asked": asked,
        "filters": filters,
        "next_page": filters_of(asked, after=page.after) if page.after else "",
        "views": [(title, urlencode(view), urlencode(view) == filters) for title, view in VIEWS],
        "masked": masked(request.user),
        "token": _token(page),
        "newest": max((alert.pk for alert in page.rows), default=0),
    }


def _answer(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The page, or for its live refresh the table alone: nothing if nothing changed."""
    if not request.htmx:
        response = render(request, "alerts/queue.html", context)
    elif request.GET.get("seen") == context["token"]:
        response = HttpResponse(status=204)  # 304 would be answered from the browser's own cache
    else:
        response = render(request, "alerts/_queue.html", context | {"live": True})
    patch_vary_headers(response, ["HX-Request"])
    return response


def _token(page: Page) -> str:
    """Changes with what the rows say; the minute is in it because ages are shown in minutes."""
    rows = [(a.pk, a.status, a.assignee_id, a.level, a.disposition) for a in page.rows]
    said = repr((rows, timezone.now().replace(second=0, microsecond=0)))
    return hashlib.sha256(said.encode()).hexdigest()[:16]
