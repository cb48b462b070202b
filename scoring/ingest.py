"""From a received file to stored transactions and chunks to score, one transaction per block."""

import logging
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from anomalyshield import bell, faults, leases
from anomalyshield.audit.record import record
from scoring import bootstrap, labels, notice_files, storing
from scoring.engine.transaction import Transaction
from scoring.models import RejectedRecord, Upload
from scoring.reading import Parsed, blocks_of, rejected
from scoring.sources.base import Unreadable

log = logging.getLogger(__name__)
HOPELESS = 100_000  # rows refused, and none taken
MANY = 10_000  # rows that may change what the planner should believe
# What histories are looked up by. All columns take half a second of a core, for texts mostly.
PLANNED = "id, user_key, card_key, device_key, merchant_key, event_time, recorded_at, upload_id"
KNOWN_OTHERWISE = "is already known with other content"
# Two files of one source with the same ids in another order would wait for each other for ever.
TURN = "SELECT pg_advisory_xact_lock(hashtextextended('rows of source ' || %s::text, 0))"
CONFLICTING = """
SELECT i.position, i.external_id FROM incoming AS i
JOIN scoring_transaction AS t ON t.source_id = i.source_id AND t.external_id = i.external_id
WHERE t.digest <> i.digest
"""
# Cut along users, so that a user's past is read once per file and not once per chunk. Rows that a
# chunk has already are left alone: the file may have stopped and gone on.
CHUNKS = """
INSERT INTO scoring_chunk (upload_id, transaction_ids, known_at, state, attempts, error)
SELECT %(upload)s, array_agg(id ORDER BY event_time, id), %(known_at)s, 'READY', 0, ''
FROM (
    SELECT t.id, t.event_time,
        (row_number() OVER (ORDER BY t.user_key, t.event_time, t.id) - 1) / %(rows)s AS part
    FROM scoring_transaction AS t
    WHERE t.upload_id = %(upload)s AND t.id > coalesce((
        SELECT max(taken.id) FROM scoring_chunk AS c, unnest(c.transaction_ids) AS taken (id)
        WHERE c.upload_id = %(upload)s
    ), 0)
) AS cut
GROUP BY part
"""


class NoneTaken(Exception):
    """All rows so far were refused; its text says how many, and what to do."""


def perform(upload: Upload) -> None:
    """Store the file from its checkpoint on, then cut what it brought into chunks."""
    try:
        if notice_files.holds(upload):
            notice_files.store(upload)
        else:
            store(upload)
    except NoneTaken as reason:
        stop(upload, str(reason))
    except Unreadable as reason:
        give_up(upload, str(reason))  # reading it again will not help
    except FileNotFoundError:
        give_up(upload, "The file is no longer where it was kept. Send it again.")
    else:
        if not notice_files.holds(upload):
            if upload.accepted > MANY:
                tell_planner()
            prepare(upload)
        finish(upload)


def store(upload: Upload) -> None:
    """Block by block, each in a commit of its own."""
    with closing(blocks_of(upload)) as blocks:
        for parsed in blocks:
            before = upload.rejected
            store_block(upload, parsed)
            if before < HOPELESS <= upload.rejected == upload.read and upload.progress < 1:
                raise NoneTaken(
                    f"None of the first {upload.read:,} rows could be taken, so no more are read. "
                    "See why they were refused; then mend its columns or the source and send it "
                    "again, or resume it: it is then read to its end."
                )


def prepare(upload: Upload) -> None:
    """See to a model before the rows are scored; without one they are all for review."""
    try:
        bootstrap.first_model()
    except Exception:  # then they are for review, which is what happens without a model
        log.exception("no first model could be made of upload %s", upload.pk)


