"""Whole columns straight from PostgreSQL into numpy.

Every column is eight bytes and never null, so the binary form of an array of it is fixed-width
behind a header and needs no parsing at all.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from anomalyshield import prepared
from scoring.engine.history import Rows

HEADER = 20  # bytes of a one-dimensional array without NULL, before its first value


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
    return whole(answer, at, dtype.itemsize // 8).view(dtype)[:, 0]


def whole(answer: Any, at: int, width: int) -> np.ndarray:
    """The same as a table of 8-byte integers, a column for each; floats are there by their bits.

    All columns are turned round together: for one payment's past the steps are the cost, not the
    numbers.
    """
    found = [answer.get_value(0, at + place) for place in range(width)]
    if found[0] is None:
        return np.empty((0, width), np.int64)
    values = np.frombuffer(b"".join(found), np.uint8).reshape(width, -1)[:, HEADER:]
    numbers = values.reshape(width, -1, 4 + 8)[:, :, 4:].view(">i8")  # behind each one's length
    return np.ascontiguousarray(numbers[:, :, 0].T, np.int64)


def literal(numbers: Iterable[int]) -> str:
    """An array as the database writes it; the driver would look at each element by itself."""
    return f"{{{','.join(map(str, numbers))}}}"
