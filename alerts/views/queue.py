"""The alert queue: what waits, most urgent first."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode

from alerts.activity import sparks
from alerts.completion import completions
from alerts.figures import figures
from alerts.forms import QueueFilter
from alerts.guards import leads
from alerts.listing import LOOKED, PAGE, Page, narrow, page_of, question
from alerts.models import Alert, AlertQuerySet, Look
from alerts.query import LONGEST
from alerts.query_fields import FIELDS, Asker
from alerts.viewing import COLUMNS, look_of
from alerts.views.saved import pills
from alerts.views.undoing import undoable
from alerts.visibility import masked, queues_of
from anomalyshield.accounts.permissions import allow


@allow("alert.view", methods=("GET",))
def alerts(request: HttpRequest) -> HttpResponse:
    queues = list(queues_of(request.user))
    form = QueueFilter(request.GET, queues=queues, user=request.user)
    asks = question(form.asked, request.user, queues)
    found = narrow(Alert.objects.all(), asks.filters, request.user)
    if "newer" in request.GET:
        return _news(request, found.filter(asks.rest or Q(), queue__in=asks.queues))
    page = Page([], "")
    if not form.wrong:
        after = form.asked.get("after", "")
        page = page_of(found, asks.queues, asks.order, after, rest=asks.rest)
    mark_fresh(page.rows, request.user)
    mark_looked_at(page.rows, request.user)
    draw_activity(page.rows)
    shown = figures([queue.pk for queue in queues])
    context = {
        **_context(request, form, page),
        "figures": shown,
        "queueless": not queues,
        "closed": asks.filters.get("status") == "closed",
        "wrong": marked(form),
        "queues": queues,
        "newest": shown.newest,
        "last": undoable(request),
        "views": [] if request.htmx else pills(request.user, queues, filters_of(form.asked)),
    }
    context["known"] = any(view.here for view in context["views"])
    return _answer(request, context)


def marked(form: QueueFilter) -> list[tuple[str, str, str, str]]:
    """What is wrong with the search: the sentence, and the text before, at and behind the place."""
    text = form.cleaned_data.get("q", "")
    return [
        (one.sentence, text[: one.start], text[one.start : one.end] or " ", text[one.end :])
        for one in form.wrong
    ]


@allow("alert.view", methods=("GET",))
def complete(request: HttpRequest) -> HttpResponse:
    """How the word under the cursor of the search can go on. Nothing is searched for it."""
    text, at = request.GET.get("q", "")[:LONGEST], request.GET.get("at", "")
    place = int(at) if at.isascii() and at.isdigit() and len(at) < 5 else len(text)
    asker = Asker(request.user, list(queues_of(request.user)), masked(request.user))
    found = completions(text, min(place, len(text)), asker)
    return JsonResponse(asdict(found), headers={"Cache-Control": "no-store"})


def mark_fresh(rows: list[Alert], person: Any) -> None:
    """How many payments joined each of them since this person last opened it; none if never."""
    looks = Look.objects.filter(person=person, alert__in=rows)
    seen = dict(looks.values_list("alert", "hits"))
    for alert in rows:
        alert.fresh = alert.hit_count - seen.get(alert.pk, alert.hit_count)


def mark_looked_at(rows: list[Alert], person: Any) -> None:
    """Who else was given which of them and looks at it now."""
    now = timezone.now()
    for alert in rows:
        lease = getattr(alert, "lease", None)
        theirs = lease is not None and lease.until > now and lease.person_id != person.pk
        alert.looked_at = lease if theirs else None


def draw_activity(rows: list[Alert]) -> None:
    lines = sparks(rows)
    for alert in rows:
        alert.spark = lines[alert.pk]


def filters_of(asked: Mapping[str, Any], **changed: str) -> str:
    """The filters as a query string, which every address reached from this page carries on."""
    kept = {name: "on" if value is True else value for name, value in asked.items()}
    kept.pop("after", None)
    return urlencode({name: value for name, value in (kept | changed).items() if value})


def _context(request: HttpRequest, form: QueueFilter, page: Page) -> dict[str, Any]:
    asked = form.asked
    filters = filters_of(asked)
    return {
        "form": form,
        "fields": [one for one in FIELDS if not (one.personal and masked(request.user))],
        "page": page,
        "asked": asked,
        "first_page": "after" not in asked,
        "filters": filters,
        "here": filters_of(asked, after=asked.get("after", "")),
        "next_page": filters_of(asked, after=page.after) if page.after else "",
        "look": look_of(request.user),
        "columns": COLUMNS,
        "masked": masked(request.user),
        "may_next": request.user.may("alert.work"),
        "may_bulk": leads(request.user),
        "kept": parse_qsl(filters),
        "currency": settings.BASE_CURRENCY,
        "looked": LOOKED,
        "token": _token(page),
    }


def _answer(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The page, or for its live refresh the table alone: nothing if nothing changed."""
    if context["wrong"] and request.htmx:
        response = HttpResponse(status=204)
    elif not request.htmx:
        status = 400 if context["wrong"] else 200
        response = render(request, "alerts/queue.html", context, status=status)
    elif request.GET.get("seen") == context["token"]:
        response = HttpResponse(status=204)  # 304 would be answered from the browser's own cache
    else:
        response = render(request, "alerts/_queue.html", context | {"live": True})
    patch_vary_headers(response, ["HX-Request"])
    return response


def _news(request: HttpRequest, found: AlertQuerySet) -> HttpResponse:
    """For someone who is reading the table: how many came in since, without moving a row."""
    newer = request.GET["newer"]
    if not (newer.isascii() and newer.isdigit() and len(newer) < 19):
        return HttpResponse(status=204)
    count = found.filter(pk__gt=int(newer)).order_by()[: PAGE + 1].count()
    context = {"count": min(count, PAGE), "more": count > PAGE, "query": request.GET}
    return render(request, "alerts/_news.html", context)


def _token(page: Page) -> str:
    """Changes with what the rows say; the minute is in it because ages are shown in minutes."""
    rows = [
        (a.pk, a.status, a.assignee_id, a.level, a.disposition, a.top_reason, a.hit_count, a.fresh)
        for a in page.rows
    ]
    looks = [a.looked_at and a.looked_at.person_id for a in page.rows]
    told = repr((rows, looks, timezone.now().replace(second=0, microsecond=0)))
    return hashlib.sha256(told.encode()).hexdigest()[:16]
