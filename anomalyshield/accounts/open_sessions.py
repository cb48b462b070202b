"""In which browsers a person is logged in: kept beside each session, listed and ended by them."""

import time
from collections.abc import Callable
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse

from anomalyshield.accounts.models import OpenSession, User
from anomalyshield.accounts.sessions import end_tokens, living_tokens
from anomalyshield.afterwards import afterwards
from anomalyshield.audit.record import record

NOTED_EVERY = 60.0  # seconds; a write per request would tell nobody more
MOST_REMEMBERED = 10_000
_noted: dict[str, float] = {}


def sessions_of(user: User) -> "QuerySet[OpenSession]":
    """Where this person is logged in now, the latest seen first."""
    mine = OpenSession.objects.filter(user=user, session__expire_date__gt=Now())
    return mine.order_by("-seen_at", "-pk")


def note_opened(sender: Any, request: HttpRequest | None, user: User, **_: Any) -> None:
    """Somebody logged in just now, in this browser."""
    if request is None:
        return
    if not request.session.session_key:
        request.session.create()
    key = request.session.session_key
    OpenSession.objects.update_or_create(
        session_id=key,
        defaults={
            "user": user,
            "ip": request.META.get("REMOTE_ADDR") or None,
            "agent": request.headers.get("User-Agent", "").replace("\x00", "")[:300],
        },
    )
    _remember(key)


@transaction.atomic
def end_session(*, by: User, session: OpenSession) -> None:
    """Log this browser out; it is one of the person's own."""
    told = {"browser": session.browser, "ip": session.ip}
    Session.objects.filter(pk=session.session_id).delete()
    record(by=by, action="session.ended", object=by, after=told)


@transaction.atomic
def end_others(*, by: User, keep: str | None) -> int:
    """Log out every browser but the one whose session key is `keep`, and every program.

    Returns how many browsers and programs that were.
    """
    others = OpenSession.objects.filter(user=by).exclude(session_id=keep)
    browsers, programs = others.count(), living_tokens(by.pk).count()
    Session.objects.filter(pk__in=others.values("session_id")).delete()
    end_tokens(by.pk)
    if browsers or programs:
        after = {"browsers": browsers, "programs": programs}
        record(by=by, action="session.ended", object=by, after=after, reason="all others")
    return browsers + programs


class Seen:
    """Notes, once a minute and after the answer, that a browser is still in use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        session = request.session
        # Only what was looked at anyway: asking would cost a query where nobody is logged in.
        if session.accessed and session.session_key and SESSION_KEY in session:
            _note(session.session_key, request.META.get("REMOTE_ADDR") or None)
        return response


def _note(key: str, ip: str | None) -> None:
    if time.monotonic() - _noted.get(key, -NOTED_EVERY) < NOTED_EVERY:
        return
    _remember(key)
    mine = OpenSession.objects.filter(session_id=key)
    afterwards(lambda: mine.update(seen_at=Now(), ip=ip))


def _remember(key: str) -> None:
    if len(_noted) >= MOST_REMEMBERED:
        _noted.clear()
    _noted[key] = time.monotonic()


def connect() -> None:
    user_logged_in.connect(note_opened, dispatch_uid="session.noted")
