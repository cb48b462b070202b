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


_zone: ContextVar[str] = ContextVar("zone", default="UTC")


def zone() -> str:
    """The time zone of whoever reads the page; UTC where nobody in particular does."""
    return _zone.get()


@contextmanager
def read_in(name: str) -> "Iterator[None]":
    token = _zone.set(name)
    try:
        yield
    finally:
        _zone.reset(token)


def asking() -> Asking:
    return _current.get()


@contextmanager
def asked_by(circumstances: Asking) -> "Iterator[None]":
    token = _current.set(circumstances)
    try:
        yield
    finally:
        _current.reset(token)
