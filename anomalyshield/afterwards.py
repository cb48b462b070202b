"""What a request leads to but its caller need not wait for: done once the answer is sent.

It is lost when the process dies in between, so only what a sweep finds again belongs here.
"""

import logging
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial

from django.http import HttpRequest, HttpResponse

log = logging.getLogger(__name__)
Work = Callable[[], object]
_left: ContextVar[list[Work] | None] = ContextVar("left", default=None)


def afterwards(work: Work) -> None:
    """Do it after the answer of this request; at once where nobody waits for an answer."""
    left = _left.get()
    if left is None:
        work()
    else:
        left.append(work)


class Afterwards:
    """Does what was left when the server closes the response, which is after sending it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        left: list[Work] = []
        token = _left.set(left)
        try:
            response = self.get_response(request)
        finally:
            _left.reset(token)
        if left:
            response._resource_closers.append(partial(_do_all, left))
        return response


def _do_all(left: list[Work]) -> None:
    for work in left:
        try:
            work()
        except Exception:
            log.exception("what was left for after the answer failed")
