"""Merchants' hours put together: many rows of one hour become one, and every sum stays."""

from django.db import connection

from scoring.models import JobProgress

JOB = "merchants.merged"
# Longer than any statement runs (settings, and the cutting of a file into chunks): whatever was
# recorded before has been committed, and a chunk that is to be read as of before is there.
SETTLED = "20 minutes"
AT_ONCE, PORTIONS = 5_000, 10
# One statement, so that a reader meets either the old rows or the new one. Rows are taken in the
# order they came in, up to the first that is not settled; each is looked up with the others of its
# hour. What lies before and after the moment a waiting chunk is read as of is not put together.
MERGE = f"""
WITH asked AS MATERIALIZED (
    SELECT coalesce(array_agg(DISTINCT known_at + interval '1 microsecond'), '{{}}') AS moments
    FROM scoring_chunk WHERE state <> 'DONE'
), next AS MATERIALIZED (
    SELECT id, merchant_key, hour, recorded_at < now() - interval '{SETTLED}' AS settled
    FROM scoring_merchanthour WHERE id > %(through)s ORDER BY id LIMIT {AT_ONCE}
), portion AS MATERIALIZED (
    SELECT id, merchant_key, hour FROM next
    WHERE id < coalesce((SELECT min(id) FROM next WHERE NOT settled), id + 1)
), together AS MATERIALIZED (
    SELECT several.ids FROM (SELECT DISTINCT merchant_key, hour FROM portion) AS touched
    CROSS JOIN asked
    CROSS JOIN LATERAL (
        SELECT array_agg(id) AS ids FROM scoring_merchanthour AS one
        WHERE one.merchant_key = touched.merchant_key AND one.hour = touched.hour
          AND recorded_at < now() - interval '{SETTLED}'
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
    """Put together what has come in since the last time, up to some ten thousand rows."""
    progress, _ = JobProgress.objects.get_or_create(job=JOB)
    for _ in range(PORTIONS):
        with connection.cursor() as cursor:
            cursor.execute(MERGE, {"through": progress.through})
            (through,) = cursor.fetchone()
        if through is None:
            break
        progress.through = through
    progress.save()
