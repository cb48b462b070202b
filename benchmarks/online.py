"""What going on learning is worth: a frozen model, updates of it, and models made anew.

    python -m benchmarks.online FOLDER [--share 0.33] [--ways frozen weekly …]

On the arena a model is trained the day before a new kind of fraud begins (card testing, day 54).
From then on each way meets the same days: each score is made by what that way had learnt by the
morning of its week or day, from labels that were known by then. A share of the users is taken, with
all their payments, and as large a share of the team's 60 cards a day.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.measuring import BUDGET, SEED
from benchmarks.sets import Data, arena
from scoring.engine import evaluation as measure
from scoring.engine import evaluation_cards as cards
from scoring.engine import training as learning
from scoring.engine import updating
from scoring.engine.bundle import Bundle
from scoring.engine.calibration import platt, probability
from scoring.engine.detectors.inputs import Inputs
from scoring.engine.features import compute
from scoring.engine.folds import DAY
from scoring.engine.history import History

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Score = Callable[[Floats], Floats]  # vectors to log-odds
FROZEN, END = 54, 120  # days
RECENT = 28  # days of matured rows that an update learns from
NEW = 2  # the typology that begins on the frozen day


@dataclass(frozen=True)
class World:
    """The payments of some users, their vectors, and what was known of them when."""

    data: Data
    rows: Rows
    vectors: Floats
    per_day: int

    @classmethod
    def of(cls, data: Data, share: float) -> "World":
        some = data.events["user"] % 100 < round(100 * share)
        rows = np.flatnonzero(some & (data.events["time"] >= data.day(10)))
        history = History.of(data.events, data.frauds())
        return cls(data, rows, compute(data.events[rows], history), round(60 * share))

    @property
    def times(self) -> Rows:
        found: Rows = self.data.events["time"][self.rows]
        return found

    def known(self, day: float, since: float = 0.0) -> tuple[Rows, Floats]:
        """Places of matured rows with an answer on that morning, and the answers."""
        moment, maturity = self.data.day(day), arena.MATURITY * DAY
        labels = self.data.outcomes.as_of(moment, maturity)[self.rows]
        old = (self.times < moment - maturity) & (self.times >= self.data.day(since))
        at = np.flatnonzero(old & ~np.isnan(labels))
        return at, labels[at]

    def lately(self, day: float) -> tuple[Rows, Floats]:
        """The same of the latest weeks alone."""
        return self.known(day, day - RECENT - arena.MATURITY)

    def between(self, day: float, until: float) -> Rows:
        return np.flatnonzero(
            (self.times >= self.data.day(day)) & (self.times < self.data.day(until))
        )


def fitted(world: World, day: float, since: float = 0.0) -> Bundle:
    """The product's default, made anew on that morning."""
    at, labels = world.known(day, since)
    return learning.fit(world.vectors[at], labels, world.times[at], budget=BUDGET, seed=SEED)


def margin_of(bundle: Bundle) -> Score:
    return lambda vectors: bundle.ensemble.score(vectors).margin


Step = tuple[float, Score, float]  # from which day on, what scores, and what it took in seconds


def frozen(world: World, bundle: Bundle, every: int) -> Iterator[Step]:
    """Nothing is learnt any more."""
    yield FROZEN, margin_of(bundle), 0.0


def retrained(world: World, bundle: Bundle, every: int) -> Iterator[Step]:
    """A new model each time, from all that is known."""
    yield FROZEN, margin_of(bundle), 0.0
    for day in range(FROZEN + every, END, every):
        since = time.perf_counter()
        yield day, margin_of(fitted(world, day)), time.perf_counter() - since


def updated(world: World, bundle: Bundle, every: int) -> Iterator[Step]:
    """New rounds from the latest weeks; an update that is refused leaves the one before."""
    yield FROZEN, margin_of(bundle), 0.0
    for day in range(FROZEN + every, END, every):
        since = time.perf_counter()
        at, labels = world.lately(day)
        with suppress(updating.Unchanged):
            bundle = updating.update(bundle, world.vectors[at], labels, world.times[at], seed=SEED)
        yield day, margin_of(bundle), time.perf_counter() - since


