"""How many events wait for their decision: beyond a limit the doors ask senders to hold back, and
as long as none does, readers that are behind leave decisions to the workers."""

import time
from datetime import timedelta

from django.conf import settings
from django.db import connection

from anomalyshield.pulse import STALE_SECONDS

EVERY = 1.0  # seconds for which a process believes what it counted
MOST_WAIT = 60  # seconds
# Files have a pace of their own and are not in a hurry: they do not hold events back.
COUNT = """
SELECT coalesce(sum(cardinality(transaction_ids)), 0) FROM scoring_chunk
WHERE state IN ('READY', 'RUNNING') AND upload_id IS NULL
"""
# A worker asks for such work, and nothing else waits for it. Of each reader one batch at most waits
# then (two may ask at the same moment), so no file and no sender is held up by what it leaves.
FREE = """
SELECT EXISTS (SELECT FROM anomalyshield_heartbeat WHERE name = %s AND at > now() - %s)
AND NOT EXISTS (SELECT FROM scoring_chunk WHERE state = 'READY')
"""
_counted = (-EVERY, 0)  # when, and how many


def waiting() -> int:
    """Events that are stored and not decided, as of a second ago at most."""
    global _counted
    now = time.monotonic()
    if now - _counted[0] >= EVERY:
        with connection.cursor() as cursor:
            cursor.execute(COUNT)
            _counted = (now, int(cursor.fetchone()[0]))
    return _counted[1]


def wait_for() -> int:
    """Seconds a sender should wait before it sends more; 0 when there is room."""
    over = waiting() - settings.BACKLOG
    if over <= 0:
        return 0
    return min(MOST_WAIT, 2 + round(10 * over / settings.BACKLOG))


def worker_free() -> bool:
    """Whether a worker would take up a chunk about now."""
    with connection.cursor() as cursor:
        cursor.execute(FREE, ["queue:detect", timedelta(seconds=STALE_SECONDS)])
        return bool(cursor.fetchone()[0])


def forget() -> None:
    """Count anew at the next question; tests use it."""
    global _counted
    _counted = (-EVERY, 0)
