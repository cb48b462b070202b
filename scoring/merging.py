"""Merchants' hours put together: many rows of one hour become one, and every sum stays."""

import time

from django.db import connection

from scoring.models import JobProgress

JOB = "merchants.merged"
SETTLED = "1 minute"  # ago: no statement that is still reading asks as of before that
AT_ONCE, SECONDS = 10_000, 2.0
# A chunk that is just being made will be read as of a moment since its transaction began. Asked in
# a statement of its own: who is not under way any more is seen by the next one.
BY = f"""
SELECT least(now() - interval '{SETTLED}', min(xact_start)) FROM pg_stat_activity
WHERE datname = current_database()
"""
# One statement, so that a reader meets either the old rows or the new one. Rows are taken in the
# order they came in, up to the first that is not settled; each is looked up with the others of its
# hour. What lies before and after the moment a waiting chunk is read as of is not put together.
MERGE = f"""
WITH asked AS MATERIALIZED (
    SELECT coalesce(array_agg(DISTINCT known_at + interval '1 microsecond'), '{{}}') AS moments
    FROM scoring_chunk WHERE state <> 'DONE'
), next AS MATERIALIZED (
    SELECT id, merchant_key, hour, recorded_at FROM scoring_merchanthour
    WHERE id > %(through)s ORDER BY id LIMIT {AT_ONCE}
), portion AS MATERIALIZED (
    SELECT id, merchant_key, hour FROM next
    WHERE id < coalesce((SELECT min(id) FROM next WHERE recorded_at >= %(by)s), id + 1)
), together AS MATERIALIZED (
    SELECT several.ids FROM (SELECT DISTINCT merchant_key, hour FROM portion) AS touched
    CROSS JOIN asked
    CROSS JOIN LATERAL (
        SELECT array_agg(id) AS ids FROM scoring_merchanthour AS one
        WHERE one.merchant_key = touched.merchant_key AND one.hour = touched.hour
          AND recorded_at < %(by)s
        GROUP BY width_bucket(recorded_at, asked.moments) HAVING count(*) > 1
    ) AS several
), gone AS (
    DELETE FROM scoring_merchanthour
    WHERE id = ANY (ARRAY(SELECT unnest(ids) FROM together))
    RETURNING merchant_key, hour, count, units, recorded_at
), merged AS (
    INSERT INTO scoring_merchanthour (merchant_key, hour, count, units, recorded_at)
    SELECT merchant_key, hour, sum(count), sum(units), max(recorded_at) FROM gone, asked
    GROUP BY merchant_key, hour, width_bucket(recorded_at, asked.moments)
    HAVING sum(count) <> 0
    ORDER BY merchant_key, hour
)
SELECT max(id) FROM portion
"""


def merge() -> None:
    """Put together what has come in since the last time, as far as two seconds go."""
    progress, _ = JobProgress.objects.get_or_create(job=JOB)
    end = time.monotonic() + SECONDS
    through: int | None = progress.through
    with connection.cursor() as cursor:
        cursor.execute(BY)
        (by,) = cursor.fetchone()
        while through is not None and time.monotonic() < end:
            progress.through = through
            cursor.execute(MERGE, {"by": by, "through": through})
            (through,) = cursor.fetchone()
    progress.through = through or progress.through
    progress.save()
