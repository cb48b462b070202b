"""A copy of each day's scored payments outside, for those who learn and count elsewhere.

Parquet in a folder for each day (`day=2026-11-21/payments.parquet`), or a Delta table where the
package `deltalake` is installed. A day is that of the decisions, in UTC: when it is over nothing is
added to it, however late a payment came.
"""

from datetime import UTC, date, datetime, time, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from django.db.models.functions import Greatest, Now

from anomalyshield import bell, leases
from anomalyshield.audit.record import record
from scoring.models import LakeCopy

KINDS = ("parquet", "delta")


# A decision bears the time at which it was written, and is seen when its chunk is committed, which
# has five minutes.
SETTLED = timedelta(minutes=10)


class Refused(Exception):
    """The copy cannot be made; the text says why."""


@transaction.atomic
def ask(*, by: Any, day: date) -> LakeCopy:
    """Leave the copy of this day to a worker. Refused if there is no lake, or the day goes on."""
    kind = kind_wanted()
    if day >= today():
        raise Refused(f"{day} is not over; its copy would not be whole.")
    copy = LakeCopy.objects.create(
        day=day, kind=kind, due_at=due(day), asked_by=by if isinstance(by, Model) else None
    )
    record(by=by, action="lake.asked", object=copy, after={"day": f"{day}", "kind": kind})
    bell.leave("lake")
    return copy


def due(day: date) -> Any:
    """When the day's decisions are all committed; now, if that is behind."""
    return Greatest(Now(), datetime.combine(day + timedelta(days=1), time(), UTC) + SETTLED)


def kind_wanted() -> str:
    """How the lake is kept; Refused, saying what is missing, if it cannot be."""
    kind = settings.LAKE_KIND
    if not settings.LAKE:
        raise Refused("There is no lake: set ANOMALYSHIELD_LAKE to a folder.")
    if kind not in KINDS:
        raise Refused(f"ANOMALYSHIELD_LAKE_KIND is {kind}; it must be parquet or delta.")
    if kind == "delta" and find_spec("deltalake") is None:
        raise Refused("A Delta table needs a package that is not here: pip install deltalake")
    _check(Path(settings.LAKE), kind)
    return kind


def _check(folder: Path, kind: str) -> None:
    if (found := _holds(folder)) not in (kind, None):
        raise Refused(
            f"{folder} is a lake of {found} already; readers would find payments of {kind} in it a "
            "second time. Set ANOMALYSHIELD_LAKE to another folder."
        )


def _holds(folder: Path) -> str | None:
    """What the folder is already, if it is a lake."""
    if (folder / "_delta_log").is_dir():
        return "delta"
    return "parquet" if any(folder.glob("day=*/_manifest.json")) else None


def daily() -> None:
    """Ask for yesterday, and for days of the last week that are missing or were given up, when
    the disk was full perhaps. Run once a day."""
    if not settings.LAKE:
        return
    week = [today() - timedelta(days=ago) for ago in range(1, 8)]
    copies = LakeCopy.objects.filter(day__in=week).exclude(state=LakeCopy.State.QUARANTINED)
    there = set(copies.values_list("day", flat=True))
    for day in sorted(set(week) - there):
        ask(by="schedule", day=day)


def perform(copy: LakeCopy) -> None:
    """Write the day, then say so in one transaction; writing it twice gives the same."""
    from scoring import lakefile  # Arrow is not loaded by who only asks

    _check(Path(settings.LAKE), copy.kind)  # a worker may be told another folder than who asks
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '30min'")  # reads all decisions of a day
    try:
        written = lakefile.write(Path(settings.LAKE), copy.day, copy.kind)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
    with transaction.atomic():
        told = {"rows": written.rows, "bytes": written.bytes, "sha256": written.sha256}
        leases.finish(copy, **told)
        record(by="worker", action="lake.copied", object=copy, after={"day": f"{copy.day}", **told})


def today() -> date:
    return datetime.now(UTC).date()
