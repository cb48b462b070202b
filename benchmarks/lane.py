"""What the novelty lane gives and costs: one budget of cards a day, with a share for it or without.

    python -m benchmarks.lane FOLDER

On the arena, by the protocol of `benchmarks.detection`: once as it is, and once as if nobody had
ever reported card testing, neither to learn from nor in the features. The team looks at the users
with the highest scores, and with the rest of its day at those the lane ranks highest.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import BUDGET, SEED
from benchmarks.sets import Data, arena
from scoring.engine import evaluation_cards as cards
from scoring.engine import training as learning
from scoring.engine.features import compute
from scoring.engine.folds import DAY, Fold, fold
from scoring.engine.history import FOREVER, History

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
HIDDEN = 2  # card testing
TEAMS = (20, 60)  # cards a day
SHARES = (0.0, 0.05, 0.1, 0.2)


@dataclass(frozen=True)
class Scores:
    """Of the tested payments: by the model, and by the member that looks after the lane."""

    model: Floats
    lane: Floats


def scored(data: Data, hidden: int | None) -> tuple[Fold, Scores]:
    """Learnt and scored as the product does; the frauds of the hidden kind are never reported."""
    known = data.outcomes.known
    if hidden is not None:
        known = np.where(data.typology == hidden, FOREVER, known)
    week = fold(replace(data.outcomes, known=known), arena.PROTOCOL, data.day(arena.START))
    history = History.of(data.events, data.frauds(known))
    times = data.events["time"][week.train]
    vectors = compute(data.events[week.train], history)
    ensemble = learning.fit(vectors, week.labels, times, budget=BUDGET, seed=SEED).ensemble
    tested = compute(data.events[week.test], history)
    return week, Scores(ensemble.margin(tested), ensemble.margin(tested, novel=True))


def found_by(data: Data, week: Fold, scores: Scores, per_day: int, share: float) -> Mask:
    """The frauds a team finds that leaves this share of its cards to the lane."""
    labels, times, users = (
        column[week.test]
        for column in (data.outcomes.labels, data.outcomes.times, data.outcomes.users)
    )
    aside, days = round(per_day * share), (times - week.start) // DAY
    found, caught = np.zeros(len(times), bool), np.empty(0, np.int64)
    for day in np.unique(days):
        rows = np.flatnonzero(days == day)
        over = np.isin(users[rows], caught)
        found[rows[over & (labels[rows] == 1)]] = True
        rows = rows[~over]
        whom, place = np.unique(users[rows], return_inverse=True)
        chosen = _chosen(place, len(whom), scores, rows, per_day - aside, aside)
        found[rows] = np.isin(place, chosen) & (labels[rows] == 1)
        caught = np.concatenate([caught, users[rows[found[rows]]]])
    return found


def _chosen(
    place: NDArray[np.int64],
    users: int,
    scores: Scores,
    rows: NDArray[np.int64],
    by_model: int,
    aside: int,
) -> NDArray[np.int64]:
    """The users with the highest score, then those of the others whom the lane ranks highest."""
    highest, rarest = np.full((2, users), -np.inf)
    np.maximum.at(highest, place, scores.model[rows])
    np.maximum.at(rarest, place, scores.lane[rows])
    first = np.argsort(-highest, kind="stable")[:by_model]
    rarest[first] = -np.inf
    return np.concatenate([first, np.argsort(-rarest, kind="stable")[:aside]])


def lines(data: Data, week: Fold, scores: Scores) -> Iterator[str]:
    """One line for each team and share."""
    episode, new = data.episode[week.test], data.typology[week.test] == HIDDEN
    labels, amounts = data.outcomes.labels[week.test], data.amounts[week.test]
    for per_day in TEAMS:
        for share in SHARES:
            found = found_by(data, week, scores, per_day, share)
            figures = (
                cards.episode_recall(episode, found),
                cards.episode_recall(np.where(new, episode, -1), found),
                cards.value_recall(amounts, labels, found),
            )
            told = "".join(f"{figure:10.3f}" for figure in figures)
            yield f"{per_day:>6} cards a day, {share:>4.0%} to the lane{told}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    data = arena.load(parser.parse_args().folder)
    for title, hidden in (("every kind reported", None), ("card testing never reported", HIDDEN)):
        print(f"{title:<38}{'episodes':>10}{'card t.':>10}{'value':>10}", flush=True)
        for line in lines(data, *scored(data, hidden)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
