"""Decided payments by day and place: how many, held, fraud, genuine. See `daycounts.py`.

Of all decisions up to one id and of all labels up to another: a label counts where its payment's
decision does, and a decision with the label that stood.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from scoring.label_days import DAY, LAST, signed
from scoring.models import CountedThrough, Decision, Label

KEY = "country, location"
SUMS = "payments, anomalies, frauds, genuine, units, located, latitude, longitude"
BEHIND = 50_000  # rows that nobody has counted; more are not counted in passing
ADDED = ", ".join(f"sum({name})" for name in SUMS.split(", "))
PAID = "id, event_time, country, location, amount_units, latitude, longitude"


def _decisions(above: str, most: str) -> str:
    """Payments by the ids of their decisions, each looked up by its own."""
    return f"""
    SELECT paid.*, decision.reviewable FROM (
        SELECT transaction_id, reviewable FROM scoring_decision
        WHERE id > {above} AND id <= {most} ORDER BY id
    ) AS decision
    CROSS JOIN LATERAL (
        SELECT {PAID} FROM scoring_transaction WHERE id = decision.transaction_id OFFSET 0
    ) AS paid
    """


def _with_word(payments: str, said: str) -> str:
    """One row of SUMS for each payment, with the last label up to this id."""
    return f"""
    SELECT event_time, {KEY}, 1 AS payments, reviewable::int AS anomalies,
        coalesce(value = 'TRUE_FRAUD', false)::int AS frauds,
        coalesce(value = 'FALSE_POSITIVE' AND reviewable, false)::int AS genuine,
        CASE WHEN reviewable THEN amount_units ELSE 0 END AS units,
        (latitude IS NOT NULL)::int AS located,
        coalesce(latitude, 0) AS latitude, coalesce(longitude, 0) AS longitude
    FROM ({payments}) AS paid
    LEFT JOIN LATERAL (
        SELECT value FROM scoring_label WHERE transaction_id = paid.id AND id <= {said}
        ORDER BY id + 0 DESC LIMIT 1
    ) AS standing ON true
    """


def _words(above: str, most: str, decided: str) -> str:
    """What these labels change of payments whose decisions have an id up to one."""
    return f"""
    SELECT event_time, {KEY}, 0, 0, CASE WHEN value = 'TRUE_FRAUD' THEN sign ELSE 0 END,
        CASE WHEN value = 'FALSE_POSITIVE' AND reviewable THEN sign ELSE 0 END, 0, 0, 0, 0
    FROM ({signed(above, most)}) AS said
    CROSS JOIN LATERAL (
        SELECT reviewable FROM scoring_decision
        WHERE transaction_id = said.transaction_id AND id <= {decided} OFFSET 0
    ) AS decision
    CROSS JOIN LATERAL (
        SELECT {KEY} FROM scoring_transaction WHERE id = said.transaction_id OFFSET 0
    ) AS paid
    """


def _count(rows: str) -> str:
    kept = ", ".join(f"{name} = kept.{name} + excluded.{name}" for name in SUMS.split(", "))
    return f"""
    INSERT INTO scoring_placeday AS kept (day, {KEY}, {SUMS})
    SELECT {DAY}, {KEY}, {ADDED}
    FROM ({rows}) AS rows (event_time, {KEY}, {SUMS}) GROUP BY 1, 2, 3
    ON CONFLICT (day, {KEY}) DO UPDATE SET {kept}
    """


COUNT_DECISIONS = _count(_with_word(_decisions("%(above)s", "%(most)s"), "%(said)s"))
COUNT_LABELS = _count(_words("%(above)s", "%(most)s", "%(decided)s"))
# Whole days of UTC as they are counted, with what came since; parts of days as their payments are.
BY_PLACE = f"""
WITH counted AS MATERIALIZED (
    SELECT coalesce(max(through) FILTER (WHERE "table" = 'scoring_decision'), 0) AS decided,
        coalesce(max(through) FILTER (WHERE "table" = 'scoring_label'), 0) AS said
    FROM scoring_countedthrough
), since AS (
    SELECT new.* FROM counted CROSS JOIN LATERAL (
        {_with_word(_decisions("counted.decided", f"{LAST}"), f"{LAST}")}
        UNION ALL
        {_words("counted.said", f"{LAST}", "counted.decided")}
    ) AS new
), edges AS (
    SELECT paid.*, decision.reviewable FROM (
        SELECT {PAID} FROM scoring_transaction
        WHERE event_time >= %(since)s AND event_time < %(first)s
        UNION ALL
        SELECT {PAID} FROM scoring_transaction
        WHERE event_time >= %(last)s AND event_time < %(until)s
    ) AS paid
    CROSS JOIN LATERAL (
        SELECT reviewable FROM scoring_decision WHERE transaction_id = paid.id OFFSET 0
    ) AS decision
), parts AS (
    SELECT {KEY}, {SUMS} FROM scoring_placeday
    WHERE day >= (%(first)s AT TIME ZONE 'UTC')::date AND day < (%(last)s AT TIME ZONE 'UTC')::date
    UNION ALL
    SELECT {KEY}, {SUMS} FROM since WHERE event_time >= %(first)s AND event_time < %(last)s
    UNION ALL
    SELECT {KEY}, {SUMS} FROM ({_with_word("SELECT * FROM edges", f"{LAST}")}) AS at_edges
)
SELECT {KEY}, sum(latitude) / nullif(sum(located), 0), sum(longitude) / nullif(sum(located), 0),
    sum(payments)::int8, sum(anomalies)::int8, sum(frauds)::int8, sum(genuine)::int8,
    sum(units) / 10000
FROM parts GROUP BY {KEY} HAVING sum(payments) > 0 ORDER BY 6 DESC, 5 DESC, 1, 2 LIMIT %(most)s
"""


def by_place(since: datetime, until: datetime, *, most: int) -> list[tuple[Any, ...]] | None:
    """Country, location, mean latitude and longitude, and the counts of decided payments.

    Those with most payments held or blocked first: payments, held or blocked, known frauds,
    genuine though held, and money held in the base currency. None while so much is not counted
    yet that whoever asks had better count the payments themselves.
    """
    if _uncounted() > BEHIND:
        return None
    first, last = _midnight(since - timedelta(microseconds=1)) + timedelta(days=1), _midnight(until)
    if first > last:
        first = last = until
    asked = {"since": since, "first": first, "last": last, "until": until, "most": most}
    with connection.cursor() as cursor:
        cursor.execute(BY_PLACE, asked)
        return cursor.fetchall()


def _uncounted() -> int:
    through = dict(CountedThrough.objects.values_list("table", "through"))
    latest = {
        kind: kind.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        for kind in (Decision, Label)
    }
    return max(pk - through.get(kind._meta.db_table, 0) for kind, pk in latest.items())


def _midnight(moment: datetime) -> datetime:
    """The last one before it, or itself; UTC."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
