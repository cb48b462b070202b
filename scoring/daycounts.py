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

from scoring.models import CountedThrough

AT_ONCE, SECONDS = 50_000, 2.0


def _signed(columns: str, above: str, most: str) -> str:
    """Labels with an id above one, and the words they took the place of: +1 and -1.

    In the order of ids, so that the index of ids is walked whatever the planner believes of a
    number it does not know yet; what was superseded is looked up row by row.
    """
    return f"""
    SELECT (said.event_time AT TIME ZONE 'UTC')::date AS day, {columns}, said.sign
    FROM (
        SELECT event_time, origin, value, supersedes_id FROM scoring_label
        WHERE id > {above} AND id <= {most} ORDER BY id
    ) AS new
    CROSS JOIN LATERAL (
        SELECT new.event_time, new.origin, new.value, 1 AS sign
        UNION ALL
        SELECT event_time, origin, value, -1 FROM scoring_label
        WHERE id = new.supersedes_id AND new.supersedes_id IS NOT NULL
    ) AS said
    """


COUNT_LABELS = f"""
INSERT INTO scoring_labelday AS kept (day, origin, value, count)
SELECT day, origin, value, sum(sign)
FROM ({_signed("said.origin, said.value", "%(above)s", "%(most)s")}) AS signed
GROUP BY day, origin, value HAVING sum(sign) <> 0
ON CONFLICT (day, origin, value) DO UPDATE SET count = kept.count + excluded.count
"""
LAST = 2**63 - 1
# `day`, `origin`, `value` and `count` of all labels that stand; several rows of one day are added.
LABELS = f"""
SELECT day, origin, value, count FROM scoring_labelday
UNION ALL
SELECT day, origin, value, sign AS count FROM (
    SELECT coalesce(max(through), 0) AS through FROM scoring_countedthrough
    WHERE "table" = 'scoring_label'
) AS counted
CROSS JOIN LATERAL ({_signed("said.origin, said.value", "counted.through", f"{LAST}")}) AS since
"""


@dataclass(frozen=True)
class Counted:
    """A table, and the statement that counts its rows above one id up to another."""

    table: str
    count: str


TABLES = [Counted("scoring_label", COUNT_LABELS)]
# Of those that might still commit a row below the mark; a row that is read has a later one's id.
UNDER_WAY = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
      AND pid <> pg_backend_pid() AND xact_start <= %s
)
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
    done = _progress(one)
    if done.through == done.mark or _asked(UNDER_WAY, [done.marked_at]):
        return False
    most = min(done.mark, done.through + AT_ONCE)
    with connection.cursor() as cursor:
        cursor.execute(one.count, {"above": done.through, "most": most})
    done.through = most
    done.save()
    return most < done.mark


@transaction.atomic
def _mark(one: Counted) -> None:
    """Note how far the table goes now, if all up to the mark before is counted.

    The moment is looked at after the id: whoever holds a lower one had begun by then.
    """
    done = _progress(one)
    if done.through == done.mark:
        done.mark = _asked(f"SELECT coalesce(max(id), 0) FROM {one.table}", [])
        done.marked_at = _asked("SELECT clock_timestamp()", [])
        done.save()


def _progress(one: Counted) -> CountedThrough:
    """Held until the end of the transaction: two that count at once would count twice."""
    CountedThrough.objects.get_or_create(table=one.table, defaults={"marked_at": timezone.now()})
    return CountedThrough.objects.select_for_update().get(table=one.table)


def _asked(sql: str, params: list[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()[0]
