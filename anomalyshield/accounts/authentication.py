"""How a machine says who it is: an API key in a header, never in the address."""

import re
import time
from dataclasses import dataclass
from functools import cached_property

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication

from anomalyshield.accounts.keys import digest_of, find_key, note_use
from anomalyshield.accounts.models import ApiKey, User
from anomalyshield.accounts.roles import actions_of_scopes

CACHED_SECONDS = 4.0  # a revoked key stops within five
CACHED_KEYS = 1000
KEY = re.compile(r"as_[0-9a-f]{8}_[\w-]{20,}")
_known: dict[bytes, tuple[float, "Machine"]] = {}


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
    if not text:
        return None
    now, digest = time.monotonic(), digest_of(text)
    cached = _known.get(digest)
    if cached and now - cached[0] < CACHED_SECONDS:
        return cached[1]
    found = find_key(text)
    if found is None:
        _known.pop(digest, None)
        return None
    note_use(found)
    if len(_known) >= CACHED_KEYS:
        _known.clear()
    machine = Machine(found)
    _known[digest] = (now, machine)
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
        if KEY.search(request.META.get("QUERY_STRING", "")):
            raise AuthenticationFailed(
                "A key in an address ends up in logs: send it as X-Api-Key, and revoke this one."
            )
        text = key_in(request)
        if not text:
            return None
        machine = machine_of(text)
        if machine is None:
            raise AuthenticationFailed("This API key is unknown, expired or revoked.")
        return machine, machine.key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class Token(JWTAuthentication):
    """The tokens of `tokens.py`; whatever is wrong with one, the answer is the same."""

    def authenticate(self, request: Request) -> tuple[User, object] | None:
        try:
            return super().authenticate(request)
        except AuthenticationFailed as error:
            raise AuthenticationFailed("This access token is not valid.") from error
