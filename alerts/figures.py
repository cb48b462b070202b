"""The tiles above the queue: how much waits, how late it is, how right the alerts are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from alerts.dispositions import FOUND, JUDGED

MOST = 10_000  # looked at no further: nobody acts otherwise on more, and a page stays quick
WINDOW = timedelta(days=7)
# Each over at most that many rows, and each row from an index: one walk per queue, merged.
WAITING = """
SELECT count(*), count(*) FILTER (WHERE assignee_id IS NULL), coalesce(sum(expected_loss), 0)
FROM (
    SELECT * FROM ({parts}) AS walks ORDER BY urgency DESC, due_at, id LIMIT %(most)s
) AS urgent
"""
WAITING_PART = """
SELECT urgency, due_at, id, assignee_id, expected_loss FROM alerts_alert
WHERE queue_id = {queue} AND status <> 'CLOSED' AND status <> 'MERGED'
  AND status <> 'SNOOZED' AND status <> 'PENDING_INFO'
ORDER BY urgency DESC, due_at, id LIMIT %(most)s
"""
LATE = """
SELECT count(*), min(due_at)
FROM (SELECT * FROM ({parts}) AS walks ORDER BY due_at LIMIT %(most)s) AS late
"""
LATE_PART = """
SELECT due_at FROM alerts_alert
WHERE queue_id = {queue} AND due_at < %(now)s
  AND status <> 'CLOSED' AND status <> 'MERGED' AND status <> 'PENDING_INFO'
ORDER BY due_at LIMIT %(most)s
"""
DECIDED = """
SELECT count(*) FILTER (WHERE closed_at >= %(today)s),
       count(*) FILTER (WHERE closed_at >= %(yesterday)s AND closed_at < %(today)s),
       count(*) FILTER (WHERE disposition = ANY(%(found)s)),
       count(*) FILTER (WHERE disposition = ANY(%(judged)s))
FROM (SELECT * FROM ({parts}) AS walks ORDER BY closed_at DESC LIMIT %(most)s) AS decided
"""
DECIDED_PART = """
SELECT closed_at, disposition FROM alerts_alert
WHERE queue_id = {queue} AND status = 'CLOSED' AND closed_at >= %(since)s
ORDER BY closed_at DESC LIMIT %(most)s
"""


@dataclass(frozen=True)
class Figures:
    """What the tiles say, over the alerts someone sees; counts end at MOST.

    `unassigned` and `at_risk` are of the most urgent ones when there are so many, and what is
    said of the last seven days is of the latest decisions then.
    """

    open: int
    unassigned: int
    at_risk: Decimal
    overdue: int
    oldest_due: datetime | None
    decided_today: int
    decided_yesterday: int
    fraud: int
    judged: int
    newest: int  # the latest id of all queues: whoever waits for later ones sees only their own
    most: int

    @property
    def capped(self) -> bool:
        """There is more than was looked at."""
        return self.open >= self.most

    @property
    def precision(self) -> float | None:
        """Frauds among the alerts decided one way or the other; None: there is no such."""
        return self.fraud / self.judged if self.judged else None


def figures(queues: Sequence[int]) -> Figures:
    """In one query: what is open, what is late, and the last seven days of decisions."""
    now = timezone.now()
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    known = {"now": now, "today": today, "since": now - WINDOW, "most": MOST}
    known["yesterday"] = today - timedelta(days=1)
    known |= {"found": list(FOUND), "judged": list(JUDGED)}
    wholes = ((WAITING, WAITING_PART), (LATE, LATE_PART), (DECIDED, DECIDED_PART))
    tables = [
        f"({_merged(whole, part, queues)}) AS figures_{number}"
        for number, (whole, part) in enumerate(wholes)
    ]
    tables.append("(SELECT coalesce(max(id), 0) FROM alerts_alert) AS newest")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {', '.join(tables)}", known)
        return Figures(*cursor.fetchone(), most=MOST)


def _merged(whole: str, part: str, queues: Sequence[int]) -> str:
    """PostgreSQL merges such walks; of `queue IN (…)` it would read and sort everything."""
    parts = " UNION ALL ".join(f"({part.format(queue=int(pk))})" for pk in queues or [0])
    return whole.format(parts=parts)
