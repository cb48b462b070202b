"""The steps of a preparation: what each does to vectors, and how it comes back from its arrays.

A step looks at one column at a time, or at one row, so a row comes out the same bits alone or in a
batch. It keeps the width of the vectors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scoring.engine import neighbours

Floats = NDArray[np.float64]
KNOTS = 101  # of a quantile scaling: percentiles


class Fitted(Protocol):
    """One step; it changes the vectors it is given."""

    def apply(self, vectors: Floats) -> None: ...

    def arrays(self) -> dict[str, Floats]: ...


@dataclass(frozen=True)
class Fill:
    """Unknown values become these; where this is NaN too, they stay unknown."""

    values: Floats

    def apply(self, vectors: Floats) -> None:
        unknown = np.isnan(vectors)
        vectors[unknown] = np.broadcast_to(self.values, vectors.shape)[unknown]

    def arrays(self) -> dict[str, Floats]:
        return {"fill": self.values}


@dataclass(frozen=True)
class Similar:
    """Unknown values become the mean of what the nearest rows of a sample have there."""

    sample: Floats  # one row per column
    scale: Floats  # what a difference in the column is measured in
    usual: Floats  # where no row of the sample knows; NaN stays unknown
    wanted: Floats  # 1 for the columns that are filled

    def apply(self, vectors: Floats) -> None:
        rows = np.array(vectors)
        neighbours.fill(rows, self.sample, self.scale, self.usual, neighbours.NEAREST)
        filled = self.wanted == 1
        vectors[:, filled] = rows[:, filled]

    def arrays(self) -> dict[str, Floats]:
        return {
            "sample": self.sample,
            "scale": self.scale,
            "usual": self.usual,
            "wanted": self.wanted,
        }


@dataclass(frozen=True)
class Note:
    """Keeps what is unknown at this place; changes nothing."""

    noted: Floats  # 1 for the columns that are looked at

    def apply(self, vectors: Floats) -> None:
        """Nothing; `Preparation` asks for `flags` before the next step fills the gaps."""

    def flags(self, vectors: Floats) -> Floats:
        """1 where a noted column is unknown: one column for each of them."""
        return np.isnan(vectors[:, self.columns]).astype(np.float64)

    @property
    def columns(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.noted)

    def arrays(self) -> dict[str, Floats]:
        return {"noted": self.noted}


@dataclass(frozen=True)
class Shift:
    """`(value - centre) / scale`."""

    centre: Floats
    scale: Floats

    def apply(self, vectors: Floats) -> None:
        vectors -= self.centre
        vectors /= self.scale

    def arrays(self) -> dict[str, Floats]:
        return {"centre": self.centre, "scale": self.scale}


@dataclass(frozen=True)
class Ranks:
    """A value becomes the share of the training rows below it, between percentiles in line."""

    knots: Floats  # one row per column, rising; NaN where nothing was known

    def apply(self, vectors: Floats) -> None:
        shares = np.linspace(0, 1, KNOTS)
        for number, knots in enumerate(self.knots):
            if not np.isnan(knots[0]):
                vectors[:, number] = np.interp(vectors[:, number], knots, shares)

    def arrays(self) -> dict[str, Floats]:
        return {"knots": self.knots}


def width(step: Fitted) -> int:
    """How many columns the vectors have that it was fitted on."""
    return len(next(iter(step.arrays().values())))


def restored(arrays: Mapping[str, NDArray[np.generic]]) -> Fitted:
    """The step these arrays were of; ValueError if they are of none."""
    made = {name: np.ascontiguousarray(values, np.float64) for name, values in arrays.items()}
    kind = set(made)
    if kind == {"fill"} and made["fill"].ndim == 1:
        return Fill(made["fill"])
    if kind == {"noted"} and _marks(made["noted"]):
        return Note(made["noted"])
    if kind == {"sample", "scale", "usual", "wanted"} and _sample(**made):
        return Similar(**made)
    if kind == {"centre", "scale"} and _whole(made["centre"], made["scale"]):
        return Shift(made["centre"], made["scale"])
    if kind == {"knots"} and _rising(made["knots"]):
        return Ranks(made["knots"])
    raise ValueError("its preparation holds a step that this release does not know")


def _whole(centre: Floats, scale: Floats) -> bool:
    same = centre.ndim == 1 and centre.shape == scale.shape
    return same and bool(np.all(scale > 0) and np.all(np.isfinite(centre)))


def _marks(marks: Floats) -> bool:
    return marks.ndim == 1 and bool(np.all(np.isin(marks, (0, 1))))


def _sample(sample: Floats, scale: Floats, usual: Floats, wanted: Floats) -> bool:
    bounded = sample.ndim == 2 and 0 < sample.shape[1] <= neighbours.MOST_ROWS
    same = scale.shape == usual.shape == wanted.shape == sample.shape[:1] and _marks(wanted)
    return bounded and same and bool(np.all(scale > 0)) and not np.any(np.isinf(sample))


def _rising(knots: Floats) -> bool:
    return knots.shape[1:] == (KNOTS,) and not np.any(np.diff(knots, axis=1) < 0)
