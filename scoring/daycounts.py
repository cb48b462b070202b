"""Counts by the day of payments (UTC): as rows of what is settled, and as it is of what came since.

A count kept is that of all rows up to one id, and moves on with that id in one transaction. Whoever
reads adds, in one statement, what has a higher id: the sum is that of the rows themselves at any
moment, and whoever writes them knows nothing of it and waits for nobody.
"""

import time
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from scoring import label_days, place_days
from scoring.models import CountedThrough

AT_ONCE, SECONDS = 50_000, 2.0


@dataclass(frozen=True)
class Counted:
    """A table, and the statements that count its rows above one id up to another."""

    table: str
    counts: tuple[str, ...]


TABLES = [
    Counted("scoring_decision", (place_days.COUNT_DECISIONS,)),
    Counted("scoring_label", (label_days.COUNT, place_days.COUNT_LABELS)),
]
# Of those that might still commit a row below the mark; a row that is read has a later one's id.
UNDER_WAY = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
      AND pid <> pg_backend_pid() AND xact_start <= %s
)
"""
# The last of the next so many rows: between their ids there may be gaps.
NEXT = """
SELECT max(id) FROM (
    SELECT id FROM {table} WHERE id > %s AND id <= %s ORDER BY id LIMIT %s
) AS next
"""


def count() -> None:
    """Count what has settled since the last time, as far as two seconds go for each table."""
    for one in TABLES:
        end = time.monotonic() + SECONDS
        while _portion(one) and time.monotonic() < end:
            pass
        _mark(one)


@transaction.atomic
def _portion(one: Counted) -> bool:
    """Count the next rows up to the mark; whether there are more of them."""
    through = _progress()
    done = through[one.table]
    if done.through == done.mark or _asked(UNDER_WAY, [done.marked_at]):
        return False
    most = _asked(NEXT.format(table=one.table), [done.through, done.mark, AT_ONCE]) or done.mark
    ends = {
        "decided": through["scoring_decision"].through,
        "said": through["scoring_label"].through,
    }
    with connection.cursor() as cursor:
        for statement in one.counts:
            cursor.execute(statement, {"above": done.through, "most": most, **ends})
    done.through = most
    done.save()
    return most < done.mark


@transaction.atomic
def _mark(one: Counted) -> None:
    """Note how far the table goes now, if all up to the mark before is counted.

    The moment is looked at after the id: whoever holds a lower one had begun by then.
    """
    done = _progress()[one.table]
    if done.through == done.mark:
        done.mark = _asked(f"SELECT coalesce(max(id), 0) FROM {one.table}", [])
        done.marked_at = _asked("SELECT clock_timestamp()", [])
        done.save()


def _progress() -> dict[str, CountedThrough]:
    """All of it, held until the end of the transaction: two that count at once would count twice,
    and what is counted of one table depends on how far the other is."""
    now = timezone.now()
    CountedThrough.objects.bulk_create(
        [CountedThrough(table=one.table, marked_at=now) for one in TABLES], ignore_conflicts=True
    )
    rows = CountedThrough.objects.select_for_update().order_by("table")
    return {row.table: row for row in rows}


def _asked(sql: str, params: list[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()[0]
