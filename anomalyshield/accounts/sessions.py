"""Log-ins on the trail: who came, and who was turned away."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.http import HttpRequest

from anomalyshield.accounts.models import User
from anomalyshield.audit.record import denied, record


def opened(request: HttpRequest | None, user: User, **_: Any) -> None:
    record(by=user, action="session.opened", object=user)


def refused(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """The name that was tried, never the password: Django masks it before it gets here."""
    name = str(credentials.get("username", ""))[:150]
    denied(by=name or "unknown", action="session.refused", object=None)


def connect() -> None:
    user_logged_in.connect(opened, dispatch_uid="session.opened")
    user_login_failed.connect(refused, dispatch_uid="session.refused")
