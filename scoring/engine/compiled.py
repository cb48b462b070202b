"""Compiling the kernels once per machine, whether or not the source tree may be written to."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function as machine code, the same for one row and for a million.

    No fastmath and no parallel loops: both may change the order of additions, and then the last
    bit of a result would depend on how the work was cut. Compiled code is kept in NUMBA_CACHE_DIR,
    else beside the source, else in the user's cache; where none can be written, it is compiled
    again in every process.
    """
    try:
        return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # numba: "no locator available"
        return cast(Function, numba.njit(nogil=True, error_model="numpy")(function))
