"""From a received file to stored transactions and chunks to score, one transaction per block."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from anomalyshield import bell, leases
from scoring import labels, storing
from scoring.engine import fields
from scoring.engine.transaction import Defaults, Invalid, Transaction, parse
from scoring.models import RejectedRecord, Source, Upload
from scoring.sources import file_source
from scoring.sources.base import Block, Broken, Record, Unreadable

BLOCK_ROWS = 5_000
KNOWN_OTHERWISE = "is already known with other content"
INCOMING = f"""
CREATE TEMP TABLE IF NOT EXISTS incoming (
    position int8, {storing.DECLARED}
) ON COMMIT DELETE ROWS
"""
INSERT = f"""
INSERT INTO scoring_transaction ({", ".join(storing.COLUMNS)})
SELECT {", ".join(storing.COLUMNS)} FROM incoming ORDER BY position
ON CONFLICT (source_id, external_id) DO NOTHING
"""
CONFLICTING = """
SELECT i.position, i.external_id FROM incoming AS i
JOIN scoring_transaction AS t ON t.source_id = i.source_id AND t.external_id = i.external_id
WHERE t.digest <> i.digest
"""
# Cut along users, so that a user's past is read once per file and not once per chunk.
CHUNKS = """
INSERT INTO scoring_chunk (upload_id, transaction_ids, known_at, state, attempts, error)
SELECT %(upload)s, array_agg(id ORDER BY event_time, id), %(known_at)s, 'READY', 0, ''
FROM (
    SELECT t.id, t.event_time,
        ntile(%(parts)s) OVER (ORDER BY t.user_key, t.event_time, t.id) AS part
    FROM scoring_transaction AS t
    WHERE t.upload_id = %(upload)s
) AS cut
GROUP BY part
"""


@dataclass
class Parsed:
    """What became of the rows of one block."""

    good: list[tuple[int, Transaction]] = field(default_factory=list)
    bad: list[RejectedRecord] = field(default_factory=list)
    labels: list[tuple[str, str, datetime]] = field(default_factory=list)


def perform(upload: Upload) -> None:
    """Store the file from its checkpoint on, then cut what it brought into chunks."""
    path = Path(settings.UPLOADS) / upload.path
    try:
        for block in file_source(upload.kind).blocks(path, upload.checkpoint, BLOCK_ROWS):
            store_block(upload, block)
    except Unreadable as reason:
        leases.quarantine(upload, str(reason))  # reading it again will not help
        return
    make_chunks(upload)


@transaction.atomic
def store_block(upload: Upload, block: Block) -> None:
    """Rows, rejects, labels, counters and checkpoint of one block: all of it or nothing."""
    parsed = parse_block(upload, block)
    inserted, conflicting = copy_in(upload, parsed.good)
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
    leases.checkpoint(
        upload,
        checkpoint=block.position,
        started_at=upload.started_at or timezone.now(),
        read=upload.read + len(block.records),
        accepted=upload.accepted + inserted,
        repeated=upload.repeated + len(parsed.good) - inserted - len(conflicting),
        rejected=upload.rejected + len(parsed.bad),
        progress=block.done_share,
    )


def parse_block(upload: Upload, block: Block) -> Parsed:
    """Each record as a transaction, or as a reject with field and reason."""
    parsed, defaults = Parsed(), defaults_of(upload.source, timezone.now())
    options = upload.options or {}
    mapping = {**upload.source.mapping, **options.get("mapping", {})}
    for position, record in enumerate(block.records, start=block.first_row):
        if isinstance(record, Broken):
            parsed.bad.append(rejected(upload, position, {"row": record.text}, record.reasons))
            continue
        try:
            plain, label = split_label(record, options, defaults)
            found = parse(plain, defaults=defaults, mapping=mapping)
        except Invalid as invalid:
            parsed.bad.append(rejected(upload, position, record, invalid.reasons))
            continue
        parsed.good.append((position, found))
        if label is not None:
            parsed.labels.append(
                (found.external_id, label[0], label[1] or known_late(found, options))
            )
    return parsed


def split_label(
    record: Record, options: dict[str, Any], defaults: Defaults
) -> tuple[Record, tuple[str, datetime | None] | None]:
    """The record without its label columns, which must never become features, and the label."""
    column, known = options.get("label_column"), options.get("label_known_column")
    if not column:
        return record, None
    plain = {name: value for name, value in record.items() if name not in (column, known)}
    try:
        value = labels.value_of(record.get(column))
    except ValueError as error:
        raise Invalid({column: str(error)}) from None
    if value is None:
        return plain, None
    if not known:
        return plain, (value, None)
    return plain, (value, _known_at(known, record.get(known), defaults))


def _known_at(column: str, value: object, defaults: Defaults) -> datetime:
    if value is None or value == "" or value != value:
        raise Invalid({column: "is required where there is a label"})
    try:
        return fields.checked(fields.moment(value, defaults.timezone), defaults.received_at)
    except fields.Unfit as unfit:
        raise Invalid({column: str(unfit)}) from None


def known_late(found: Transaction, options: dict[str, Any]) -> datetime:
    """With a stated delay: that long after the event, but never in the future."""
    delay = timedelta(days=float(options.get("label_delay_days", 0)))
    return min(found.event_time + delay, timezone.now())


def defaults_of(source: Source, received_at: datetime) -> Defaults:
    return Defaults(source.currency, settings.BASE_CURRENCY, source.timezone, received_at)


def rejected(
    upload: Upload, position: int, record: Record, reasons: dict[str, str]
) -> RejectedRecord:
    shown = {
        str(name): None if value is None else str(value)[:500] for name, value in record.items()
    }
    return RejectedRecord(
        source=upload.source,
        upload=upload,
        position=position,
        record=_storable(shown),
        reasons=reasons,
    )


def _storable(shown: dict[str, str | None]) -> dict[str, str | None]:
    """PostgreSQL's JSON holds neither NUL nor half a surrogate pair."""
    return {_plain(name): None if value is None else _plain(value) for name, value in shown.items()}


def _plain(text: str) -> str:
    return text.replace("\x00", "␀").encode("utf-8", "replace").decode()


def copy_in(
    upload: Upload, good: list[tuple[int, Transaction]]
) -> tuple[int, list[tuple[int, str]]]:
    """How many rows were new, and which were known with other content."""
    if not good:
        return 0, []
    with connection.cursor() as cursor:
        cursor.execute(INCOMING)
        columns = ", ".join(("position", *storing.COLUMNS))
        with cursor.copy(f"COPY incoming ({columns}) FROM STDIN") as copy:
            for position, found in good:
                copy.write_row([position, *storing.values(found, upload.source_id, upload.pk)])
        cursor.execute(INSERT)
        inserted = cursor.rowcount
        if inserted == len(good):
            return inserted, []
        cursor.execute(CONFLICTING)
        return inserted, cursor.fetchall()


@transaction.atomic
def make_chunks(upload: Upload) -> None:
    """All rows are stored: from now on they are known, and may be scored in any order."""
    now = timezone.now()
    parts = max(1, -(-upload.accepted // settings.CHUNK_ROWS))
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        known_at = cursor.fetchone()[0]
        cursor.execute(CHUNKS, {"upload": upload.pk, "known_at": known_at, "parts": parts})
        made = cursor.rowcount
    leases.finish(
        upload,
        stage=Upload.Stage.SCORING if made else Upload.Stage.FINISHED,
        started_at=upload.started_at or now,
        stored_at=known_at,
        progress=1.0,
    )
    bell.leave("chunk")


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
