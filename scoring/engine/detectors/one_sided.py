"""One-sided tails: how rare a value as high as this, or higher, is in each feature; no labels.

A feature's tail is -log(share of training rows at or beyond the value), and 0 for an unknown value
or one on the harmless side of the median. Between the kept quantiles it follows straight lines;
beyond the last it grows with the logarithm of the excess, as a Pareto tail does, so extremes keep
their order. It is the one-sided member of the family of ECOD (Li et al., IEEE TKDE 2022).

The raw score is the weighted mean of the tails, each by the inverse root of its spread over the
training rows. Equal weights let the several amounts that say the same, half of them above their
median at any time, drown what seldom happens; the full inverse of the spread does the opposite.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scoring.engine.compiled import compiled
from scoring.engine.detectors.arrays import ANY, Arrays, Malformed, taken
from scoring.engine.detectors.base import Unlearnable
from scoring.engine.detectors.inputs import check_columns, sparse
from scoring.engine.features import FEATURES

Floats = NDArray[np.float64]
LARGEST = 1e280  # stands for an infinite value
LEAST_SPREAD = 0.05  # of a tail that next to no training row has


@dataclass(frozen=True)
class Settings:
    """Kept quantiles of the harmful half, and how many training rows the last has beyond it."""

    knots: int = 32
    least_beyond: int = 3


@dataclass(frozen=True)
class OneSided:
    """Per feature: values from the median outwards (times the side), and what each counts."""

    columns: NDArray[np.int64]
    side: Floats
    knots: Floats  # features × knots, not falling
    tails: Floats  # features × knots, not falling, 0 at the median
    steep: Floats  # of the last straight line
    weight: Floats  # in the mean; they add up to 1

    def raw(self, vectors: Floats) -> Floats:
        out = np.zeros(len(vectors))
        _mean(self._parts(vectors), self.weight, out)
        return out

    def contributions(self, vectors: Floats) -> tuple[float, Floats]:
        """Each feature's own tail times its weight; the base is 0."""
        out = np.zeros(vectors.shape)
        out[:, self.columns] = self._parts(vectors) * self.weight
        return 0.0, out

    def _parts(self, vectors: Floats) -> Floats:
        out = np.empty((len(vectors), len(self.columns)))
        rows = np.ascontiguousarray(vectors, np.float64)
        _tail(rows, self.columns, self.side, self.knots, self.tails, self.steep, out)
        return out

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        return {name: getattr(self, name) for name in ("columns", "knots", "tails", *EACH)}


EACH = ("side", "steep", "weight")


def restore(arrays: Arrays, features: int) -> OneSided:
    """The tails of the arrays it once gave; Malformed if they are not such."""
    columns = taken(arrays, "columns", np.int64, ANY).astype(np.int64)
    check_columns(columns, features)
    count = len(columns)
    each = {name: taken(arrays, name, np.float64, count).astype(np.float64) for name in EACH}
    knots = taken(arrays, "knots", np.float64, count, ANY).astype(np.float64)
    tails = taken(arrays, "tails", np.float64, count, knots.shape[1]).astype(np.float64)
    falling = np.any(np.diff(knots) < 0) or np.any(np.diff(tails) < 0) or knots.shape[1] < 2
    rising = all(np.all(each[name] > 0) for name in ("steep", "weight"))
    if falling or np.any(tails < 0) or not rising or not np.all(np.abs(each["side"]) == 1):
        raise Malformed("a tail does not rise, or a side or weight is none")
    return OneSided(columns=columns, knots=knots, tails=tails, **each)


def train(vectors: Floats, *, settings: Settings | None = None, seed: int = 7) -> OneSided:
    """The tails of every feature with a rarity that has values beyond its median."""
    settings = settings or Settings()
    found = [
        (column, float(feature.rarity), *learnt)
        for column, feature in enumerate(FEATURES)
        if feature.rarity
        and (learnt := _learnt(vectors[:, column] * feature.rarity, settings)) is not None
    ]
    if not found:
        raise Unlearnable("Every feature is constant: there is no tail a value could lie in.")
    columns, side, knots, tails, steep = (np.array(values) for values in zip(*found, strict=True))
    equal = np.full(len(columns), 1 / len(columns))
    made = OneSided(columns.astype(np.int64), side, knots, tails, steep, equal)
    spread = made._parts(sparse(vectors)).std(axis=0)
    weight = 1 / np.sqrt(np.maximum(spread, LEAST_SPREAD))
    return replace(made, weight=weight / weight.sum())


def _learnt(values: Floats, settings: Settings) -> tuple[Floats, Floats, float] | None:
    """Knots, tails and the last slope of one feature; None when nothing lies beyond its median."""
    known = np.sort(values[np.isfinite(values)])
    count = len(known)
    if not count or known[-1] == known[(count - 1) // 2]:
        return None
    least = min(max(settings.least_beyond / count, 1e-6), 0.25)
    shares = np.geomspace(0.5, least, settings.knots)
    places = np.minimum(np.floor((1 - shares) * count).astype(np.int64), count - 1)
    knots = known[places]
    knots[0] = known[(count - 1) // 2]
    if knots[-1] == knots[0]:  # so few lie beyond that every share missed them
        knots[-1] = known[-1]
    tails = -np.log((count - np.searchsorted(known, knots, side="left")) / count)
    tails[knots == knots[0]] = 0.0
    before = int(np.flatnonzero(knots < knots[-1])[-1])
    steep = (tails[-1] - tails[before]) / (knots[-1] - knots[before])
    return knots, tails, float(np.clip(steep, 1e-12, 1e12))


@compiled
def _tail(
    rows: Floats,
    columns: NDArray[np.int64],
    side: Floats,
    knots: Floats,
    tails: Floats,
    steep: Floats,
    out: Floats,
) -> None:
    last = knots.shape[1] - 1
    for at in range(rows.shape[0]):
        for number in range(columns.shape[0]):
            value = min(rows[at, columns[number]] * side[number], LARGEST)
            if not value > knots[number, 0]:  # an unknown value is never above
                out[at, number] = 0.0
                continue
            if value >= knots[number, last]:
                excess = np.log1p((value - knots[number, last]) * steep[number])
                out[at, number] = tails[number, last] + excess
                continue
            low, high = 0, last
            while high - low > 1:
                middle = (low + high) // 2
                if knots[number, middle] <= value:
                    low = middle
                else:
                    high = middle
            gap = knots[number, high] - knots[number, low]
            along = (value - knots[number, low]) / gap
            risen = tails[number, high] - tails[number, low]
            out[at, number] = tails[number, low] + along * risen


@compiled
def _mean(parts: Floats, weight: Floats, out: Floats) -> None:
    for at in range(parts.shape[0]):
        total = 0.0
        for number in range(parts.shape[1]):
            total += weight[number] * parts[at, number]
        out[at] = total
