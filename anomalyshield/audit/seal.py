"""Numbers committed events and chains them, one sealer at a time, shortly after they commit.

No verb waits for the chain. An event that commits late, with a lower id than its neighbours, gets
a later number: the sealer asks which rows have no number, never which ids are new.
"""

import logging

from django.db import connection, transaction

from anomalyshield import faults
from anomalyshield.audit import anchors
from anomalyshield.audit.anchors import Anchor
from anomalyshield.audit.chain import CONTENT, START, link

log = logging.getLogger(__name__)
BATCH = 5000
LOCK = 7_021_973_001  # the sealer's advisory lock, for as long as its transaction

# The inner LIMIT keeps the content of rows beyond the batch from being built only to be sorted.
UNSEALED = f"""
SELECT id, {CONTENT} FROM (
    SELECT * FROM audit_auditevent WHERE number IS NULL ORDER BY id LIMIT %s
) AS unsealed ORDER BY id
"""
HEAD = """
SELECT number, digest FROM audit_auditevent WHERE number IS NOT NULL ORDER BY number DESC LIMIT 1
"""
SEAL = """
UPDATE audit_auditevent AS event
SET number = sealed.number, previous = sealed.previous, digest = sealed.digest
FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[], %s::bytea[])
    AS sealed(id, number, previous, digest)
WHERE event.id = sealed.id
"""


def seal() -> int:
    """Seal everything committed so far and anchor the head; 0 when another sealer is at it."""
    total = 0
    while count := _batch():
        total += count
        if count < BATCH:
            break
    return total


def _batch() -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        # After a burst the planner's statistics are stale and it would read the whole table.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(UNSEALED, [BATCH])
        events = cursor.fetchall()
        if not events:
            return 0
        cursor.execute(HEAD)
        number, digest = cursor.fetchone() or (0, START)
        sealed = _chain(events, number, bytes(digest))
        cursor.execute(SEAL, [list(column) for column in zip(*sealed, strict=True)])
        faults.point("seal.before_commit")
    anchors.write(Anchor(sealed[-1][1], sealed[-1][3]))
    return len(sealed)


def _chain(
    events: list[tuple[int, str]], number: int, digest: bytes
) -> list[tuple[int, int, bytes, bytes]]:
    """(id, number, previous, digest) of each event, following the head given."""
    sealed = []
    for event, content in events:
        number, previous = number + 1, digest
        digest = link(previous, number, content)
        sealed.append((event, number, previous, digest))
    return sealed
