"""From a block of a file to rows ready to store; no database, so it runs beside the storing."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.utils import timezone

from scoring import cardnumbers, label_words, personal, quarantine, rates, rejects, storing
from scoring.admitting import gate_of
from scoring.engine import fields
from scoring.engine.transaction import Defaults, Invalid, Transaction
from scoring.models import RejectedRecord, Source, Upload
from scoring.sources import file_source
from scoring.sources.base import Block, Broken, Record
from scoring.translating import translation_of

BLOCK_ROWS = 5_000
TURN_SECONDS = 0.0005
Item = TypeVar("Item")
Said = tuple[str, datetime | None]  # a label, and since when it is known if a column says so


@dataclass
class Parsed:
    """What became of the rows of one block, and where the next one begins."""

    block: Block
    good: list[tuple[int, Transaction]] = field(default_factory=list)
    bad: list[RejectedRecord] = field(default_factory=list)
    labels: list[tuple[str, str, datetime]] = field(default_factory=list)
    packed: bytes = b""  # the good rows as they are stored when all of them are new


def blocks_of(upload: Upload) -> Iterator[Parsed]:
    """The rest of the file, from its checkpoint on."""
    path = Path(settings.UPLOADS) / upload.path
    blocks = file_source(upload.kind).blocks(path, upload.checkpoint, BLOCK_ROWS)
    source = upload.source  # read here: the thread below has no business with the database
    source.rates = rates.current()
    return ahead(parse_block(upload, source, block) for block in blocks)


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items; the next is made in a thread while the caller is busy with this one."""
    with ThreadPoolExecutor(1, "reading") as thread, taking_turns():
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


@contextmanager
def taking_turns() -> Iterator[None]:
    """Let the two threads take turns of half a millisecond instead of five.

    Whoever stores wakes for each piece that the database takes, and each time waits for its turn:
    the database waited for it more than it worked.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def parse_block(upload: Upload, source: Source, block: Block) -> Parsed:
    """Each record as a transaction, or as a reject with field and reason."""
    options = upload.options or {}
    mapping = {**source.mapping, **options.get("mapping", {})}
    # By when it came, not by the clock of whoever reads it: a slow one would refuse rows as future.
    parsed, gate = Parsed(block), gate_of(source, upload.created_at, mapping=mapping, texts=True)
    mended = rejects.is_ours(options.get("columns", []))
    translation = translation_of(options, mapping, sha256=upload.sha256)
    for position, record in enumerate(block.records, start=block.first_row):
        if isinstance(record, Broken):
            parsed.bad.append(rejected(upload, position, {"row": record.text}, record.reasons))
            continue
        if mended:
            record = rejects.taken_back(record)
        try:
            plain, said = split_label(record, options, gate.defaults)
            if translation is not None:
                plain, unclear = translation.of(plain, position)
                if unclear:
                    raise Invalid(unclear)
            found = gate.admit(plain)
            if said is not None:
                label = (found.external_id, said[0], known_since(said, found, options))
                parsed.labels.append(label)
        except Invalid as invalid:
            parsed.bad.append(rejected(upload, position, record, invalid.reasons))
        else:
            parsed.good.append((position, found))
    if not upload.meets_known:
        parsed.packed = storing.packed(parsed.good, upload.source_id, upload.pk)
    return parsed


def split_label(
    record: Record, options: dict[str, Any], defaults: Defaults
) -> tuple[Record, Said | None]:
    """The record without its label columns, which must never become features, and the label."""
    column, known = options.get("label_column"), options.get("label_known_column")
    if not column:
        return record, None
    plain = {name: value for name, value in record.items() if name not in (column, known)}
    try:
        value = label_words.value_of(record.get(column), options.get("label_values"))
    except ValueError as error:
        raise Invalid({column: str(error)}) from None
    if value is None:
        return plain, None
    return plain, (value, _moment(known, record.get(known), defaults) if known else None)


def _moment(column: str, value: object, defaults: Defaults) -> datetime:
    if value is None or value == "" or value != value:
        raise Invalid({column: "is required where there is a label"})
    try:
        return fields.checked(fields.moment(value, defaults.timezone), defaults.received_at)
    except fields.Unfit as unfit:
        raise Invalid({column: str(unfit)}) from None


def known_since(said: Said, found: Transaction, options: dict[str, Any]) -> datetime:
    """When the label became known: never before what it speaks of, never in the future."""
    if said[1] is None:
        delay = timedelta(days=options["label_delay_days"])
        return min(found.event_time + delay, timezone.now())
    if said[1] < found.event_time:
        raise Invalid({options["label_known_column"]: "lies before the transaction itself"})
    return said[1]


def rejected(
    upload: Upload, position: int, record: Record, reasons: dict[str, str]
) -> RejectedRecord:
    """The row as it stood, for the person who mends it; long values are cut.

    It holds no card number: those are stored nowhere.
    """
    options = upload.options or {}
    mapping = {**upload.source.mapping, **options.get("mapping", {})}
    record = cardnumbers.cleaned(record, mapping)
    shown = {
        _plain(str(name)): None if value is None else _plain(str(value)[:500])
        for name, value in record.items()
    }
    told = personal.without_values(reasons, shown, upload.source, mapping)
    return RejectedRecord(
        source_id=upload.source_id,
        upload=upload,
        position=position,
        record=quarantine.closed(shown, upload.source, mapping),
        reasons={_plain(name): why for name, why in told.items()},
    )


def _plain(text: str) -> str:
    """PostgreSQL's JSON holds neither NUL nor half a surrogate pair."""
    return text.replace("\x00", "␀").encode("utf-8", "replace").decode()
