"""What every request passes through: a number, a policy for the browser, no copies left behind."""

import re
import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import resolve
from django.utils import translation

from anomalyshield.context import Asking, asked_by
from anomalyshield.metrics import RESPONSES

Next = Callable[[HttpRequest], HttpResponse]
REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,36}")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


class RequestId:
    """Numbers the request, and lets the audit trail and the logs know who asks from where."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        number = given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        request.request_id = number
        # REMOTE_ADDR only: X-Forwarded-For can be written by anyone (DRF#5494).
        with asked_by(Asking(number, request.META.get("REMOTE_ADDR") or None)):
            response = self.get_response(request)
        response["X-Request-ID"] = number
        return response


class Language:
    """What the browser asks for, until the gate knows whose page it is; English for programs.

    Programs match words, and their language must not depend on a header some library adds.
    """

    PROGRAMS = ("/api/", "/detect", "/predict", "/hooks/", "/health", "/metrics")

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = not request.path.startswith(self.PROGRAMS)
        language = translation.get_language_from_request(request) if asked else "en"
        with translation.override(language):  # what the gate chooses ends with the request as well
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or language)
        return response


class ContentSecurityPolicy:
    """Strict everywhere; a view that must relax it says so with `response.policy = "…"`."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", getattr(response, "policy", POLICY))
        return response


class Audited:
    """Nothing we answer is kept by the browser or a proxy, so nothing is left after logging out."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # For everyone: asking here who it is would cost /health a query when the database is away.
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class InPlace:
    """For a script that shows a page in the place of another: it is told where it would be sent on
    to, since a browser follows for it and what the next page says once would be lost."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "X-In-Place" not in request.headers or "Location" not in response.headers:
            return response
        told = HttpResponse(status=204, headers={"X-Go-To": response["Location"]})
        told.cookies = response.cookies
        return told


class Counted:
    """Counts answers by address and status, for the error rates."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match  # by name: a label per object would never end
        route = match.view_name if match and match.view_name else "other"
        RESPONSES.labels(route, str(response.status_code)).inc()
        return response


STRAIGHT = frozenset(  # addresses that payments wait for
    {
        "/detect",
        "/predict",
        "/predict/batch",
        "/api/v1/scoring/score",
        "/api/v1/scoring/score/batch",
    }
)


class Straight:
    """The short way of a program with a key, past sessions, messages and all else that is of pages.
    What every answer carries, these carry too."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response
        self.short = SecurityMiddleware(
            ContentSecurityPolicy(Language(XFrameOptionsMiddleware(Audited(_viewed))))
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in STRAIGHT or not _is_program(request):
            return self.get_response(request)
        request.get_host()  # raises for one that is not ours, as CommonMiddleware does
        response: HttpResponse = self.short(request)
        response.headers["Content-Length"] = str(len(response.content))
        return response


def _is_program(request: HttpRequest) -> bool:
    return "HTTP_X_API_KEY" in request.META and not request.META.get("HTTP_COOKIE")


def _viewed(request: HttpRequest) -> HttpResponse:
    match = request.resolver_match = resolve(request.path_info)
    response: Any = match.func(request, *match.args, **match.kwargs)
    return response.render() if hasattr(response, "render") else response  # as Django does
