"""What tests of sources share: a program with a key, and nothing remembered of the test before."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from anomalyshield import limits
from anomalyshield.accounts.keys import make_key
from anomalyshield.accounts.models import User
from scoring import backlog, heard, hooks, rates
from scoring.models import Source
from scoring.sourcing import make_source

Send = Callable[..., HttpResponse]


@pytest.fixture(autouse=True)
def counted_anew() -> None:
    limits.forget()
    backlog.forget()
    heard.forget()
    hooks.forget()
    rates.forget()


@pytest.fixture
def till(dana: User) -> Source:
    return make_source(by=dana, name="till", kind="rest")


@pytest.fixture
def send(adam: User, till: Source) -> Send:
    """Sends a body to the door of events with a key of the source `till`."""
    return sender(adam, till)


def sender(by: User, source: Source | None, **more: Any) -> Send:
    scopes = more.pop("scopes", ["events:write"])
    _, key = make_key(by=by, name="gateway", scopes=scopes, source=source, **more)

    def post(body: Any, address: str = "/api/v1/events", **headers: str) -> HttpResponse:
        kind = headers.pop("content_type", "application/json")
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return Client(raise_request_exception=False).post(
            address, text, content_type=kind, headers={"X-Api-Key": key, **headers}
        )

    return post


def event(number: int, **more: Any) -> dict[str, Any]:
    return {"transaction_id": f"e{number}", "user_id": f"u{number % 3}", "amount": 10, **more}
