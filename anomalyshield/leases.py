"""Rows as the queue of record: claim, heartbeat, finish, fail.

A Celery message is only a bell. The work is a row; a worker claims it with a lease on the
database's clock and a token that must still be the row's own when the result commits. A worker
also holds an advisory lock (`holder.py`): when the process dies, its rows are free at once.
"""

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from anomalyshield import bell, faults, holder

log = logging.getLogger(__name__)


class Leased(models.Model):
    """A row that is work to be done. See `docs/architecture.md`, "Rows are the queue"."""

    class State(models.TextChoices):
        WAITING = (
            "WAITING",
            _("Waiting"),
        )  # not yet claimable: something before it is still under way
        READY = "READY", _("Ready")
        RUNNING = "RUNNING", _("Running")
        DONE = "DONE", _("Done")
        QUARANTINED = "QUARANTINED", _("Quarantined")
        CANCELLED = "CANCELLED", _("Cancelled")

    state = models.CharField(max_length=12, choices=State.choices, default=State.READY)
    due_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True, editable=False)
    lease_token = models.UUIDField(null=True, editable=False)
    holder = models.BigIntegerField(null=True, editable=False)  # advisory-lock key of the worker
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    error = models.TextField(blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True


Row = TypeVar("Row", bound=Leased)
GiveUp = Callable[[Any, str], None]
UNHELD: dict[str, Any] = {"lease_until": None, "lease_token": None, "holder": None}
LONGEST_ERROR = 2000

# `now()` is right here and nowhere else: a claim is a short transaction of its own. MATERIALIZED
# keeps the planner from running the picking again per row, which would take more than LIMIT.
CLAIM = """
WITH pick AS MATERIALIZED (
    SELECT id FROM {table}
    WHERE state = 'READY' AND due_at <= now() OR state = 'RUNNING' AND lease_until < now()
    ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE {table} AS work
SET state = 'RUNNING', attempts = work.attempts + 1, holder = %s, error = '',
    lease_token = gen_random_uuid(), lease_until = now() + make_interval(secs => %s)
FROM pick WHERE work.id = pick.id
RETURNING work.*
"""

# Freed: the lease ran out, or the lock of the process that holds it is gone. Just after a start of
# the server no lock is there yet; the processes get five seconds to take theirs again.
FREE = """
WITH dead AS MATERIALIZED (
    SELECT id FROM {table} AS work
    WHERE state = 'RUNNING' AND (
        lease_until < now()
        OR pg_postmaster_start_time() < now() - interval '5 seconds'
           AND work.holder NOT IN (
               SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
               WHERE locktype = 'advisory' AND objsubid = 1 AND granted
           )
    )
    FOR UPDATE SKIP LOCKED
)
UPDATE {table} AS work
SET state = 'READY', due_at = now(), lease_until = NULL, lease_token = NULL, holder = NULL
FROM dead WHERE work.id = dead.id
"""


class LeaseLost(Exception):
    """Somebody else has this row now, or nobody wants it any more: throw the result away."""


def ready(model: type[Leased]) -> bool:
    """Is there something to claim at this moment?"""
    due = models.Q(state=Leased.State.READY, due_at__lte=Now())
    expired = models.Q(state=Leased.State.RUNNING, lease_until__lt=Now())
    return model._base_manager.filter(due | expired).exists()


def claim(model: type[Row], *, limit: int = 1, exhausted: GiveUp | None = None) -> list[Row]:
    """Take up to `limit` rows for this process, in a transaction of its own that commits first.

    Attempts are counted here, before anything runs, so that a row which kills its worker is
    counted too. A row already tried MAX_ATTEMPTS times goes to `exhausted` and is not returned.
    """
    while True:
        rows = _take(model, limit)
        fresh = [row for row in rows if row.attempts <= settings.MAX_ATTEMPTS]
        for row in rows:
            if row.attempts > settings.MAX_ATTEMPTS:
                _give_up(row, exhausted or quarantine)
        if fresh or not rows:
            return fresh


def _take(model: type[Row], limit: int) -> list[Row]:
    me = holder.key()
    with transaction.atomic(durable=True):
        sql = CLAIM.format(table=connection.ops.quote_name(model._meta.db_table))
        return list(model._base_manager.raw(sql, [limit, me, settings.LEASE_SECONDS]))


def _give_up(row: Leased, how: GiveUp) -> None:
    try:
        how(row, f"given up: its worker died {settings.MAX_ATTEMPTS} times")
    except LeaseLost:
        log.info("%r was taken by another process meanwhile", row)


def made_claimed(model: type[Row], **values: Any) -> Row:
    """A new row that is this process's from the start, in the caller's transaction.

    For work that its maker does at once. Should the maker die, the row is freed like any other.
    """
    row = model(
        state=Leased.State.RUNNING,
        attempts=1,
        holder=holder.key(),
        lease_token=uuid.uuid4(),
        lease_until=_lease_end(),
        **values,
    )
    row.save(force_insert=True)
    return row


@contextmanager
def keep_alive(row: Leased, *, limit: float | None = None) -> Iterator[holder.Beat]:
    """Extend the lease from another thread while the block runs; `.lost` is set when that fails.

    After `limit` seconds the row is let go: work that hangs must not hold it for ever.
    """
    with holder.beating(row._meta.db_table, row.pk, row.lease_token, limit=limit) as beat:
        yield beat


def _fenced(row: Leased, **changes: Any) -> None:
    """Change the row if it is still ours, else raise; the caller's transaction rolls back."""
    mine = type(row)._base_manager.filter(
        pk=row.pk, lease_token=row.lease_token, state=Leased.State.RUNNING
    )
    if row.lease_token is None or not mine.update(**changes):
        raise LeaseLost(f"{row._meta.model_name} {row.pk} is no longer ours")
    for name, value in changes.items():
        # The token stays on the object: should the commit fail, the row is still ours to fail.
        if name not in UNHELD and not hasattr(value, "resolve_expression"):
            setattr(row, name, value)


def advance(row: Leased, **changes: Any) -> None:
    """Write down how far the work is. Raises LeaseLost when the row is no longer ours."""
    _fenced(row, lease_until=_lease_end(), **changes)


def checkpoint(row: Leased, **changes: Any) -> None:
    """`advance` for work that resumes where it stopped: getting on takes back the failed attempts.

    Call it in the transaction that stores what the checkpoint covers.
    """
    advance(row, attempts=1, **changes)


def finish(row: Leased, **changes: Any) -> None:
    """Mark the row done, in the transaction of its result.

    Raises LeaseLost when the row is no longer ours, which must roll the result back: never catch
    it inside the transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("finish() belongs in the transaction that stores the result.")
    _fenced(row, state=Leased.State.DONE, finished_at=Now(), error="", **UNHELD, **changes)
    faults.point(f"{row._meta.model_name}.before_commit")


def fail(row: Leased, error: str | BaseException, *, permanent: bool = False) -> None:
    """Put the row back for later, or aside when it is hopeless or was tried often enough.

    An error that is the server's and not the row's (`passing`) does not count as an attempt.
    """
    blameless = isinstance(error, BaseException) and passing(error)
    if permanent or (row.attempts >= settings.MAX_ATTEMPTS and not blameless):
        quarantine(row, said(error))
    else:
        release(row, said(error), blameless=blameless)


def release(row: Leased, reason: str, *, blameless: bool = False) -> None:
    """Give the row back, to be tried again after a pause that grows with its attempts."""
    wait = 2.0 if blameless else 2.0 ** (row.attempts - 1)
    _fenced(
        row,
        state=Leased.State.READY,
        due_at=Now() + _seconds(wait),
        attempts=max(row.attempts - blameless, 0),
        error=reason,
        **UNHELD,
    )


def postpone(row: Leased, seconds: float, **changes: Any) -> None:
    """Put the row back until later because of something outside, which is no failed attempt."""
    due = Now() + _seconds(seconds)
    _fenced(row, state=Leased.State.READY, due_at=due, attempts=0, **UNHELD, **changes)


def hold(row: Leased) -> None:
    """Put the row aside until somebody makes it READY again."""
    _fenced(row, state=Leased.State.WAITING, attempts=0, **UNHELD)


@transaction.atomic
def quarantine(row: Leased, reason: str) -> None:
    """Set the row aside with its reason until a person looks at it."""
    from anomalyshield.audit.record import record  # the audit app's models need loaded apps

    _fenced(
        row,
        state=Leased.State.QUARANTINED,
        finished_at=Now(),
        error=reason[:LONGEST_ERROR],
        **UNHELD,
    )
    record(by="worker", action="work.quarantined", object=row, reason=reason[:LONGEST_ERROR])


def supersede(row: Leased, reason: str) -> None:
    """End a row whose work other rows take over, in the transaction that makes them."""
    _fenced(row, state=Leased.State.CANCELLED, finished_at=Now(), error=said(reason), **UNHELD)


def cancel(row: Leased) -> bool:
    """Stop work nobody wants any more; whoever runs it loses its lease at the next commit."""
    unfinished = [Leased.State.WAITING, Leased.State.READY, Leased.State.RUNNING]
    mine = type(row)._base_manager.filter(pk=row.pk, state__in=unfinished)
    return bool(mine.update(state=Leased.State.CANCELLED, finished_at=Now(), **UNHELD))


def revive(rows: models.QuerySet[Row], *, work: str) -> int:
    """Try quarantined rows again from the start, after their cause was mended."""
    count = rows.filter(state=Leased.State.QUARANTINED).update(
        state=Leased.State.READY, attempts=0, error="", finished_at=None, due_at=Now()
    )
    bell.leave(work)
    return count


def free_orphans(model: type[Leased], *, work: str) -> int:
    """Free the rows of processes that are gone, and of those that stopped beating."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FREE.format(table=connection.ops.quote_name(model._meta.db_table)))
        if cursor.rowcount:
            bell.leave(work)
        return cursor.rowcount


# Classes and codes of SQLSTATE that speak of the server: connection, resources, shutdown, deadlock.
PASSING = ("08", "53", "57P01", "57P02", "57P03", "40001", "40P01", "55P03")


def passing(error: BaseException) -> bool:
    """Was it the server and not the row? Then trying again later is right, however often."""
    cause: BaseException | None = error
    while cause is not None:
        if str(getattr(cause, "sqlstate", None) or "").startswith(PASSING):
            return True
        cause = cause.__cause__
    return False


def said(error: str | BaseException) -> str:
    """The error as the quarantine page shows it; PostgreSQL's text cannot hold a NUL."""
    text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
    return text.replace("\x00", "�")[:LONGEST_ERROR]


def _lease_end() -> models.Expression:
    return Now() + _seconds(
        settings.LEASE_SECONDS
    )  # Now() is the statement's time, not the block's


def _seconds(seconds: float) -> models.Expression:
    return models.Func(
        models.Value(seconds),
        function="make_interval",
        template="%(function)s(secs => %(expressions)s)",
        output_field=models.DurationField(),
    )
