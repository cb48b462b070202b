"""Amounts against their category: how many spreads above what is usually paid there.

Three hundred are much for petrol and little for a flight. What a model reads in the place of the
amount's logarithm is (it - the median of its category) / the distance of the quartiles there, both
of the rows it learnt from; no label has a part in it. In a category of few rows, or one never met,
nothing is said.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine import lookup
from scoring.engine.register import column

Floats = NDArray[np.float64]
LEAST = 50  # rows of a category; fewer have no quartiles to speak of
BESIDE = 0.05  # added to each spread, five per cent of the amount: a fixed price has none
CATEGORY, AMOUNT = column("category"), column("amount_in_category")
PARTS = ("names", "middle", "spread")


@dataclass(frozen=True)
class Spreads:
    """The categories met often enough, rising, with the median and the spread of each."""

    names: Floats
    middle: Floats
    spread: Floats

    def apply(self, vectors: Floats) -> None:
        """Measure each amount by its category, which must still be a name."""
        if vectors.shape[1] > AMOUNT:
            lookup.measure(vectors, AMOUNT, CATEGORY, self.names, self.middle, self.spread)

    def arrays(self) -> dict[str, Floats]:
        """What is kept in a bundle."""
        return {name: getattr(self, name) for name in PARTS}


def unmeasured() -> Spreads:
    """Amounts nobody can compare."""
    return Spreads(np.empty(0), np.empty(0), np.empty(0))


def learnt(vectors: Floats) -> Spreads:
    """The medians and spreads of these rows, whatever their labels."""
    if vectors.shape[1] <= AMOUNT:
        return unmeasured()
    own, category = vectors[:, AMOUNT], vectors[:, CATEGORY]
    known = np.flatnonzero(np.isfinite(own) & np.isfinite(category))
    known = known[np.argsort(category[known], kind="stable")]
    names, first, rows = np.unique(category[known], return_index=True, return_counts=True)
    often = np.flatnonzero(rows >= LEAST)
    quarters = [
        np.quantile(own[known[first[n] : first[n] + rows[n]]], (0.25, 0.5, 0.75)) for n in often
    ]
    low, middle, high = np.array(quarters).reshape(-1, 3).T
    return Spreads(names[often], middle.copy(), high - low + BESIDE)


def restore(arrays: Mapping[str, Floats]) -> Spreads:
    """The spreads of the arrays they once gave; ValueError if they are not such."""
    if set(arrays) != set(PARTS):
        raise ValueError("its spreads of amounts are not whole")
    made = Spreads(**{name: arrays[name] for name in PARTS})
    flat = all(values.ndim == 1 and np.all(np.isfinite(values)) for values in arrays.values())
    if not flat or not len(made.names) == len(made.middle) == len(made.spread):
        raise ValueError("its spreads of amounts are of a wrong shape")
    if np.any(np.diff(made.names) <= 0) or np.any(made.spread <= 0):
        raise ValueError("its spreads of amounts do not rise or are none")
    return made
