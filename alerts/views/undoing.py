"""What the undo key takes back: the last thing this person did, wherever they are since."""

import time
from typing import Any

from django.http import HttpRequest

from alerts.triage import UNDO_WITHIN

LAST = "last_decision"  # in the session


def remember(request: HttpRequest, name: str, address: str) -> None:
    """`address` takes it back, by a form."""
    request.session[LAST] = {"name": name, "address": address, "at": time.time()}


def forget(request: HttpRequest) -> None:
    request.session.pop(LAST, None)


def undoable(request: HttpRequest) -> dict[str, Any] | None:
    """The last thing done; None when it is too old. The verb looks again."""
    last: dict[str, Any] | None = request.session.get(LAST)
    fresh = last is not None and time.time() - last["at"] < UNDO_WITHIN.total_seconds()
    return last if fresh else None
