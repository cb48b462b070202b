"""Pages of figures: tabs of sections, each a drawing with its table, and the tables as files."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from alerts.analytics import FIRST, TABS, Tab
from alerts.analytics.asking import file_of, length_of, tab_of
from alerts.analytics.section import Section
from alerts.analytics.window import window_of
from alerts.visibility import masked
from anomalyshield.accounts.permissions import allow
from anomalyshield.context import zone
from anomalyshield.exports import KINDS

LOOK = ("GET", "HEAD")


@allow("analytics.view", methods=LOOK)
def analytics(request: HttpRequest) -> HttpResponse:
    """The first tab."""
    return _page(request, TABS[FIRST])


@allow("analytics.view", methods=LOOK)
def tab(request: HttpRequest, tab: str) -> HttpResponse:
    """One tab; while it is looked at, the live one asks again by itself."""
    return _page(request, tab_of(tab))


@allow("report.export", methods=LOOK)
def file(request: HttpRequest, tab: str, section: str, kind: str) -> HttpResponseBase:
    """One table as CSV or XLSX, which leaves a trace."""
    last = request.GET.get("last", "")
    return file_of(request.user, tab_of(tab), section, kind, last, zone=zone())


def _page(request: HttpRequest, one: Tab) -> HttpResponse:
    last = length_of(one, request.GET.get("last", ""))
    window = window_of(request.user, last, zone=zone())
    hidden = masked(request.user)
    context = {
        "tab": one,
        "tabs": list(TABS.values()),
        "last": last,
        "window": window,
        "ended": window.until < window.now,
        "parts": [_told(part, hidden) for part in one.make(window)],
        "kinds": KINDS,
    }
    template = "alerts/_analytics.html" if request.htmx else "alerts/analytics.html"
    return render(request, template, context)


def _told(part: Section, hidden: bool) -> dict[str, Any]:
    return {"section": part, "lines": part.lines(hidden), "heads": part.heads}
