"""Reads Parquet in blocks, streamed; its position is a row number."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scoring.sources.base import (
    Block,
    Broken,
    Examined,
    Position,
    Record,
    Unreadable,
    check_columns,
)

# The footer's byte sizes do not show a bomb (100 GB of repeated text fit into 10 MB that call
# themselves 10 MB), its row count does.
MOST_ROWS = 100_000_000


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
            return Examined(list(opened.schema_arrow.names), f"Parquet, {_rows(opened):,} rows")
        finally:
            opened.close()

    def blocks(self, path: Path, position: Position | None, rows: int) -> Iterator[Block]:
        opened = _open(path)
        try:
            _check(opened)
            yield from _blocks(opened, (position or {"row": 0})["row"], rows)
        except (pa.ArrowException, OSError) as error:
            raise Unreadable(f"The Parquet file is damaged: {_first_line(error)}") from error
        finally:
            opened.close()


def _open(path: Path) -> Any:
    try:
        names = [field.name for field in pq.read_schema(path) if _is_text(field.type)]
        # Dictionaries keep a repeated text once, in memory too: a page that unpacks to gigabytes
        # of one value stays as small as it is in the file.
        return pq.ParquetFile(path, read_dictionary=names, arrow_extensions_enabled=False)
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
    if _rows(opened) > MOST_ROWS:
        raise Unreadable(
            f"The file says it has {_rows(opened):,} rows; at most {MOST_ROWS:,} are taken at once."
        )


def _blocks(opened: Any, start: int, rows: int) -> Iterator[Block]:
    groups, at = _groups_from(opened, start)
    total = _rows(opened)
    pending: list[Record | Broken] = []
    done = start
    for batch in opened.iter_batches(batch_size=rows, row_groups=groups):
        # The first batches may lie before `start`: row groups are entered at their beginning only.
        skip = min(max(start - at, 0), batch.num_rows)
        at += batch.num_rows
        pending += _records(batch.slice(skip))
        while len(pending) >= rows:
            yield _block(pending[:rows], done, total)
            done += rows
            pending = pending[rows:]
    if pending:
        yield _block(pending, done, total)


def _block(records: list[Record | Broken], done: int, total: int) -> Block:
    behind = done + len(records)
    return Block(records, done + 1, {"row": behind}, behind / total)


def _groups_from(opened: Any, start: int) -> tuple[list[int], int]:
    """The row groups that hold rows from `start` on, and the number of the first row in them."""
    metadata = opened.metadata
    before = 0
    for group in range(metadata.num_row_groups):
        size = metadata.row_group(group).num_rows
        if before + size > start:
            return list(range(group, metadata.num_row_groups)), before
        before += size
    return [], before


def _records(batch: Any) -> list[Record | Broken]:
    names = batch.schema.names
    columns = [_values(column) for column in batch.columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _values(column: Any) -> list[object]:
    """The column as plain values; 32-bit floats by their shortest text, so 0.1 stays 0.1."""
    if pa.types.is_float32(column.type) or pa.types.is_float16(column.type):
        column = column.cast(pa.string())
    elif pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    if pa.types.is_dictionary(column.type):
        texts = column.dictionary.to_pylist()
        return [None if at is None else texts[at] for at in column.indices.to_pylist()]
    values: list[object] = column.to_pylist()
    return values


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _rows(opened: Any) -> int:
    return int(opened.metadata.num_rows)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
