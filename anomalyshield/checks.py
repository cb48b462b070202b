"""Wrong settings, found when a command starts: what is wrong, and the hint that cures it."""

import os
import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error

TAG = "anomalyshield"
REDIS_SCHEMES = {"redis", "rediss", "unix"}


def check(find: Callable[[], Iterator[CheckMessage]]) -> Callable[..., list[CheckMessage]]:
    """Register a generator of messages as one of Django's system checks."""

    @checks.register(TAG)
    def run(**_: Any) -> list[CheckMessage]:
        return list(find())

    return run


@check
def scoring() -> Iterator[CheckMessage]:
    currency = settings.BASE_CURRENCY
    if not re.fullmatch("[A-Z]{3}", currency):
        yield Error(
            f"ANOMALYSHIELD_CURRENCY={currency!r} is not an ISO 4217 code.",
            hint="Use three capital letters, for example USD or EUR.",
            id="anomalyshield.E001",
        )
    if not Decimal(0) < _decimal(settings.ALERT_BUDGET) <= Decimal("0.5"):
        yield Error(
            f"ANOMALYSHIELD_ALERT_BUDGET={settings.ALERT_BUDGET!r} is no share people can review.",
            hint="Use a number above 0 and up to 0.5; 0.005 means one payment in 200.",
            id="anomalyshield.E002",
        )


@check
def connections() -> Iterator[CheckMessage]:
    if (scheme := urlsplit(settings.REDIS_URL).scheme) not in REDIS_SCHEMES:
        yield Error(
            f"REDIS_URL starts with {scheme or 'nothing'}://.",
            hint="Use redis://host:6379/0, rediss:// for TLS, or unix:///path/to.sock?db=0.",
            id="anomalyshield.E003",
        )
    if bad := [origin for origin in settings.CSRF_TRUSTED_ORIGINS if "://" not in origin]:
        yield Error(
            f"CSRF_TRUSTED_ORIGINS has {', '.join(bad)} without a scheme.",
            hint="Write the whole origin, for example https://fraud.example.com.",
            id="anomalyshield.E004",
        )
    if settings.VAR.exists() and not os.access(settings.VAR, os.W_OK | os.X_OK):
        yield Error(
            f"The folder {settings.VAR} cannot be written.",
            hint="Give it to the user who runs this, or name another in ANOMALYSHIELD_VAR.",
            id="anomalyshield.E005",
        )


@check
def environment() -> Iterator[CheckMessage]:
    if settings.ENVIRONMENT not in {"demo", "production", "test"}:
        yield Error(
            f"ANOMALYSHIELD_ENV={settings.ENVIRONMENT!r} is unknown.",
            hint="Use demo, production or test.",
            id="anomalyshield.E006",
        )
    if settings.ENVIRONMENT == "production":
        yield from _production()


def _production() -> Iterator[CheckMessage]:
    for wrong, words, hint, number in [
        (settings.DEBUG, "DEBUG is on in production.", "Remove DEBUG=1.", "E007"),
        (
            settings.OPEN_SCORING,
            "ANOMALYSHIELD_OPEN_SCORING lets anybody score in production.",
            "Remove it; machines get API keys.",
            "E008",
        ),
        (
            "*" in settings.ALLOWED_HOSTS,
            "ALLOWED_HOSTS accepts any host name in production.",
            "List the names you serve: a forged Host header ends up in links.",
            "E009",
        ),
        (
            len(settings.SECRET_KEY) < 50,
            "SECRET_KEY is shorter than 50 characters.",
            'Draw one: python -c "import secrets; print(secrets.token_urlsafe(50))"',
            "E010",
        ),
    ]:
        if wrong:
            yield Error(words, hint=hint, id=f"anomalyshield.{number}")
    if not settings.HTTPS:
        yield checks.Warning(
            "Cookies travel without TLS in production.",
            hint="Serve over TLS and set ANOMALYSHIELD_HTTPS=1.",
            id="anomalyshield.W001",
        )
    if not settings.DATABASE_URL:
        yield checks.Warning(
            "Production runs on the embedded database.",
            hint="Set DATABASE_URL to a server that is backed up.",
            id="anomalyshield.W002",
        )


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return Decimal(-1)
    return value if value.is_finite() else Decimal(-1)
