"""Looking names up among those met, in machine code: it stands in the way of every single score."""

import math

import numpy as np
from numpy.typing import NDArray

from scoring.engine.compiled import compiled

Floats = NDArray[np.float64]


@compiled
def place(names: Floats, name: float) -> int:
    """Where a name stands among rising ones; -1 if it was never met, or is unknown."""
    low, high = 0, names.shape[0]
    while low < high:
        middle = (low + high) // 2
        if names[middle] < name:
            low = middle + 1
        else:
            high = middle
    return low if low < names.shape[0] and names[low] == name else -1


@compiled
def rate(vectors: Floats, column: int, names: Floats, values: Floats) -> None:
    """Each name of that column becomes its value, a foreign one 0; unknown stays unknown."""
    for row in range(vectors.shape[0]):
        name = vectors[row, column]
        if name == name:
            found = place(names, name)
            vectors[row, column] = values[found] if found >= 0 else 0.0


@compiled
def measure(
    vectors: Floats, column: int, by: int, names: Floats, middle: Floats, spread: Floats
) -> None:
    """Each value becomes its distance from the middle of its name, in spreads of it; else NaN."""
    for row in range(vectors.shape[0]):
        found = place(names, vectors[row, by])
        own = vectors[row, column]
        vectors[row, column] = (own - middle[found]) / spread[found] if found >= 0 else math.nan
