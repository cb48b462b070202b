"""Files of chargebacks and other late words: read block by block like files of payments."""

from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from anomalyshield import faults, leases
from scoring import noticing, reading, rejects
from scoring.admitting import any_gate
from scoring.engine.notices import Notice
from scoring.engine.transaction import Invalid
from scoring.models import RejectedRecord, Upload
from scoring.sources import file_source
from scoring.sources.base import Block, Broken

BLOCK_ROWS = 2_000


def holds(upload: Upload) -> bool:
    """Whether the rows of this file are notices, and not payments."""
    return bool((upload.options or {}).get("notices"))


def store(upload: Upload) -> None:
    """From its checkpoint on, each block in a commit of its own."""
    path = Path(settings.UPLOADS) / upload.path
    blocks = file_source(upload.kind).blocks(path, upload.checkpoint, BLOCK_ROWS)
    with closing(blocks) as found:
        for block in found:
            _store_block(upload, block)


@transaction.atomic
def _store_block(upload: Upload, block: Block) -> None:
    gate = any_gate(
        upload.source,
        timezone.now(),
        mapping={**upload.source.mapping, **upload.options["mapping"]},
        texts=True,
        notices=True,
    )
    assert isinstance(gate, noticing.Gate)
    good, bad = _read(upload, gate, block)
    done = noticing.store(gate, {at: notice for at, (notice, _) in good.items()})
    for at, reasons in done.bad.items():
        bad.append(_rejected(upload, at, good[at][1], reasons))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")  # as in ingest.store_block
    RejectedRecord.objects.bulk_create(bad, ignore_conflicts=True)
    faults.point("block.before_commit")
    leases.checkpoint(
        upload,
        checkpoint=block.position,
        started_at=upload.started_at or timezone.now(),
        read=upload.read + len(block.records),
        accepted=upload.accepted + len(done.new),
        repeated=upload.repeated + len(done.repeated),
        rejected=upload.rejected + len(bad),
        progress=block.done_share,
    )


def _read(
    upload: Upload, gate: noticing.Gate, block: Block
) -> tuple[dict[int, tuple[Notice, dict[str, object]]], list[RejectedRecord]]:
    good, bad = {}, []
    mended = rejects.is_ours(upload.options.get("columns", []))
    for position, record in enumerate(block.records, start=block.first_row):
        if isinstance(record, Broken):
            bad.append(_rejected(upload, position, {"row": record.text}, record.reasons))
            continue
        plain = rejects.taken_back(record) if mended else dict(record)
        try:
            good[position] = (gate.admit(plain), plain)
        except Invalid as invalid:
            bad.append(_rejected(upload, position, plain, invalid.reasons))
    return good, bad


def _rejected(
    upload: Upload, position: int, record: dict[str, object], reasons: dict[str, str]
) -> RejectedRecord:
    made = reading.rejected(upload, position, record, reasons)
    made.notice = True
    return made
