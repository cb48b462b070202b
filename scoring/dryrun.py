"""What the beginning of a file would give, with nothing stored."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings

from scoring import rejects
from scoring.engine.names import our_name
from scoring.engine.transaction import Transaction
from scoring.models import Transaction as Stored
from scoring.models import Upload
from scoring.reading import parse_block
from scoring.sources import file_source
from scoring.sources.base import Block, Broken
from scoring.translating import translation_of

ROWS = 1_000
SHOWN = 20


@dataclass
class DryRun:
    """Counts over the first rows, and the first of them as they would be stored."""

    read: int = 0
    accepted: int = 0
    known: int = 0  # their ids are stored already
    labelled: Counter[str] = field(default_factory=Counter)
    emptied: list[tuple[str, int]] = field(default_factory=list)  # column, cells read as none
    aside: Counter[tuple[str, str]] = field(default_factory=Counter)  # (column, field) → rows
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)  # (field, why) → rows
    shown: list[Transaction] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        return self.read - self.accepted

    @property
    def labels(self) -> list[tuple[str, int]]:
        # A Counter in a template answers 0 to everything, `items` included.
        return self.labelled.most_common()

    @property
    def beside(self) -> list[tuple[str, str, int]]:
        """Columns that also give a field and say something else than the one that counts."""
        return [(column, ours, rows) for (column, ours), rows in self.aside.most_common()]

    def set_aside(self, found: Transaction, mapping: Mapping[str, str]) -> None:
        self.aside.update((name, ours) for name in found.extra if (ours := our_name(name, mapping)))

    @property
    def most(self) -> list[tuple[tuple[str, str], int]]:
        return self.reasons.most_common(12)


def head(upload: Upload, rows: int = ROWS) -> Block:
    """The first rows as they stand in the file."""
    path = Path(settings.UPLOADS) / upload.path
    blocks = file_source(upload.kind).blocks(path, None, rows)
    return next(islice(blocks, 1), Block([], 1, {}, 1.0))


def records(block: Block) -> list[Any]:
    return [record for record in block.records if not isinstance(record, Broken)]


def dry_run(upload: Upload, block: Block) -> DryRun:
    """Read the block as the worker would, with the options the upload has at this moment."""
    parsed = parse_block(upload, upload.source, block)
    good = [transaction for _, transaction in parsed.good]
    ids = [transaction.external_id for transaction in good]
    known = Stored.objects.filter(source=upload.source, external_id__in=ids).count()
    made = DryRun(read=len(block.records), accepted=len(good), known=known, shown=good[:SHOWN])
    made.labelled.update(value for _, value, _ in parsed.labels)
    mapping = {**upload.source.mapping, **upload.options.get("mapping", {})}
    for one in good:
        made.set_aside(one, mapping)
    for bad in parsed.bad:
        made.reasons.update(bad.reasons.items())
    made.emptied = list(_emptied(upload, block).items())
    return made


def _emptied(upload: Upload, block: Block) -> Counter[str]:
    """How many cells of each column hold a text that means none; 0 for one that holds none."""
    options = upload.options
    counts = Counter(dict.fromkeys(options.get("empty_values", {}), 0))
    translation = translation_of(options, options.get("mapping", {}), sha256=upload.sha256)
    mended = rejects.is_ours(options.get("columns", []))
    for record in records(block) if counts and translation else ():
        counts.update(translation.emptied(rejects.taken_back(record) if mended else record))
    return counts