def tell_planner() -> None:
    """Let PostgreSQL look at the table as it is now, which by itself it does within a minute.

    With the statistics of a near empty table it would read all of it for each chunk's history.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE scoring_transaction ({PLANNED})")


@transaction.atomic
def finish(upload: Upload) -> None:
    """Everything is stored: from here on its rows are scored, and the file is not needed."""
    leases.finish(upload, progress=1.0, **make_chunks(upload))
    forget_file(upload)


@transaction.atomic
def store_block(upload: Upload, parsed: Parsed) -> None:
    """Rows, rejects, labels, counters and checkpoint of one block: all of it or nothing."""
    with connection.cursor() as cursor:
        # A crash of the server may take the last blocks, but their checkpoint with them: they are
        # read again. What ends the file waits for the disk, and so for everything before it.
        cursor.execute("SET LOCAL synchronous_commit = off")
    inserted, conflicting = insert(upload, parsed)
    parsed.bad += [
        rejected(upload, position, {"transaction_id": id}, {"transaction_id": KNOWN_OTHERWISE})
        for position, id in conflicting
    ]
    RejectedRecord.objects.bulk_create(parsed.bad, ignore_conflicts=True)
    refused = {id for _, id in conflicting}
    labels.from_file(
        [label for label in parsed.labels if label[0] not in refused],
        source=upload.source,
        object=upload,
    )
    faults.point("block.before_commit")
    leases.checkpoint(
        upload,
        checkpoint=parsed.block.position,
        started_at=upload.started_at or timezone.now(),
        read=upload.read + len(parsed.block.records),
        accepted=upload.accepted + inserted,
        repeated=upload.repeated + len(parsed.good) - inserted - len(conflicting),
        rejected=upload.rejected + len(parsed.bad),
        progress=parsed.block.done_share,
    )


def insert(upload: Upload, parsed: Parsed) -> tuple[int, list[tuple[int, str]]]:
    """How many rows were new, and which were known with other content."""
    good = parsed.good
    if not good:
        return 0, []
    with connection.cursor() as cursor:
        cursor.execute(TURN, [upload.source_id])
    if parsed.packed and not upload.meets_known and all_new(parsed.packed):
        return len(good), []
    inserted, conflicting = insert_new(upload, good)
    upload.meets_known = inserted < len(good)
    return inserted, conflicting


def all_new(packed: bytes) -> bool:
    """Store them the short way, which is all or nothing, and half the work of asking first."""
    try:
        with transaction.atomic():
            storing.copy_straight(packed)
    except IntegrityError:
        return False
    return True


def insert_new(
    upload: Upload, good: list[tuple[int, Transaction]]
) -> tuple[int, list[tuple[int, str]]]:
    """Store those that are new, and tell those that are known with other content."""
    storing.copy_in(good, source=upload.source_id, upload=upload.pk)
    with connection.cursor() as cursor:
        cursor.execute(storing.INSERT)
        inserted = cursor.rowcount
        if inserted == len(good):
            return inserted, []
        cursor.execute(CONFLICTING)
        return inserted, cursor.fetchall()


def make_chunks(upload: Upload) -> dict[str, Any]:
    """Cut what is stored into claimable chunks; returns what to write on the upload about it.

    The rows count as known from now on, so any order of scoring them is right.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '15min'")  # sorts ten million rows
        cursor.execute("SELECT clock_timestamp()")
        (known_at,) = cursor.fetchone()
        rows = settings.CHUNK_ROWS
        cursor.execute(CHUNKS, {"upload": upload.pk, "known_at": known_at, "rows": rows})
        made = cursor.rowcount
    if made:
        bell.leave("chunk")
    return {
        "stage": Upload.Stage.SCORING if made else Upload.Stage.FINISHED,
        "started_at": upload.started_at or known_at,
        "stored_at": known_at,
    }


def forget_file(upload: Upload) -> None:
    """Remove the file once the caller's transaction commits: its rows are kept, not itself."""
    path = Path(settings.UPLOADS) / upload.path
    transaction.on_commit(partial(path.unlink, missing_ok=True))


@transaction.atomic
def stop(upload: Upload, reason: str) -> None:
    """Leave it to a person whether the rest is read. A wrong mapping would keep a large file in the
    table of refused records row by row, and a small one can hold millions of equal rows."""
    leases.supersede(upload, reason)
    Upload.objects.filter(pk=upload.pk).update(**make_chunks(upload))
    record(by="worker", action="upload.cancelled", object=upload, reason=reason)


@transaction.atomic
def give_up(upload: Upload, reason: str) -> None:
    """Set the file aside with its reason. What it brought so far is scored like anything stored."""
    leases.quarantine(upload, reason)
    Upload.objects.filter(pk=upload.pk).update(**make_chunks(upload))


def failed(upload: Upload, error: BaseException) -> None:
    """Try later; the third failure without a block of progress in between ends it."""
    if upload.attempts < settings.MAX_ATTEMPTS or leases.passing(error):
        leases.fail(upload, error)
    else:
        give_up(upload, leases.said(error))


def chunk_done(upload_id: int, scored: int) -> None:
    """Count a chunk's rows, in its transaction; the last one finishes the upload.

    The count locks the upload's row, so of two last chunks the second sees that the first is done.
    """
    mine = Upload.objects.filter(pk=upload_id)
    mine.update(scored=F("scored") + scored)
    mine.scored_through().update(stage=Upload.Stage.FINISHED, finished_at=Now())


def sweep() -> int:
    """Finish uploads whose last chunk ended otherwise: quarantined or cancelled."""
    return Upload.objects.all().scored_through().update(stage=Upload.Stage.FINISHED)
