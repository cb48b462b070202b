"""Preparation: the steps of a plan fitted on the rows a model learns from, kept in its bundle.

Steps (`steps`) keep the width of the vectors; what was unknown before an imputation stands, where a
pipeline asks for it, in columns of 0 and 1 behind the features'. Members are trained with them, and
`folded` gives their contributions back to the features they speak of. Names, which have neither a
mean nor a spread, are left alone by every step; last of all they are read as `reading` says.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine import neighbours
from scoring.engine.features import NAMES, column
from scoring.engine.plan import Imputation, Plan, Scaling, Step
from scoring.engine.reading import PREFIXES, READ, Reading
from scoring.engine.reading import restore as reading_of
from scoring.engine.steps import KNOTS, Fill, Fitted, Note, Ranks, Shift, Similar, restored
from scoring.engine.steps import width as width_of

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Preparation:
    """What is done to vectors before any member sees them."""

    steps: tuple[Fitted, ...]
    reading: Reading | None = None  # without one names stay names

    def __call__(self, vectors: Floats) -> Floats:
        """Prepared copies. Columns that came into the register later pass untouched.

        Where there are notes, theirs stand in the place of such later columns.
        """
        out, flags = np.array(vectors, np.float64), []
        for step in self.steps:
            own = out[:, : width_of(step)]
            if isinstance(step, Note):
                flags.append(step.flags(own))
            step.apply(own)
        if self.reading is not None:
            self.reading.apply(out)
        return np.concatenate([out[:, : width_of(self.steps[0])], *flags], axis=1) if flags else out

    @property
    def noted(self) -> NDArray[np.int64]:
        """For each column behind the features', the feature whose absence it tells."""
        notes = [step.columns for step in self.steps if isinstance(step, Note)]
        return np.concatenate(notes) if notes else np.empty(0, np.int64)

    def folded(self, parts: Floats, width: int) -> Floats:
        """Contributions of prepared columns as contributions of `width` features; sums stay."""
        noted = self.noted
        if not len(noted):
            return parts
        out, own = np.zeros((len(parts), width)), parts.shape[1] - len(noted)
        out[:, :own] = parts[:, :own]
        for place, feature in enumerate(noted, own):
            out[:, feature] += parts[:, place]
        return out

    def arrays(self) -> Arrays:
        """What is kept in a bundle; names say the step's place and what it is."""
        kept: Arrays = {
            f"{place}_{name}": values
            for place, step in enumerate(self.steps)
            for name, values in step.arrays().items()
        }
        return kept if self.reading is None else kept | self.reading.arrays()

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[np.generic]], width: int) -> "Preparation":
        """ValueError unless these are steps for vectors of that width."""
        rest = {name: v for name, v in arrays.items() if not name.startswith(PREFIXES)}
        places = sorted({int(name.split("_")[0]) for name in rest})
        steps = [
            restored({n.split("_")[1]: rest[n] for n in rest if n.startswith(f"{place}_")})
            for place in places
        ]
        if any(len(values) != width for step in steps for values in step.arrays().values()):
            raise ValueError("its preparation is for vectors of another width")
        return cls(tuple(steps), reading_of(arrays, width))


def masked(plan: Plan, vectors: Floats) -> Floats:
    """The vectors with every column outside the plan unknown: no member can learn from it."""
    if len(plan.columns) == vectors.shape[1]:
        return vectors
    out = np.full(vectors.shape, np.nan)
    kept = [column(name) for name in plan.columns]
    out[:, kept] = vectors[:, kept]
    return out


def fit(plan: Plan, vectors: Floats) -> tuple[Preparation | None, Floats]:
    """The plan's steps fitted one after another, and the vectors as a member will see them."""
    out, flags = np.array(masked(plan, vectors)), []
    fitted: list[Fitted] = []
    for step in plan.steps:
        if isinstance(step, Imputation) and step.indicator:
            note = _note(step, out)
            flags.append(note.flags(out))
            fitted.append(note)
        fitted.append(_fitted(step, out))
        fitted[-1].apply(out)
    prepared = Preparation(tuple(fitted)) if fitted else None
    return prepared, np.concatenate([out, *flags], axis=1) if flags else out


def _note(step: Imputation, vectors: Floats) -> Note:
    """Of its columns that are known in some rows and unknown in others; the rest says nothing."""
    unknown = np.isnan(vectors)
    noted: Floats = np.array(unknown.any(axis=0) & ~unknown.all(axis=0), np.float64)
    return Note(noted * _wanted(step))


def _wanted(step: Step) -> Floats:
    """1 for the columns a step is for. Names have neither a mean nor a spread."""
    wanted = np.zeros(len(NAMES)) if step.columns else np.ones(len(NAMES))
    wanted[[column(name) for name in step.columns]] = 1.0
    wanted[READ] = 0.0
    return wanted


def _fitted(step: Step, vectors: Floats) -> Fitted:
    every = [values[np.isfinite(values)] for values in vectors.T]
    wanted = _wanted(step)
    if isinstance(step, Imputation) and step.strategy == "knn":
        scale = np.array([_spread(Scaling("standard"), values)[1] for values in every])
        usual = np.array([_usual(step, values) for values in every])
        sample = neighbours.sampled(vectors)
        sample[READ] = np.nan  # no name is near another
        return Similar(sample, scale, usual, wanted)
    # A column of which nothing is known is left as it is by every step below.
    known = [values if asked else values[:0] for values, asked in zip(every, wanted, strict=True)]
    if isinstance(step, Imputation):
        return Fill(np.array([_usual(step, values) for values in known]))
    if step.method == "quantile":
        shares = np.linspace(0, 1, KNOTS)
        empty = np.full(KNOTS, np.nan)
        return Ranks(np.array([np.quantile(v, shares) if len(v) else empty for v in known]))
    pairs = np.array([_spread(step, values) for values in known])
    return Shift(pairs[:, 0].copy(), pairs[:, 1].copy())


def _usual(step: Imputation, known: Floats) -> float:
    if not len(known):
        return np.nan
    if step.strategy == "constant":
        return step.value
    if step.strategy == "most_frequent":
        values, counts = np.unique(known, return_counts=True)
        return float(values[np.argmax(counts)])  # the smallest of equally frequent ones
    return float(np.median(known) if step.strategy == "median" else known.mean())


def _spread(step: Scaling, known: Floats) -> tuple[float, float]:
    """Centre and scale; a column that is constant or unknown keeps its units."""
    if not len(known):
        return 0.0, 1.0
    if step.method == "standard":
        centre, scale = known.mean(), known.std()
    elif step.method == "robust":
        low, centre, high = np.quantile(known, (0.25, 0.5, 0.75))
        scale = high - low
    else:
        centre, scale = known.min(), known.max() - known.min()
    return float(centre), float(scale) if scale > 0 else 1.0
