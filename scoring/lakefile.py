"""One day of scored payments as a table: its columns, its rows, and how they reach the lake."""

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scoring import personal
from scoring.models import Decision, Source

PIECE = 50_000  # rows of a group, and in memory
LEFT = 24 * 3600  # seconds; a copy is given up after two hours
REPLACED = 24  # hours in which readers of a Delta table may still need what was replaced
FILE, MANIFEST = "payments.parquet", "_manifest.json"  # readers of folders pass over what has a _
TEXT, FLOAT, MOMENT = pa.string(), pa.float64(), pa.timestamp("us", "UTC")
MONEY = pa.decimal128(18, 4)
# Column → its type and where it comes from. The first ones are the fields an ingestion takes, so
# that a copy can come in again as it is.
COLUMNS: dict[str, tuple[pa.DataType, str]] = {
    "transaction_id": (TEXT, "transaction__external_id"),
    "user_id": (TEXT, "transaction__user_id"),
    "card_id": (TEXT, "transaction__card_id"),
    "device_id": (TEXT, "transaction__device_id"),
    "amount": (MONEY, "transaction__amount"),
    "currency": (TEXT, "transaction__currency"),
    "timestamp": (MOMENT, "transaction__event_time"),
    "merchant_name": (TEXT, "transaction__merchant_name"),
    "merchant_category": (TEXT, "transaction__merchant_category"),
    "mcc": (TEXT, "transaction__mcc"),
    "location": (TEXT, "transaction__location"),
    "country": (TEXT, "transaction__country"),
    "latitude": (FLOAT, "transaction__latitude"),
    "longitude": (FLOAT, "transaction__longitude"),
    "channel": (TEXT, "transaction__channel"),
    "is_online": (pa.bool_(), "transaction__is_online"),
    "timezone": (TEXT, "transaction__timezone"),
    "source": (TEXT, "transaction__source__name"),
    "recorded_at": (MOMENT, "transaction__recorded_at"),
    "decided_at": (MOMENT, "decided_at"),
    "risk_score": (FLOAT, "risk_score"),
    "probability": (FLOAT, "probability"),
    "risk_level": (TEXT, "level"),
    "outcome": (TEXT, "outcome"),
    "reason_codes": (TEXT, "reason_codes"),
    "model_version": (pa.int64(), "model"),
    "policy": (pa.int64(), "policy"),
    "degraded": (TEXT, "degraded"),
}
SOURCE = list(COLUMNS).index("source")  # what stands before it came from the source
SCHEMA = pa.schema([(name, kind) for name, (kind, _) in COLUMNS.items()])
CODES = list(COLUMNS).index("reason_codes")


@dataclass(frozen=True)
class Written:
    """What stands in the lake of one day."""

    day: str
    rows: int
    bytes: int
    sha256: str


def write(folder: Path, day: date, kind: str) -> Written:
    """Copy the day's decisions; what stood of the day before is replaced when all is written."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # as private as the database
    _sweep(folder)
    aside = folder / f".{uuid.uuid4().hex}.parquet"
    try:
        rows = _fill(aside, day)
        written = Written(day.isoformat(), rows, aside.stat().st_size, _sha256(aside))
        if kind == "delta":
            _into_delta(folder, aside, day)
        else:
            _into_place(folder, aside, written)
    finally:
        aside.unlink(missing_ok=True)
    return written


def _sweep(folder: Path) -> None:
    """What a copy left whose machine died: nobody would find it, and it holds people's payments."""
    old = datetime.now(UTC).timestamp() - LEFT
    for left in folder.glob(f".{'[0-9a-f]' * 32}.*"):
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < old:
                left.unlink()


def _fill(path: Path, day: date) -> int:
    rows = 0
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for table in _tables(day):
            writer.write_table(table)
            rows += table.num_rows
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    return rows


def _tables(day: date) -> Iterator[pa.Table]:
    start = datetime.combine(day, time(), UTC)
    found = Decision.objects.filter(decided_at__gte=start, decided_at__lt=start + timedelta(days=1))
    rows = found.order_by("pk").values_list(*(place for _, place in COLUMNS.values()))
    coming, closed = rows.iterator(chunk_size=5_000), _closed()
    while piece := list(islice(coming, PIECE)):
        columns: list[Any] = list(zip(*piece, strict=True))
        columns[CODES] = [" ".join(codes) for codes in columns[CODES]]
        for at, names in closed.items():
            columns[at] = [
                _closed_value(value) if source in names else value
                for value, source in zip(columns[at], columns[SOURCE], strict=True)
            ]
        arrays = [pa.array(one, field.type) for one, field in zip(columns, SCHEMA, strict=True)]
        yield pa.Table.from_arrays(arrays, schema=SCHEMA)


def _closed() -> dict[int, set[str]]:
    """Columns of payments → the sources that declare them personal."""
    declared = {one.name: _declared(one) for one in Source.objects.exclude(pii=[])}
    found = {
        at: {source for source, names in declared.items() if name in names}
        for at, name in enumerate(list(COLUMNS)[:SOURCE])
    }
    return {at: names for at, names in found.items() if names}


def _declared(source: Source) -> set[str]:
    """Our fields that are personal by any name they came under: files have mappings too."""
    files = source.upload_set.values_list("options__mapping", flat=True).distinct()
    names = [personal.our_names(source.pii, one) for one in (source.mapping, *filter(None, files))]
    return set().union(*names)


def _closed_value(value: Any) -> str | None:
    """Of a personal text a token leaves, by which equal ones still join; of a number nothing."""
    return personal.token_of(value) if isinstance(value, str) else None


def _into_place(folder: Path, aside: Path, written: Written) -> None:
    """The file first, by renaming; then what is told of it, so that it never tells of another."""
    place = folder / f"day={written.day}"
    place.mkdir(exist_ok=True)
    (place / MANIFEST).unlink(missing_ok=True)
    aside.replace(place / FILE)
    told = aside.with_suffix(".json")
    told.write_text(json.dumps(asdict(written)) + "\n", encoding="utf-8")
    told.replace(place / MANIFEST)


def _into_delta(folder: Path, aside: Path, day: date) -> None:
    from deltalake import DeltaTable, write_deltalake

    whole = SCHEMA.append(pa.field("day", pa.date32()))
    file = pq.ParquetFile(aside)

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in file.iter_batches(PIECE):
            days = pa.array([day] * batch.num_rows, pa.date32())
            yield pa.RecordBatch.from_arrays([*batch.columns, days], schema=whole)

    with file:
        write_deltalake(
            str(folder),
            pa.RecordBatchReader.from_batches(whole, batches()),
            mode="overwrite",
            partition_by=["day"],
            predicate=f"day = '{day.isoformat()}'",
        )
    # Otherwise the table would keep whom a copy was made anew to forget.
    DeltaTable(str(folder)).vacuum(
        retention_hours=REPLACED, enforce_retention_duration=False, dry_run=False
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def damaged(folder: Path) -> dict[str, str]:
    """Day → what is wrong with its copy: no manifest, or another file than it tells of."""
    found: dict[str, str] = {}
    for place in sorted(folder.glob("day=*")):
        try:
            told = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found[place.name[4:]] = "it has no manifest"
            continue
        if not (place / FILE).exists() or _sha256(place / FILE) != told.get("sha256"):
            found[place.name[4:]] = "its file is not the one its manifest tells of"
    return found
