"""Who is asking, from where: carried beside the call so that verbs need not pass it on."""

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Asking:
    """The circumstances of one request, task or command, as the audit trail and logs show them."""

    request_id: str = ""
    ip: str | None = None


_current: ContextVar[Asking] = ContextVar("asking", default=Asking())  # noqa: B039 — it is frozen


def asking() -> Asking:
    return _current.get()


@contextmanager
def asked_by(circumstances: Asking) -> "Iterator[None]":
    token = _current.set(circumstances)
    try:
        yield
    finally:
        _current.reset(token)
