"""This process's sign of life: an advisory lock that dies with it, and the beat of its leases.

One thread per process, with a connection of its own, holds the lock and extends the leases of the
rows being worked on. kill -9 closes the connection, so the lock is gone within milliseconds and
`leases.free_orphans` frees the rows. SIGSTOP keeps it; then the lease runs out, and the token
decides whose result counts. Needs a session of its own: no transaction pooling in between.
"""

import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

log = logging.getLogger(__name__)
expendable = False  # a worker process, which its pool replaces when it ends
CHECK_SECONDS = 0.5  # how long a lost session may stay unnoticed
RETRY_SECONDS = 0.1

# A row locked by our own open transaction is skipped: nobody can claim it meanwhile either.
BEAT = """
WITH mine AS (
    SELECT id FROM {table} WHERE id = %(id)s AND lease_token = %(token)s FOR UPDATE SKIP LOCKED
), beat AS (
    UPDATE {table} AS work SET lease_until = now() + make_interval(secs => %(lease)s)
    FROM mine WHERE work.id = mine.id
)
SELECT EXISTS (
    SELECT FROM {table} WHERE id = %(id)s AND lease_token = %(token)s AND state = 'RUNNING'
)
"""


@dataclass(eq=False)
class Beat:
    """A lease being extended. `lost` is set once the row is no longer ours."""

    table: str
    id: Any
    token: Any
    until: float | None  # monotonic: from then on it is let go
    next: float
    lost: threading.Event = field(default_factory=threading.Event)


class Holder(threading.Thread):
    """Holds the lock, re-takes it after a connection loss, beats for the rows at work."""

    def __init__(self) -> None:
        super().__init__(name="holder", daemon=True)
        self.lock_key = secrets.randbits(62) + 1
        self.held = threading.Event()
        self.stopping = threading.Event()
        self.beats: set[Beat] = set()

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                with self._session() as session:
                    self._stay(session)
            except psycopg.Error as error:
                # Once per loss: a database that is away for an hour is asked 36,000 times.
                level = logging.WARNING if self.held.is_set() else logging.DEBUG
                log.log(level, "the holder lost its session: %s", error)
            except Exception:
                log.exception("the holder stumbled")
            self.held.clear()
            self.stopping.wait(RETRY_SECONDS)

    def _session(self) -> psycopg.Connection[Any]:
        # psycopg itself and not Django's connection: nobody else may close, reuse or wrap it.
        return psycopg.connect(**connection.get_connection_params(), autocommit=True)

    def _stay(self, session: psycopg.Connection[Any]) -> None:
        while not self.stopping.is_set():
            if self.held.is_set():
                session.execute("SELECT 1")
                self._beat(session)
            elif self._take(session):
                self.held.set()
            self.stopping.wait(CHECK_SECONDS if self.held.is_set() else RETRY_SECONDS)

    def _take(self, session: psycopg.Connection[Any]) -> bool:
        """Tries only: after a loss the server may still believe in our old session for a moment."""
        answer = session.execute("SELECT pg_try_advisory_lock(%s)", [self.lock_key])
        return bool(answer.fetchone()[0])

    def _beat(self, session: psycopg.Connection[Any]) -> None:
        now = time.monotonic()
        for beat in [beat for beat in self.beats.copy() if beat.next <= now]:
            beat.next = now + settings.HEARTBEAT_SECONDS
            if beat.until is not None and beat.until <= now:
                self._let_go(beat, now)
            elif not beat.lost.is_set() and not self._extend(session, beat):
                log.warning("%s %s is no longer ours", beat.table, beat.id)
                beat.lost.set()

    def _let_go(self, beat: Beat, now: float) -> None:
        """Beat no more for work that hangs; a worker process that then still hangs is ended."""
        if not beat.lost.is_set():
            log.error("%s %s takes too long and is let go", beat.table, beat.id)
            beat.lost.set()
        elif expendable and now > beat.until + settings.LEASE_SECONDS:
            log.critical("%s %s still hangs: this process ends", beat.table, beat.id)
            os._exit(70)

    def _extend(self, session: psycopg.Connection[Any], beat: Beat) -> bool:
        answer = session.execute(
            sql.SQL(BEAT).format(table=sql.Identifier(beat.table)),
            {"id": beat.id, "token": beat.token, "lease": settings.LEASE_SECONDS},
        )
        return bool(answer.fetchone()[0])


_guard = threading.Lock()
_holder: Holder | None = None


def _forget() -> None:
    """A forked child has neither the thread nor the right to its parent's connection."""
    global _guard, _holder
    _guard, _holder = threading.Lock(), None


os.register_at_fork(after_in_child=_forget)


def _running() -> Holder:
    global _holder
    with _guard:
        if _holder is None or not _holder.is_alive():
            _holder = Holder()
            _holder.start()
        return _holder


def key() -> int:
    """This process's lock key, once the lock is really held."""
    mine = _running()
    if not mine.held.wait(timeout=10):
        raise ConnectionError("The database gives no session for this process's lock.")
    return mine.lock_key


@contextmanager
def beating(table: str, id: Any, token: Any, *, limit: float | None) -> Iterator[Beat]:
    now = time.monotonic()
    until = None if limit is None else now + limit
    beat = Beat(table, id, token, until, now + settings.HEARTBEAT_SECONDS)
    mine = _running()
    mine.beats.add(beat)
    try:
        yield beat
    finally:
        mine.beats.discard(beat)


def stop() -> None:
    """Let the lock go, as the end of the process would."""
    global _holder
    with _guard:
        if _holder is not None:
            _holder.stopping.set()
            _holder.join(timeout=5)
            _holder = None
