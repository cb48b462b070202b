"""Rows of numpy in columns of Arrow, and back, without a Python object for each."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Batches = Iterator[pa.RecordBatch]


def binaries(rows: NDArray[Any]) -> pa.Array:
    """Each row as its bytes."""
    plain = np.ascontiguousarray(rows)
    width = plain.nbytes // len(plain) if len(plain) else 0
    ends = np.arange(len(plain) + 1, dtype=np.int32) * width
    return pa.Array.from_buffers(
        pa.binary(), len(plain), [None, pa.py_buffer(ends), pa.py_buffer(plain.tobytes())]
    )


def rows_of(column: pa.ChunkedArray, dtype: Any) -> NDArray[Any]:
    """The rows again; of all values none may be null."""
    parts = [np.empty(0, dtype)]
    for chunk in column.chunks:
        _, offsets, data = chunk.buffers()
        if len(chunk):
            ends = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
            parts.append(np.frombuffer(data, np.uint8)[ends[0] : ends[-1]].view(dtype))
    return np.concatenate(parts)


def numbers(table: pa.Table, name: str) -> NDArray[np.int64]:
    found: NDArray[np.int64] = table[name].to_numpy()
    return found


def whole(batches: Iterable[pa.RecordBatch]) -> pa.Table | None:
    """What came of a partition; None if that is nothing."""
    came = [batch for batch in batches if batch.num_rows]
    return pa.Table.from_batches(came) if came else None


def parted(table: pa.Table, by: str) -> Iterator[tuple[int, pa.Table]]:
    """The rows of each value of a column of numbers."""
    values = numbers(table, by)
    order = np.argsort(values, kind="stable")
    sorted_ = values[order]
    edges = np.flatnonzero(np.diff(sorted_)) + 1
    for part in np.split(order, edges):
        yield int(values[part[0]]), table.take(pa.array(part))
