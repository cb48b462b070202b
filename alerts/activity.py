"""How busy an alert's entity was in the day up to its last payment: a burst is seen at once."""

from collections.abc import Sequence

from django.db import connection
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from alerts.entity import COLUMNS, timed_by
from alerts.models import Alert
from scoring import charts

STEPS = 12  # of two hours
# The entities of one page and the payments of each by its own index: no more is read than is drawn.
# No key is 0 here, and saying so lets the partial indexes be used, beside which the planner would
# read everybody's day.
COUNTS = """
SELECT wanted.alert, least(floor(extract(epoch FROM wanted.until - paid.event_time) / 7200), 11),
       count(*)
FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) AS wanted (alert, key, until)
JOIN LATERAL (
    SELECT event_time FROM scoring_transaction
    WHERE {column} = wanted.key AND {column} <> 0
      AND event_time > wanted.until - interval '24 hours' AND event_time <= wanted.until
    LIMIT 1000
) AS paid ON true
GROUP BY 1, 2
"""


def sparks(alerts: Sequence[Alert]) -> dict[int, SafeString]:
    """By alert a line of twelve counts, the latest to the right. One query."""
    counts: dict[int, list[int]] = {alert.pk: [0] * STEPS for alert in alerts}
    for pk, step, count in _counted(alerts):
        counts[pk][STEPS - 1 - int(step)] = count
    return {pk: charts.spark(row, _words(row)) for pk, row in counts.items()}


def _counted(alerts: Sequence[Alert]) -> list[tuple[int, int, int]]:
    parts, asked = [], []
    for kind, (column, _) in COLUMNS.items():
        theirs = [alert for alert in alerts if timed_by(alert) == kind]
        wanted = [(a.pk, getattr(a.transaction, column), a.last_event) for a in theirs]
        if wanted:
            parts.append(f"({COUNTS.format(column=column)})")
            asked += [list(part) for part in zip(*wanted, strict=True)]
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), asked)
        return cursor.fetchall()


def _words(row: list[int]) -> str:
    many = sum(row)
    told = ngettext(
        "{many} payment in the 24 hours up to it", "{many} payments in the 24 hours up to it", many
    )
    return told.format(many=many)
