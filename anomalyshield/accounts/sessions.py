"""Log-ins on the trail: who came, who left, who was turned away; and ending all of somebody's."""

from typing import Any

from allauth.account.signals import password_changed
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from anomalyshield.accounts.models import User
from anomalyshield.audit.record import denied, record


def end_all(user: User) -> None:
    """Browsers and programs: whoever was logged in as this person has to do it again, if they can.

    Access tokens end with this too: each request asks whether the person is active and whether the
    password is still the one the token was given for.
    """
    Session.objects.filter(opensession__user=user).delete()
    end_tokens(user.pk)


def end_tokens(user_id: Any) -> None:
    """No refresh token of this person works any more."""
    BlacklistedToken.objects.bulk_create(
        [BlacklistedToken(token=token) for token in living_tokens(user_id)], ignore_conflicts=True
    )


def living_tokens(user_id: Any) -> "QuerySet[OutstandingToken]":
    """Refresh tokens of this person that still work."""
    return OutstandingToken.objects.filter(
        user_id=user_id, blacklistedtoken=None, expires_at__gt=Now()
    )


def opened(request: HttpRequest | None, user: User, **_: Any) -> None:
    record(by=user, action="session.opened", object=user)


def closed(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        record(by=user, action="session.closed", object=user)


def refused(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Only names that exist are kept: the others are often passwords in the wrong field."""
    tried = str(credentials.get("username", "")).replace("\x00", "")
    found = User.objects.filter(username=tried).first()
    denied(by=found or "unknown", action="session.refused", object=found)


def changed(request: HttpRequest, user: User, **_: Any) -> None:
    end_tokens(user.pk)  # other browsers end by themselves: a session is bound to the password
    record(by=user, action="password.changed", object=user)


def connect() -> None:
    user_logged_in.connect(opened, dispatch_uid="session.opened")
    user_logged_out.connect(closed, dispatch_uid="session.closed")
    user_login_failed.connect(refused, dispatch_uid="session.refused")
    password_changed.connect(changed, dispatch_uid="password.changed")
