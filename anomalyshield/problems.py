"""Every refusal of the API as problem+json (RFC 9457), with a pointer where it helps."""

import json
import logging
from typing import Any

from django.core.exceptions import PermissionDenied, TooManyFieldsSent, TooManyFilesSent
from django.core.signals import got_request_exception
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse, UnreadablePostError
from rest_framework import exceptions, status

from anomalyshield.context import asking

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2

TITLES = {
    400: "The request cannot be read",
    401: "A credential is required",
    403: "This credential may not do that",
    404: "There is no such thing",
    405: "This method is not answered here",
    406: "Nothing of the kinds accepted is made here",
    408: "The request took too long to arrive",
    409: "This conflicts with what is already stored",
    412: "This is no longer what was read",
    413: "The request is too large",
    414: "The address is too long",
    415: "Content of this kind is not read here",
    422: "The request was read but cannot be accepted",
    429: "Too many requests",
    431: "The head of the request is too large",
    500: "Something went wrong on our side",
    503: "The platform cannot answer at the moment",
}


class Problem(exceptions.APIException):
    """A refusal with everything its reader needs; `pointer` is a JSON Pointer (RFC 6901)."""

    def __init__(
        self,
        status_code: int,
        code: str,
        detail: str,
        *,
        pointer: str | None = None,
        errors: list[dict[str, str]] | None = None,
        retry_after: int | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail, code)
        self.status_code = status_code
        self.code, self.text, self.pointer, self.errors = code, detail, pointer, errors
        self.retry_after, self.more = retry_after, more


def response(problem: Problem) -> HttpResponse:
    """The problem as the bytes that are sent."""
    answer = HttpResponse(
        json.dumps(body(problem), ensure_ascii=False).encode(),
        status=problem.status_code,
        content_type=MEDIA_TYPE,
    )
    if problem.retry_after is not None:
        answer["Retry-After"] = str(problem.retry_after)
    if problem.status_code == status.HTTP_401_UNAUTHORIZED:
        answer["WWW-Authenticate"] = "Bearer"
    return answer


def body(problem: Problem) -> dict[str, Any]:
    """The members in a fixed order; absent ones are left out."""
    members = {
        "type": f"about:problem/{problem.code}",
        "title": TITLES.get(problem.status_code, "The request was refused"),
        "status": problem.status_code,
        "detail": problem.text,
        "code": problem.code,
        "pointer": problem.pointer,
        "errors": problem.errors,
        "request_id": asking().request_id,
        **problem.more,
    }
    return {name: value for name, value in members.items() if value is not None}


def problem_json(error: Exception, context: dict[str, Any] | None = None) -> HttpResponse:
    """DRF's exception handler: whatever was raised becomes a problem, and never a trace."""
    return response(problem_of(error, context))


def problem_of(error: Exception, context: dict[str, Any] | None = None) -> Problem:
    """The problem that says what this exception means to the caller."""
    match error:
        case Problem():
            return error
        case exceptions.ValidationError():
            return Problem(
                400, "invalid", "Some fields are not valid.", errors=field_errors(error.detail)
            )
        case exceptions.APIException():
            return _of_drf(error)
        case Http404():
            said = str(error)
            if said.startswith("No ") and said.endswith(" matches the given query."):
                said = ""  # Django's, with the name of a class of ours
            return Problem(404, "not_found", said or "There is nothing at this address.")
        case TooManyFieldsSent() | TooManyFilesSent():
            return Problem(413, "too_many_parts", "The request has too many parts.")
        case UnreadablePostError() if isinstance(error.__cause__, TimeoutError):
            return Problem(408, "too_slow", "The request did not come in time.")
        case UnreadablePostError():
            return Problem(400, "cut_short", "The body ended before its stated length.")
        case PermissionDenied():
            return Problem(403, "permission_denied", str(error) or "This is not allowed to you.")
        case OperationalError() | InterfaceError():
            log.warning("The database does not answer: %s", error)
            return unavailable()
    return _unexpected(error, context)


def unavailable() -> Problem:
    """Nothing was stored: the caller keeps the event and tries again."""
    return Problem(
        503,
        "database_unavailable",
        "The database cannot be reached; nothing was stored. Try again with the same ids.",
        retry_after=RETRY_SECONDS,
    )


def _of_drf(error: exceptions.APIException) -> Problem:
    wait = getattr(error, "wait", None)
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else "refused"
    # DRF answers 403 to a missing credential when its first authenticator names no scheme.
    missing = isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed)
    return Problem(
        401 if missing else error.status_code,
        code,
        str(error.detail) if isinstance(error.detail, str) else "The request was refused.",
        retry_after=None if wait is None else max(1, round(wait)),
    )


def _unexpected(error: Exception, context: dict[str, Any] | None) -> Problem:
    request = (context or {}).get("request")
    log.error("An API view failed", exc_info=error)
    got_request_exception.send(sender=None, request=request)
    if isinstance(error, DatabaseError):
        return Problem(500, "database_error", "The database refused what we sent it; it is logged.")
    return Problem(500, "internal_error", "An unexpected failure; it is logged with this id.")


def field_errors(detail: Any, pointer: str = "") -> list[dict[str, str]]:
    """DRF's nested error tree as a flat list of pointer and sentence."""
    if isinstance(detail, dict):
        return [
            one
            for name, part in detail.items()
            for one in field_errors(
                part, pointer if name == "non_field_errors" else f"{pointer}/{step(name)}"
            )
        ]
    if isinstance(detail, list):
        texts = [one for one in detail if isinstance(one, str)]
        nested = [
            one
            for index, part in enumerate(detail)
            if not isinstance(part, str)
            for one in field_errors(part, f"{pointer}/{index}")
        ]
        return [{"pointer": pointer, "detail": str(text)} for text in texts] + nested
    return [{"pointer": pointer, "detail": str(detail)}]


def step(name: Any) -> str:
    """One reference token of a JSON Pointer."""
    return str(name).replace("~", "~0").replace("/", "~1")
