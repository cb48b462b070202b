"""Arrays as they come out of a bundle: of the right kind, shape and finite, or refused by name."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import DTypeLike, NDArray

Arrays = Mapping[str, NDArray[np.generic]]
ANY = -1  # a length that may be whatever it is
MOST = 2**31 - 1  # of an index


class Malformed(ValueError):
    """Arrays that are not such a detector; following them would read other memory."""


def taken(arrays: Arrays, name: str, dtype: DTypeLike, *shape: int) -> NDArray[np.generic]:
    """The array of that name as `dtype`, in one block of memory; `ANY` leaves a length open."""
    if name not in arrays:
        raise Malformed(f"the array '{name}' is missing")
    found = np.asarray(arrays[name])
    if found.dtype.kind not in "iufb":
        raise Malformed(f"{name} does not hold numbers")
    fits = found.ndim == len(shape) and all(
        wanted in (ANY, length) for wanted, length in zip(shape, found.shape, strict=False)
    )
    if not fits:
        raise Malformed(f"{name} has the shape {found.shape}")
    if not np.all(np.isfinite(found)):
        raise Malformed(f"{name} holds a value that is not finite")
    whole = np.dtype(dtype).kind == "i"
    if whole and np.any(np.abs(found.astype(np.float64)) > MOST):
        raise Malformed(f"{name} holds a number that is too large")
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(found, dtype)
