"""Reads Parquet in blocks, streamed; its position is a row number."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scoring.sources import footer
from scoring.sources.base import (
    Block,
    Broken,
    Examined,
    Position,
    Record,
    Unreadable,
    check_columns,
    printable,
)

# The footer's byte sizes do not show a bomb (100 GB of repeated text fit into 10 MB that call
# themselves 10 MB), its row count does.
MOST_ROWS = 100_000_000
BATCH = 1_000  # rows unpacked at once
BUFFER = 64 * 1024
SMALL = 4 * 1024 * 1024


class Parquet:
    """Plain columns only: text, numbers, booleans, dates and times."""

    def examine(self, path: Path) -> Examined:
        with path.open("rb") as file:
            if not (head := file.read(4)):
                raise Unreadable("The file is empty.")
        if head != b"PAR1":
            raise Unreadable("The file is not Parquet, though its name says so.")
        opened = _open(path)
        try:
            _check(opened)
            footer.check_pages(path, opened.metadata.row_group(0))
            return Examined(list(opened.schema_arrow.names), f"Parquet, {_rows(opened):,} rows")
        finally:
            opened.close()

    def blocks(self, path: Path, position: Position | None, rows: int) -> Iterator[Block]:
        opened = _open(path)
        try:
            _check(opened)
            yield from _blocks(path, opened, (position or {"row": 0})["row"], rows)
        except (pa.ArrowException, OSError) as error:
            raise Unreadable(f"The Parquet file is damaged: {_first_line(error)}") from error
        finally:
            opened.close()


def _open(path: Path, repeated: Sequence[str] = ()) -> Any:
    """The file, its columns read through a small buffer and not as wholes.

    `repeated` texts stay dictionaries, each value in memory once: a page that unpacks to gigabytes
    of one value stays as small as it is in the file.
    """
    footer.check_footer(path)
    try:
        return pq.ParquetFile(
            path,
            read_dictionary=list(repeated),
            pre_buffer=False,
            buffer_size=BUFFER,
            arrow_extensions_enabled=False,
        )
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Unreadable(f"The Parquet file is damaged: {_first_line(error)}") from error


def _check(opened: Any) -> None:
    schema = opened.schema_arrow
    check_columns(list(schema.names))
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        named = b"ARROW:extension:name" in (field.metadata or {})
        if named or isinstance(kind, pa.BaseExtensionType) or pa.types.is_nested(kind):
            raise Unreadable(
                f"Column “{field.name}” is of type {kind}; only plain columns of text, numbers, "
                "booleans, dates and times can be read."
            )
    if not _rows(opened):
        raise Unreadable("The file has no rows.")
    footer.check_groups(opened.metadata)
    if _rows(opened) > MOST_ROWS:
        raise Unreadable(
            f"The file says it has {_rows(opened):,} rows; at most {MOST_ROWS:,} are taken at once."
        )


def _blocks(path: Path, opened: Any, start: int, rows: int) -> Iterator[Block]:
    total, done = _rows(opened), start
    pending: list[Record | Broken] = []
    for batch in _batches(path, opened, start):
        pending += _records(batch)
        while len(pending) >= rows:
            yield _block(pending[:rows], done, total)
            done += rows
            pending = pending[rows:]
    if pending:
        yield _block(pending, done, total)


def _batches(path: Path, opened: Any, start: int) -> Iterator[Any]:
    """Rows from `start` on. One group at a time: asked for all, the library keeps them all."""
    before = 0
    for group in range(opened.metadata.num_row_groups):
        size = opened.metadata.row_group(group).num_rows
        if before + size > start:
            at = before
            footer.check_pages(path, opened.metadata.row_group(group))
            part = _open(path, _repeated(opened, group))
            try:
                for batch in part.iter_batches(BATCH, row_groups=[group], use_threads=False):
                    yield batch.slice(min(max(start - at, 0), batch.num_rows))
                    at += batch.num_rows
            finally:
                part.close()
        before += size


def _repeated(opened: Any, group: int) -> list[str]:
    """Text columns that this group keeps as a small dictionary and references into it."""
    found = []
    for place, field in enumerate(opened.schema_arrow):
        chunk = opened.metadata.row_group(group).column(place)
        small = chunk.has_dictionary_page and chunk.total_uncompressed_size < SMALL
        if small and (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)):
            found.append(field.name)
    return found


def _block(records: list[Record | Broken], done: int, total: int) -> Block:
    behind = done + len(records)
    return Block(records, done + 1, {"row": behind}, behind / total)


def _records(batch: Any) -> list[Record | Broken]:
    names = batch.schema.names
    try:
        columns = [_values(column) for column in batch.columns]
    except pa.ArrowException:
        raise
    except (ValueError, OverflowError):  # some cell: the other rows are whole
        return [_record(batch.slice(at, 1)) for at in range(batch.num_rows)]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _record(row: Any) -> Record | Broken:
    """One row by itself, or which of its cells Python has no value for."""
    values: dict[str, object] = {}
    reasons: dict[str, str] = {}
    for name, column in zip(row.schema.names, row.columns, strict=True):
        try:
            values[name] = _values(column)[0]
        except UnicodeDecodeError:
            reasons[name] = "is not UTF-8 text"
        except (ValueError, OverflowError):
            reasons[name] = "is beyond the calendar"
    return Broken(printable(" | ".join(map(str, values.values()))), reasons) if reasons else values


def _values(column: Any) -> list[object]:
    """The column as plain values; 32-bit floats by their shortest text, so 0.1 stays 0.1."""
    if pa.types.is_float32(column.type) or pa.types.is_float16(column.type):
        column = column.cast(pa.string())
    elif pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    if pa.types.is_dictionary(column.type):
        used = column.indices.unique()
        texts = dict(zip(used.to_pylist(), column.dictionary.take(used).to_pylist(), strict=True))
        return [texts[at] for at in column.indices.to_pylist()]
    values: list[object] = column.to_pylist()
    return values


def _rows(opened: Any) -> int:
    return int(opened.metadata.num_rows)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
