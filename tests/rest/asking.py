"""A person's program: asks with their session, sends JSON, and expects a status."""

from typing import Any

from django.http import HttpResponse

from anomalyshield.accounts.models import User
from tests.conftest import client_of


def answer(
    who: User, method: str, address: str, body: Any = None, /, **headers: str
) -> HttpResponse:
    sent: dict[str, Any] = {} if method in {"get", "head"} else {"content_type": "application/json"}
    if sent:
        sent["data"] = "" if body is None else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return getattr(client_of(who), method)(f"/api/v1/{address}", **sent, headers=named)


def get(who: User, address: str, expected: int = 200, /, **asked: Any) -> Any:
    got = client_of(who).get(f"/api/v1/{address}", asked)
    assert got.status_code == expected, got.content
    return got.json()


def post(who: User, address: str, body: Any = None, /, expected: int = 200) -> Any:
    return _sent(who, "post", address, body, expected)


def patch(who: User, address: str, body: Any, /, expected: int = 200) -> Any:
    return _sent(who, "patch", address, body, expected)


def _sent(who: User, method: str, address: str, body: Any, expected: int) -> Any:
    got = answer(who, method, address, body)
    assert got.status_code == expected, got.content
    return got.json() if got.content else None


def pointers(problem: dict[str, Any]) -> list[str]:
    """The fields a problem names."""
    return [one["pointer"] for one in problem.get("errors", [])] or [problem.get("pointer", "")]
