"""A look at columns before anything is done to them: how much is unknown, how they lie, what fits.

What is proposed is the customary advice, with the numbers that speak for it: nobody has measured
yet whether a model is better off with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine.plan import Imputation, Scaling, Step

Floats = NDArray[np.float64]
OFTEN = 0.05  # of the rows: from here on, that a value is unknown may itself say something
SKEWED, VERY_SKEWED = 1.0, 5.0  # third standardised moment
FAR = 3.0  # quartile distances beyond the quartiles: Tukey's outer fences
MANY_OUTLIERS = 0.01


@dataclass(frozen=True)
class Profile:
    """One column over some rows."""

    name: str
    missing: float  # share of rows
    values: int  # different known ones
    skew: float
    outliers: float  # share of the known values beyond the outer fences

    @property
    def flag(self) -> bool:
        """Yes or no."""
        return self.values <= 2

    @property
    def crooked(self) -> bool:
        """A mean would say little of it."""
        return abs(self.skew) > SKEWED or self.outliers > MANY_OUTLIERS


@dataclass(frozen=True)
class Advice:
    """Columns that are alike, the step for them (none: leave them out), and why."""

    step: Step | None
    columns: tuple[str, ...]
    why: str


def profiles(vectors: Floats, names: Iterable[str]) -> list[Profile]:
    """One profile per column, in their order."""
    return [_profile(name, vectors[:, number]) for number, name in enumerate(names)]


def _profile(name: str, values: Floats) -> Profile:
    known = values[np.isfinite(values)]
    missing = 1 - len(known) / max(len(values), 1)
    if not len(known):
        return Profile(name, 1.0, 0, 0.0, 0.0)
    low, high = np.quantile(known, (0.25, 0.75))
    reach = FAR * (high - low)
    outside = (known < low - reach) | (known > high + reach)
    spread = known.std()
    skew = float(np.mean(((known - known.mean()) / spread) ** 3)) if spread > 0 else 0.0
    outliers = float(outside.mean()) if reach > 0 else 0.0
    return Profile(name, float(missing), len(np.unique(known)), skew, outliers)


def advised(found: list[Profile]) -> list[Advice]:
    """What to leave out, to fill and to scale, each group with its reason."""
    silent = [one for one in found if not one.values]
    same = [one for one in found if one.values == 1 and not one.missing]
    rest = [one for one in found if one not in silent and one not in same]
    parts = [
        _advice(None, silent, "never known in these rows"),
        _advice(None, same, "the same in all of these rows"),
        *(_filled(rest)),
        *(_scaled([one for one in rest if not one.flag])),
    ]
    return [part for part in parts if part is not None]


def _filled(rest: list[Profile]) -> list[Advice | None]:
    gaps = [one for one in rest if one.missing]
    made = []
    for often in (True, False):
        part = [one for one in gaps if (one.missing >= OFTEN) == often]
        keep = f"; unknown in {OFTEN:.0%} or more, so that is kept too" if often else ""
        flags = [one for one in part if one.flag]
        crooked = [one for one in part if not one.flag and one.crooked]
        even = [one for one in part if not one.flag and not one.crooked]
        for strategy, columns, words in (
            ("most_frequent", flags, "yes or no"),
            ("median", crooked, "skewed or with outliers: the mean would lie aside"),
            ("mean", even, "evenly spread"),
        ):
            step = Imputation(strategy, indicator=often)
            made.append(_advice(step, columns, f"{words}{keep}"))
    return made


def _scaled(rest: list[Profile]) -> list[Advice | None]:
    very = [one for one in rest if abs(one.skew) > VERY_SKEWED]
    far = [one for one in rest if one not in very and one.outliers > MANY_OUTLIERS]
    even = [one for one in rest if one not in very and one not in far]
    return [
        _advice(Scaling("quantile"), very, "so skewed that only the order says something"),
        _advice(Scaling("robust"), far, "outliers, which quartiles do not mind"),
        _advice(Scaling("standard"), even, "no outliers worth a word"),
    ]


def _advice(step: Step | None, group: list[Profile], words: str) -> Advice | None:
    if not group:
        return None
    return Advice(step, tuple(one.name for one in group), f"{words} ({_evidence(step, group)})")


def _evidence(step: Step | None, group: list[Profile]) -> str:
    unknown = _range([one.missing for one in group], "{:.1%}")
    if isinstance(step, Scaling):
        skew = _range([one.skew for one in group], "{:.1f}")
        outliers = _range([one.outliers for one in group], "{:.1%}")
        return f"skew {skew}, outliers {outliers}"
    if isinstance(step, Imputation) and step.strategy != "most_frequent":
        skew = _range([one.skew for one in group], "{:.1f}")
        return f"unknown {unknown}, skew {skew}"
    return f"unknown {unknown}"


def _range(values: list[float], how: str) -> str:
    low, high = how.format(min(values)), how.format(max(values))
    return low if low == high else f"{low} to {high}"
