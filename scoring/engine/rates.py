"""Names as numbers that mean something: how common frauds were there when the model learnt.

A category is a name; its number is neither more nor less than another's. What a model reads in its
place is log((frauds there + 2) / (frauds expected there + 2)), expected at the usual share of all
rows it learnt from: 0 is as elsewhere, above 0 more common. A name with too few rows to hold some
frauds at that share, or never met, counts as usual, so that no row is known by its own label.
Without labels, or where no name has rows enough, every name is unknown. After Micci-Barreca, "A
preprocessing scheme for high-cardinality categorical attributes" (SIGKDD Explorations 3, 2001).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine import lookup
from scoring.engine.register import FEATURES

Floats = NDArray[np.float64]
LEAST = 5.0  # frauds expected in the rows of a name before it counts by itself
BESIDE = 2.0  # frauds added to those found and to those expected
NOTHING = np.empty(0), np.empty(0)
NOMINAL = [number for number, feature in enumerate(FEATURES) if feature.nominal]


@dataclass(frozen=True)
class Rates:
    """Of each nominal column the names met, rising, and what each is read as."""

    columns: tuple[int, ...]
    names: tuple[Floats, ...]
    values: tuple[Floats, ...]
    taught: bool  # else every name is unknown

    def apply(self, vectors: Floats) -> None:
        """Write in the place of each name what it is read as; unknown stays unknown."""
        for column, names, values in zip(self.columns, self.names, self.values, strict=True):
            if self.taught:
                lookup.rate(vectors, column, names, values)
            else:
                vectors[:, column] = np.nan

    def __call__(self, vectors: Floats) -> Floats:
        """A copy in which names are read."""
        out = np.array(vectors, np.float64)
        self.apply(out)
        return out

    def arrays(self) -> dict[str, Floats]:
        """What is kept in a bundle."""
        lengths = [len(names) for names in self.names]
        return {
            "columns": np.array(self.columns, np.float64),
            "lengths": np.array(lengths, np.float64),
            "names": np.concatenate([*self.names, np.empty(0)]),
            "values": np.concatenate([*self.values, np.empty(0)]),
            "taught": np.array([float(self.taught)]),
        }


def untaught(vectors: Floats) -> Rates:
    """Names nobody reads."""
    return learnt(vectors, None)


def learnt(vectors: Floats, labels: Floats | None) -> Rates:
    """The rates of rows whose label is 1 or 0; of none, where there is not both."""
    columns = tuple(column for column in NOMINAL if column < vectors.shape[1])
    known = np.empty(0, np.int64) if labels is None else np.flatnonzero(~np.isnan(labels))
    said = np.empty(0) if labels is None else labels[known]
    both = 0 < said.sum() < len(said)
    pairs = [_of(vectors[known, column], said) if both else NOTHING for column in columns]
    taught = any(len(names) for names, _ in pairs)
    return Rates(columns, tuple(n for n, _ in pairs), tuple(v for _, v in pairs), taught)


def _of(own: Floats, labels: Floats) -> tuple[Floats, Floats]:
    """The names with rows enough, and what they are read as."""
    named = ~np.isnan(own)
    names, place = np.unique(own[named], return_inverse=True)
    frauds = np.bincount(place, labels[named], len(names))
    expected = np.bincount(place, minlength=len(names)) * labels.mean()
    enough = expected >= LEAST
    values = np.log((frauds[enough] + BESIDE) / (expected[enough] + BESIDE))
    return names[enough], values


def restore(arrays: Mapping[str, Floats], width: int) -> Rates:
    """The rates of the arrays they once gave; ValueError if they are not such."""
    columns, lengths = (arrays[name].astype(np.int64) for name in ("columns", "lengths"))
    names, values, taught = (arrays[name] for name in ("names", "values", "taught"))
    flat = all(values.ndim == 1 and np.all(np.isfinite(values)) for values in arrays.values())
    if not flat or len(columns) != len(lengths) or np.any(lengths < 0) or len(taught) != 1:
        raise ValueError("its rates of names are of a wrong shape")
    inside = np.all((columns >= 0) & (columns < width)) and len(set(columns.tolist())) == len(
        columns
    )
    if not inside or len(names) != len(values) or lengths.sum() != len(names):
        raise ValueError("its rates of names are of other columns")
    ends = np.cumsum(lengths)[:-1]
    parts = tuple(np.split(names, ends)) if len(columns) else ()
    if any(np.any(np.diff(part) <= 0) for part in parts):
        raise ValueError("its rates of names do not rise")
    read = tuple(np.split(values, ends)) if len(columns) else ()
    return Rates(tuple(columns.tolist()), parts, read, bool(taught[0]))
