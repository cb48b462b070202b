"""A machine with a key, and a model in service."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from anomalyshield.accounts.authentication import forget_keys
from anomalyshield.accounts.keys import make_key
from anomalyshield.accounts.models import User
from scoring import current
from tests.scoring import making

Post = Callable[..., HttpResponse]


@pytest.fixture
def post(db: None, adam: User) -> Post:
    """Sends a body byte for byte with a key that may score."""
    making.first_model()
    forget_keys()
    current.forget()
    _, key = make_key(by=adam, name="gateway", scopes=["score:write"])

    def send(address: str, body: str | bytes, **headers: str) -> HttpResponse:
        kind = headers.pop("content_type", "application/json")
        return Client(raise_request_exception=False).post(
            address, body, content_type=kind, headers={"X-Api-Key": key, **headers}
        )

    return send
