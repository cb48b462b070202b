"""Runs the jobs whose slot has come: whoever inserts the slot does the job, in one transaction."""

import logging
import time

from django.db import connection, transaction
from django.utils.module_loading import import_string

from scoring.tasks import SCHEDULE, Job

log = logging.getLogger(__name__)
RETRY_SECONDS = 60.0
LATE_SECONDS = 60  # a slot older than this was missed
_failed: dict[str, float] = {}

# The database's clock, so that tickers on two machines agree which slot it is. A second ticker
# waits here for the first one's commit, and then finds the slot taken.
TAKE = """
WITH due AS (
    SELECT to_timestamp(floor(extract(epoch FROM now()) / %(every)s) * %(every)s) AS slot
)
INSERT INTO scoring_jobslot (job, slot, claimed_at) SELECT %(job)s, slot, now() FROM due
ON CONFLICT DO NOTHING
RETURNING extract(epoch FROM now() - slot)
"""


def run_due() -> list[str]:
    """Run every job whose current slot nobody has run; the names of those that ran."""
    return [job.name for job in SCHEDULE if not _resting(job) and _run(job)]


def _resting(job: Job) -> bool:
    return time.monotonic() < _failed.get(job.name, 0)


def _run(job: Job) -> bool:
    try:
        with transaction.atomic():
            late = _take(job)
            if late is None or (late > LATE_SECONDS and not job.catch_up):
                return False
            import_string(job.does)()
            return True
    except Exception:  # the slot is rolled back with it: tried again later, by any ticker
        _failed[job.name] = time.monotonic() + RETRY_SECONDS
        log.exception("%s failed", job.name)
        connection.close_if_unusable_or_obsolete()
        return False


def _take(job: Job) -> float | None:
    """Seconds since the slot began, if it is ours now."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"job": job.name, "every": job.every})
        row = cursor.fetchone()
    return None if row is None else float(row[0])