def recalibrated(world: World, bundle: Bundle, every: int) -> Iterator[Step]:
    """Level and slope alone, from the latest weeks."""
    score = margin_of(bundle)
    yield FROZEN, score, 0.0
    for day in range(FROZEN + every, END, every):
        since = time.perf_counter()
        at, labels = world.lately(day)
        straight = platt(score(world.vectors[at]), labels)
        yield day, partial(_after, score, straight), time.perf_counter() - since


def logistic(world: World, bundle: Bundle, every: int) -> Iterator[Step]:
    """A weighted sum of the log-odds and the features that have a rarity, learnt anew each time."""
    score = margin_of(bundle)
    yield FROZEN, score, 0.0
    inputs = Inputs.fitted(world.vectors[world.known(FROZEN)[0]], rare_only=True)
    columns = partial(_beside, score, inputs)
    for day in range(FROZEN + every, END, every):
        since = time.perf_counter()
        at, labels = world.lately(day)
        made = LogisticRegression(max_iter=500, C=0.1).fit(columns(world.vectors[at]), labels)
        yield day, partial(_after, columns, made.decision_function), time.perf_counter() - since


def _after(first: Score, then: Score, vectors: Floats) -> Floats:
    return then(first(vectors))


def _beside(score: Score, inputs: Inputs, vectors: Floats) -> Floats:
    return np.column_stack([score(vectors), inputs(vectors)])


WAYS: dict[str, tuple[str, Callable[[World, Bundle, int], Iterator[Step]], int]] = {
    "frozen": ("frozen", frozen, 7),
    "recalibrated": ("level and slope, weekly", recalibrated, 7),
    "logistic": ("logistic on log-odds and features, weekly", logistic, 7),
    "weekly": ("new rounds, weekly", updated, 7),
    "daily": ("new rounds, daily", updated, 1),
    "retrained": ("a new model, weekly", retrained, 7),
}


def met(world: World, steps: Iterator[Step]) -> tuple[Floats, float]:
    """The log-odds of each tested row by what was in force then, and seconds per change."""
    test = world.between(FROZEN, END)
    found, spent = np.full(len(world.rows), np.nan), []
    told = list(steps)
    for (day, score, seconds), (until, *_) in zip(told, [*told[1:], (END,)], strict=True):
        rows = world.between(day, until)
        found[rows] = score(world.vectors[rows])
        spent += [seconds] if seconds else []
    return found[test], float(np.mean(spent)) if spent else 0.0


def measured(world: World, margins: Floats) -> dict[str, float]:
    rows = world.rows[world.between(FROZEN, END)]
    data = world.data
    labels, times, users = (
        column[rows] for column in (data.outcomes.labels, data.outcomes.times, data.outcomes.users)
    )
    team = cards.looked_at(
        times, users, labels, margins, per_day=world.per_day, start=data.day(FROZEN)
    )
    episode, new = data.episode[rows], data.typology[rows] == NEW
    chance = probability(margins)
    return {
        "AP": measure.average_precision(labels, margins),
        "AP new": measure.average_precision(
            labels[new | (labels == 0)], margins[new | (labels == 0)]
        ),
        "AP old": measure.average_precision(labels[~new], margins[~new]),
        "cards": team.precision,
        "episodes": cards.episode_recall(episode, team.found),
        "new": cards.episode_recall(np.where(new, episode, -1), team.found),
        "ECE": measure.calibration_error(labels, chance),
        "p / base": float(chance.mean() / labels.mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--share", type=float, default=0.33, help="of the users")
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=list(WAYS))
    asked = parser.parse_args()
    world = World.of(arena.load(asked.folder), asked.share)
    compared(world, asked.ways)


def compared(world: World, ways: list[str]) -> None:
    """One line a way."""
    first = fitted(world, FROZEN)
    known = first.manifest
    print(f"learnt by day {FROZEN}: {known['rows']:,} rows, {known['frauds']} frauds", flush=True)
    headed = False
    for name in ways:
        title, way, every = WAYS[name]
        margins, seconds = met(world, way(world, first, every))
        found = measured(world, margins)
        if not headed:
            print(f"{'':<44}{''.join(f'{key:>9}' for key in found)}{'seconds':>9}")
            headed = True
        line = "".join(f"{value:9.4f}" for value in found.values())
        print(f"{title:<44}{line}{seconds:9.1f}", flush=True)


if __name__ == "__main__":
    main()
