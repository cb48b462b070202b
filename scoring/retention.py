"""How long things are kept: partitions of snapshots by day, and the platform's own bookkeeping."""

from datetime import date, timedelta

from django.db import connection, transaction

DAYS_AHEAD = 7

# The day's rows may lie in the default partition already, which then refuses the new one: they
# move over under a lock. Its wait is short, since everyone who stores a snapshot queues behind it.
MAKE = """
SET LOCAL lock_timeout = '2s';
LOCK TABLE scoring_snapshot_rest IN ACCESS EXCLUSIVE MODE;
CREATE TABLE {name} (LIKE scoring_snapshot INCLUDING ALL);
ALTER TABLE {name} ALTER COLUMN vector SET STORAGE EXTERNAL;
WITH moved AS (DELETE FROM scoring_snapshot_rest WHERE day = '{day}' RETURNING *)
INSERT INTO {name} SELECT * FROM moved;
ALTER TABLE scoring_snapshot ATTACH PARTITION {name} FOR VALUES FROM ('{day}') TO ('{next}');
"""


def make_partitions() -> list[date]:
    """Make the partitions of today and the coming week; the days that were missing."""
    today = _today()
    days = [today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)]
    return [day for day in days if _make(day)]


@transaction.atomic
def _make(day: date) -> bool:
    name = f"scoring_snapshot_{day:%Y%m%d}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('scoring_snapshot'))")
        cursor.execute("SELECT to_regclass(%s) IS NULL", [name])
        missing = cursor.fetchone()[0]
        if missing:
            cursor.execute(MAKE.format(name=name, day=day, next=day + timedelta(days=1)))
    return missing


def _today() -> date:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (now() AT TIME ZONE 'UTC')::date")
        return cursor.fetchone()[0]


# Its rejects stay, and forget when and with what they came.
RECEIPTS = """
WITH old AS (
    SELECT id FROM scoring_receipt WHERE at < now() - interval '30 days' LIMIT 50000
), loose AS (
    UPDATE scoring_rejectedrecord SET receipt_id = NULL WHERE receipt_id IN (SELECT id FROM old)
)
DELETE FROM scoring_receipt WHERE id IN (SELECT id FROM old)
"""


# A day after every topic has it; what waits stays. The vector itself lies in its snapshot.
TOLD = """
WITH old AS (
    SELECT id FROM scoring_outboundevent AS event
    WHERE type = 'features.computed' AND made_at < now() - interval '24 hours' AND NOT EXISTS (
        SELECT FROM scoring_delivery
        WHERE event_id = event.id
          AND (state NOT IN ('DONE', 'CANCELLED') OR finished_at > now() - interval '24 hours')
    ) LIMIT 200000
), gone AS (
    DELETE FROM scoring_delivery WHERE event_id IN (SELECT id FROM old)
)
DELETE FROM scoring_outboundevent WHERE id IN (SELECT id FROM old)
"""


def drop_old_bookkeeping() -> None:
    """Forget slots and receipts after 30 days; repeated answers, and features told, after one."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM scoring_jobslot WHERE slot < now() - interval '30 days'")
        cursor.execute(
            "DELETE FROM scoring_idempotentrequest WHERE created_at < now() - interval '24 hours'"
        )
        cursor.execute(RECEIPTS)
        cursor.execute(TOLD)
