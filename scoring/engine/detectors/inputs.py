"""The inputs of detectors that measure: chosen columns, each brought to one robust scale."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine.compiled import compiled
from scoring.engine.detectors.arrays import ANY, Arrays, Malformed, taken
from scoring.engine.detectors.base import Unlearnable
from scoring.engine.features import FEATURES

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
LIMIT = 8.0  # of a squashed value: about 3,000 quartile distances
MOST_ROWS = 200_000  # rows whose quartiles are taken; more move the third digit


@dataclass(frozen=True)
class Inputs:
    """Quartile distances from the training median, squashed to ±log(1 + distance), at most 8.

    An unknown value counts as the median, and so does one on the harmless side of a feature with a
    `side` (1 only above the median counts, -1 only below, 0 both).
    """

    columns: Indices
    centre: Floats
    scale: Floats
    side: Floats

    def __call__(self, vectors: Floats) -> Floats:
        """One row per vector, one column per input; the same bits alone and in a batch."""
        out = np.empty((len(vectors), len(self.columns)))
        rows = np.ascontiguousarray(vectors, np.float64)
        _squash(rows, self.columns, self.centre, self.scale, self.side, out)
        return out

    def unknown(self, vectors: Floats) -> Floats:
        """1 where an input was not known."""
        return np.isnan(vectors[:, self.columns]).astype(np.float64)

    def spread_out(self, parts: Floats, width: int) -> Floats:
        """Parts per input as parts per feature."""
        out = np.zeros((len(parts), width))
        out[:, self.columns] = parts
        return out

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What is kept in a bundle."""
        return {
            "columns": self.columns,
            "centre": self.centre,
            "scale": self.scale,
            "side": self.side,
        }

    @classmethod
    def restore(cls, arrays: Arrays, features: int) -> "Inputs":
        """The inputs of these arrays, or Malformed."""
        columns = taken(arrays, "columns", np.int64, ANY).astype(np.int64)
        count = len(columns)
        centre, scale, side = (
            taken(arrays, name, np.float64, count).astype(np.float64)
            for name in ("centre", "scale", "side")
        )
        check_columns(columns, features)
        if not np.all(scale > 0) or not np.all(np.isin(side, (-1, 0, 1))):
            raise Malformed("a scale or a side is none")
        return cls(columns, centre, scale, side)

    @classmethod
    def fitted(cls, vectors: Floats, *, rare_only: bool) -> "Inputs":
        """Inputs from the features that vary; those with a rarity alone, one-sided, if asked."""
        found = [
            (column, *spread, float(side))
            for column, side in _wanted(vectors.shape[1], rare_only)
            if (spread := _spread(sparse(vectors)[:, column])) is not None
        ]
        if not found:
            raise Unlearnable("Every feature is constant: there is nothing to tell rows apart by.")
        columns, centre, scale, side = (np.array(values) for values in zip(*found, strict=True))
        return cls(columns.astype(np.int64), centre, scale, side)


def sparse(vectors: Floats, most: int = MOST_ROWS) -> Floats:
    """At most so many rows, evenly spread over all."""
    return vectors[:: -(-len(vectors) // most)] if len(vectors) > most else vectors


def check_columns(columns: Indices, features: int) -> None:
    """Malformed unless these are different columns of vectors that wide."""
    rising = np.all(np.diff(columns) > 0)
    if not len(columns) or not rising or columns[0] < 0 or columns[-1] >= features:
        raise Malformed("a column lies outside or comes twice")


def _wanted(width: int, rare_only: bool) -> list[tuple[int, int]]:
    if not rare_only:
        return [(column, 0) for column in range(width)]
    return [(column, one.rarity) for column, one in enumerate(FEATURES) if one.rarity]


def _spread(values: Floats) -> tuple[float, float] | None:
    """Median and quartile distance; the standard deviation where most values are equal."""
    known = values[np.isfinite(values)]
    if not len(known) or known.min() == known.max():
        return None
    low, middle, high = np.quantile(known, (0.25, 0.5, 0.75))
    scale = high - low if high > low else np.std(known)
    usable = np.isfinite(scale) and scale > 0 and np.isfinite(middle)
    return (float(middle), float(scale)) if usable else None


@compiled
def _squash(
    rows: Floats, columns: Indices, centre: Floats, scale: Floats, side: Floats, out: Floats
) -> None:
    for at in range(rows.shape[0]):
        for number in range(columns.shape[0]):
            value = (rows[at, columns[number]] - centre[number]) / scale[number]
            if value != value or value * side[number] < 0:
                out[at, number] = 0.0
                continue
            size = min(np.log1p(abs(value)), LIMIT)
            out[at, number] = size if value > 0 else -size
