"""Filling unknown values from the nearest rows of a sample, the same for one row as for many."""

import numpy as np
from numpy.typing import NDArray

from scoring.engine.compiled import compiled

Floats = NDArray[np.float64]
MOST_ROWS = 2_000  # of the sample: each row with something unknown is held against all of them
NEAREST = 5


def sampled(vectors: Floats) -> Floats:
    """At most MOST_ROWS rows, evenly spread over all, one column of theirs after another."""
    places = np.linspace(0, len(vectors) - 1, min(MOST_ROWS, len(vectors))).astype(np.int64)
    rows = vectors[places]
    return np.ascontiguousarray(np.where(np.isfinite(rows), rows, np.nan).T)


@compiled
def fill(vectors: Floats, sample: Floats, scale: Floats, usual: Floats, nearest: int) -> None:
    """Each NaN becomes the mean of the nearest sample rows that know the value.

    Near is a small mean square of the differences, in units of `scale`, over the columns that both
    rows know (as in Troyanskaya et al., Bioinformatics 2001). The earlier of two equally near rows
    counts. Where no sample row knows the value, it becomes `usual`.
    """
    width, rows = sample.shape
    gaps, shared = np.empty(rows), np.empty(rows)
    near, values = np.empty(nearest), np.empty(nearest)
    for at in range(vectors.shape[0]):
        complete = True
        for column in range(width):
            if vectors[at, column] != vectors[at, column]:
                complete = False
        if complete:
            continue
        gaps[:] = 0.0
        shared[:] = 0.0
        for column in range(width):
            value = vectors[at, column]
            if not np.isfinite(value):
                continue
            for row in range(rows):
                other = sample[column, row]
                if other == other:
                    gap = (value - other) / scale[column]
                    gaps[row] += gap * gap
                    shared[row] += 1.0
        for row in range(rows):
            gaps[row] = gaps[row] / shared[row] if shared[row] else np.inf
        for column in range(width):
            if vectors[at, column] != vectors[at, column]:
                found = 0
                for row in range(rows):
                    other, gap = sample[column, row], gaps[row]
                    if other != other or gap == np.inf:
                        continue
                    if found == nearest and gap >= near[found - 1]:
                        continue
                    place = found if found < nearest else nearest - 1
                    while place > 0 and near[place - 1] > gap:
                        near[place], values[place] = near[place - 1], values[place - 1]
                        place -= 1
                    near[place], values[place] = gap, other
                    found = min(found + 1, nearest)
                total = 0.0
                for place in range(found):
                    total += values[place]
                vectors[at, column] = total / found if found else usual[column]
