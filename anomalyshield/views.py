"""Pages and probes that belong to no room: home, health, metrics, the API's manual, refusals."""

import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

from anomalyshield import condition, dashboard, health, problems
from anomalyshield import metrics as figures
from anomalyshield.accounts.authentication import key_in, machine_of
from anomalyshield.accounts.permissions import allow, public, to_login
from anomalyshield.accounts.roles import DUTIES, PUBLIC, SCOPES, TABLE, TITLES
from anomalyshield.audit.record import denied
from anomalyshield.context import asking
from anomalyshield.middleware import Language
from anomalyshield.navigation import address_of
from anomalyshield.rest.schema import MadeOnce
from anomalyshield.waiting import waiting

# ReDoc writes style elements and starts a worker from a blob; only on its page may anything.
REDOC_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; worker-src 'self' blob:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# What has a number of its own and a page; alerts and cases are found without the hyphen, too.
PAGES = {
    "A": "alert",
    "B": "bulk",
    "BTL": "sample",
    "C": "case",
    "L": "list-entry",
    "Q": "question",
    "R": "review",
    "S": "suppression",
}
OBJECT = re.compile(rf"([AC](?=-?\d)|(?:{'|'.join(PAGES)})(?=-))-?(\d{{1,18}})", re.IGNORECASE)
NAMED = re.compile(r"(user|card|device|merchant):\s*(\S.*)", re.IGNORECASE)


@allow("session.own", methods=("GET",))
def home(request: HttpRequest) -> HttpResponse:
    """What waits for this person; asked again every ten seconds while the page is looked at."""
    boards = dashboard.boards(request.user)
    seen = dashboard.digest(boards)
    return _live(request, "home.html", {"boards": boards}, seen)


@allow("health.deep", methods=("GET",))
def system(request: HttpRequest) -> HttpResponse:
    """The deep health for people: each part in words."""
    parts = condition.components()
    context = {"components": parts, "troubled": sum(bool(part.cure) for part in parts)}
    return _live(request, "system.html", context, dashboard.digest(parts))


def _live(request: HttpRequest, template: str, context: dict[str, Any], seen: str) -> HttpResponse:
    """The whole page, or the part that is refreshed; nothing if that one has been seen."""
    if not request.htmx:
        return render(request, template, context | {"seen": seen})
    if request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    return render(request, f"_{template}", context | {"seen": seen})


@allow("session.own", methods=("GET",))
def permissions(request: HttpRequest) -> HttpResponse:
    """The table every gate asks, as it is."""
    rows = [
        (
            action,
            [(role in action.roles, role in request.user.roles) for role in TITLES],
            [scope in action.scopes for scope in SCOPES],
        )
        for action in TABLE
    ]
    roles = [
        (role, title, DUTIES[role], role in request.user.roles) for role, title in TITLES.items()
    ]
    context = {"rows": rows, "roles": roles, "scopes": list(SCOPES)}
    return render(request, "accounts/permissions.html", context)


@allow("session.own", methods=("GET",))
def jump(request: HttpRequest) -> HttpResponse:
    """`A-12` is an alert, `S-3` a suppression, `card:9` a card; anything else is looked for."""
    wanted = request.GET.get("to", "").strip()[:128]
    if found := OBJECT.fullmatch(wanted):
        name = PAGES[found[1].upper()]
        if address := address_of(name, int(found[2])):
            return redirect(address)
    if (named := NAMED.fullmatch(wanted)) and (
        address := address_of("entity", named[1].lower(), named[2])
    ):
        return redirect(address)
    return redirect(f"{address_of('transactions') or '/'}?{urlencode({'q': wanted})}")


# --- probes ---------------------------------------------------------------------------------------
@public
def alive(request: HttpRequest) -> HttpResponse:
    """Liveness: the process answers. It asks nothing of the database on purpose."""
    return JsonResponse({"status": "ok"})


@public
def ready(request: HttpRequest) -> HttpResponse:
    """Readiness: database, tables, model and workers are there; 503 with the reasons otherwise."""
    found = health.state()
    return JsonResponse(found, status=503 if found["problems"] else 200)


@allow("health.deep", methods=("GET",))
def deep(request: HttpRequest) -> HttpResponse:
    work = {one.name: asdict(one) for one in waiting()}
    return JsonResponse({**health.deep(), "work": work, "environment": settings.ENVIRONMENT})


def metrics(request: HttpRequest) -> HttpResponse:
    """For an admin, or for a scraper with the token."""
    who = machine_of(key_in(request)) or request.user
    if not figures.may_scrape(request.headers.get("Authorization", "")):
        if not who.is_authenticated:
            return _problem(401, "not_authenticated", "Send the scrape token.")
        if not who.may("metrics.read"):
            denied(by=who, action="metrics.read", reason=request.path)
            return _problem(403, "permission_denied", "For admins and scrapers only.")
    return HttpResponse(figures.exposition(), content_type="text/plain; version=0.0.4")


metrics.action = "metrics.read"


# --- the manual of the API ------------------------------------------------------------------------
def manual(view: type, policy: str = "", **how: Any) -> Callable[..., HttpResponse]:
    """A page of the manual: for everyone in the demo, else for people and keys of this place."""
    inner = view.as_view(authentication_classes=[], permission_classes=[], **how)

    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if page.action != PUBLIC:
            who = machine_of(key_in(request)) or request.user
            if not who.is_authenticated:
                return to_login(request)
            if not who.may(page.action):
                denied(by=who, action=page.action, reason=request.path)
                raise PermissionDenied(page.action)
        response = inner(request, *args, **kwargs)
        if policy:
            response.policy = policy
        return response

    page.action = PUBLIC if settings.ENVIRONMENT == "demo" else "docs.read"
    return page


schema = manual(SpectacularAPIView, generator_class=MadeOnce)
docs = manual(SpectacularSwaggerSplitView)
redoc = manual(SpectacularRedocView, REDOC_POLICY)


# --- refusals -------------------------------------------------------------------------------------
def _problem(status: int, code: str, sentence: str) -> HttpResponse:
    return problems.response(problems.Problem(status, code, sentence))


def _refusal(status: int, code: str, title: str, sentence: str) -> Callable[..., HttpResponse]:
    """A page that asks nothing of the database, which may be why it is shown."""

    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.path.startswith(Language.PROGRAMS):
            return _problem(status, code, str(sentence))
        words = {"title": title, "sentence": sentence, "status": status, "id": asking().request_id}
        return HttpResponse(render_to_string("errors/error.html", words), status=status)

    return page


bad_request = _refusal(
    400, "bad_request", _("That request made no sense"), _("Check the address and try again.")
)
forbidden = _refusal(
    403,
    "permission_denied",
    _("Not yours to do"),
    _("Your role does not include this. An admin can change that."),
)
csrf_failure = _refusal(
    403,
    "csrf",
    _("This form is too old"),
    _("It was open for too long, or cookies are off. Go back, reload the page, and send it again."),
)
not_found = _refusal(
    404,
    "not_found",
    _("Not found"),
    _("There is nothing here, or it lies in a queue that is not yours."),
)
server_error = _refusal(
    500,
    "internal_error",
    _("Something broke"),
    _("It is on record. Give the request id to an admin."),
)
