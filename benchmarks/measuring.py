"""One data set, one protocol: learnt and scored as the product does, then measured."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import seeds
from benchmarks.sets import Data
from scoring.engine import evaluation as measure
from scoring.engine import evaluation_cards as cards
from scoring.engine import training as learning
from scoring.engine.features import compute
from scoring.engine.folds import Fold, Protocol, fold
from scoring.engine.history import History

Floats = NDArray[np.float64]
Figures = dict[str, float]
BUDGET = 0.005  # the product's default
SEED = 7


@dataclass(frozen=True)
class Trial:
    """What is done with a data set: from when to when, and how many cards a day are looked at."""

    data: Data
    folds: list[Fold]
    per_day: int | None = None
    share: float | None = None  # else this share of payments is looked at

    @classmethod
    def of(cls, data: Data, protocol: Protocol, starts: Iterable[int], **how: Any) -> "Trial":
        return cls(data, [fold(data.outcomes, protocol, start) for start in starts], **how)


def product(trial: Trial, history: History, *, warm: bool = True) -> Figures:
    """Features, training and scoring of this product, averaged over the folds."""
    vectors, row = _vectors(trial, history)
    found = []
    for week in trial.folds:
        bundle = learning.fit(
            vectors[row[week.train]],
            week.labels if warm else None,
            trial.data.events["time"][week.train],
            budget=BUDGET,
            seed=SEED,
            known=week.known if warm else None,
        )
        scored = bundle.ensemble.score(vectors[row[week.test]])
        found.append(figures(trial, week, scored.margin, scored.probability))
    return averaged(found)


def _vectors(trial: Trial, history: History) -> tuple[Floats, NDArray[np.int64]]:
    """The vectors of all rows the folds need, and where each row's stands."""
    wanted = np.unique(np.concatenate([rows for one in trial.folds for rows in _both(one)]))
    place = np.full(len(trial.data.events), -1, np.int64)
    place[wanted] = np.arange(len(wanted))
    return compute(trial.data.events[wanted], history), place


def _both(one: Fold) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return one.train, one.test


def recipe(trial: Trial) -> dict[str, Figures]:
    """The seeds' rules and their isolation forest on the same rows."""
    broken = [
        figures(trial, week, seeds.rules(trial.data, week.test), None) for week in trial.folds
    ]
    forest = [
        figures(trial, week, seeds.forest(trial.data, week.train, week.test), None)
        for week in trial.folds
    ]
    return {"seeds: rules": averaged(broken), "seeds: IF 150/256, raw": averaged(forest)}


def figures(trial: Trial, week: Fold, scores: Floats, probability: Floats | None) -> Figures:
    """Everything the table shows, of one fold."""
    data, test = trial.data, week.test
    labels, times, users = (
        column[test] for column in (data.outcomes.labels, data.outcomes.times, data.outcomes.users)
    )
    found = ranked(labels, scores)
    if probability is not None:
        found["ece"] = measure.calibration_error(labels, probability)
        found["mean_p"] = float(probability.mean() / max(labels.mean(), 1e-12))
    if trial.per_day:
        team = cards.looked_at(
            times, users, labels, scores, per_day=trial.per_day, start=week.start
        )
        found |= {"cards": team.precision, "most": team.most}
        found |= _caught(data, test, labels, team.found)
    if trial.share:
        top = np.zeros(len(test), bool)
        top[np.argsort(-scores, kind="stable")[: round(len(test) * trial.share)]] = True
        found |= _caught(data, test, labels, top & (labels == 1))
    return found


def ranked(labels: Floats, scores: Floats) -> Figures:
    """What any score has, without users and days."""
    return {
        "rows": float(len(labels)),
        "frauds": float(labels.sum()),
        "auc": measure.roc_auc(labels, scores),
        "ap": measure.average_precision(labels, scores),
    }


def _caught(data: Data, test: Any, labels: Floats, caught: NDArray[np.bool_]) -> Figures:
    times, users = data.outcomes.times[test], data.outcomes.users[test]
    episode = data.episode[test]
    found = {
        "value": cards.value_recall(data.amounts[test], labels, caught),
        "episodes": cards.episode_recall(episode, caught),
        "first": cards.first_fraud_recall(times, episode, caught),
        "users": cards.user_recall(users, labels, caught),
    }
    typology = data.typology[test]
    kinds = np.unique(typology[labels == 1])
    if len(kinds) > 1:
        for kind in kinds:
            of = np.where(typology == kind, episode, -1)
            found[f"typology {kind}"] = cards.episode_recall(of, caught)
    return found


def averaged(found: list[Figures]) -> Figures:
    """The mean of each figure over the folds."""
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}
