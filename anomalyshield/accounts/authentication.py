"""How a machine says who it is: an API key in a header, never in the address."""

import time
from dataclasses import dataclass
from functools import cached_property

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from anomalyshield.accounts.keys import find_key, note_use
from anomalyshield.accounts.models import ApiKey
from anomalyshield.accounts.roles import actions_of_scopes

CACHED_SECONDS = 4.0  # a revoked key stops within five
CACHED_KEYS = 1000
_known: dict[str, tuple[float, "Machine"]] = {}


@dataclass
class Machine:
    """An upstream system, as `request.user`."""

    key: ApiKey
    pk = None
    is_authenticated = True
    is_anonymous = False
    is_active = True

    @cached_property
    def actions(self) -> frozenset[str]:
        return actions_of_scopes(self.key.scopes)

    def may(self, action: str) -> bool:
        return action in self.actions

    def __str__(self) -> str:
        return f"key:{self.key.prefix}"

    @property
    def username(self) -> str:
        return str(self)


def machine_of(text: str) -> Machine | None:
    """The machine behind a key; looked up at most once in CACHED_SECONDS per process."""
    now = time.monotonic()
    cached = _known.get(text)
    if cached and now - cached[0] < CACHED_SECONDS:
        return cached[1]
    found = find_key(text)
    if found is None:
        _known.pop(text, None)
        return None
    note_use(found)
    if len(_known) >= CACHED_KEYS:
        _known.clear()
    machine = Machine(found)
    _known[text] = (now, machine)
    return machine


def forget_keys() -> None:
    """Drop what this process remembers; tests and revocation in the same process use it."""
    _known.clear()


def key_in(request: HttpRequest | Request) -> str:
    """The key of `X-Api-Key: …` or `Authorization: Api-Key …`; empty when neither is there."""
    if given := request.headers.get("X-Api-Key", ""):
        return given
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "api-key" else ""


class ApiKeyAuthentication(BaseAuthentication):
    """DRF's door for machines."""

    def authenticate(self, request: Request) -> tuple[Machine, ApiKey] | None:
        text = key_in(request)
        if not text:
            return None
        machine = machine_of(text)
        if machine is None:
            raise AuthenticationFailed("This API key is unknown, expired or revoked.")
        return machine, machine.key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
