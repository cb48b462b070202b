"""Whole columns straight from PostgreSQL into numpy.

Every column is eight bytes and never null, so the binary form of an array of it is fixed-width
behind a header and needs no parsing at all.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np

from anomalyshield import prepared
from scoring.engine.history import Rows


def fetched(sql: str, params: prepared.Params, dtype: np.dtype) -> Rows:
    """The rows of a SELECT whose columns are all eight bytes wide, as that dtype."""
    # One row whatever the number: the driver spends 10 µs on each row of a COPY.
    return table(prepared.once(f"SELECT * FROM {arrays(sql, dtype)}", params), 0, dtype)


def arrays(sql: str, dtype: np.dtype, name: str = "arrays") -> str:
    """One row that holds an array of each column of a SELECT."""
    names = [f"c{place}" for place in range(len(dtype.names or ()))]
    arrays = ", ".join(f"array_agg({name})" for name in names)
    return f"(SELECT {arrays} FROM ({sql}) AS part ({', '.join(names)})) AS {name}"


def table(answer: Any, at: int, dtype: np.dtype) -> Rows:
    """What `arrays` made, from that column of the answer on."""
    kinds = _kinds(dtype)
    if answer.get_value(0, at) is None:
        return np.empty(0, dtype)
    columns = [array(answer.get_value(0, at + place), kind) for place, kind in enumerate(kinds)]
    rows = np.empty(len(columns[0]), dtype)
    for name, column in zip(dtype.names or (), columns, strict=True):
        rows[name] = column
    return rows


@cache
def _kinds(dtype: np.dtype) -> tuple[str, ...]:
    return tuple(kind for _, kind in dtype.descr)


def literal(numbers: Iterable[int]) -> str:
    """An array as the database writes it; the driver would look at each element by itself."""
    return f"{{{','.join(map(str, numbers))}}}"


_ELEMENT = {kind: np.dtype([("length", ">i4"), ("v", ">" + kind[1:])]) for kind in ("<i8", "<f8")}


def array(content: bytes | None, kind: str) -> np.ndarray:
    """The binary form of a one-dimensional array of eight-byte values without NULL."""
    if content is None:
        return np.empty(0, kind)
    return np.frombuffer(content, _ELEMENT[kind], -1, 20)["v"]
