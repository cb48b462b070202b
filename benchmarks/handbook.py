"""The Fraud Detection Handbook's own baselines, made again from its 15 published features.

    python -m benchmarks.handbook FOLDER

A test of our evaluation: with the book's features, models and protocol (four test weeks, seven days
learnt from, seven days of delay, cards known to be compromised left out) our folds and measures
must give the book's published rows.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.sets import handbook
from scoring.engine import evaluation
from scoring.engine.evaluation_cards import looked_at
from scoring.engine.folds import DAY, fold

Floats = NDArray[np.float64]
PER_DAY = 100
WINDOWS = (1, 7, 30)  # days
TOLERANCE = 0.002


@dataclass(frozen=True)
class Row:
    """Means over the four weeks: area under the ROC curve, average precision, card precision."""

    auc: float
    ap: float
    cards: float

    def near(self, other: "Row") -> bool:
        gaps = (self.auc - other.auc, self.ap - other.ap, self.cards - other.cards)
        return all(abs(gap) <= TOLERANCE for gap in gaps)


PUBLISHED = {"logistic": Row(0.868, 0.623, 0.297), "forest": Row(0.870, 0.678, 0.299)}


def logistic() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=100, random_state=0)


def forest() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=100, max_depth=20, random_state=0, n_jobs=-1)


MODELS: dict[str, Callable[[], Any]] = {"logistic": logistic, "forest": forest}


def features(frame: pd.DataFrame) -> Floats:
    """The book's 15 features of every payment, in its order."""
    moments, amounts = frame["TX_DATETIME"], frame["TX_AMOUNT"].to_numpy()
    times = moments.astype("datetime64[us]").to_numpy().astype(np.int64)
    columns = [amounts, (moments.dt.day_of_week >= 5).to_numpy(), (moments.dt.hour <= 6).to_numpy()]
    customers = frame["CUSTOMER_ID"].to_numpy()
    for days in WINDOWS:
        count, total = windowed(customers, times, [np.ones(len(frame)), amounts], days)
        columns += [count, total / count]
    terminals, frauds = frame["TERMINAL_ID"].to_numpy(), frame["TX_FRAUD"].to_numpy(float)
    ones = [np.ones(len(frame)), frauds]
    late = windowed(terminals, times, ones, handbook.DELAY)
    for days in WINDOWS:
        all_of = windowed(terminals, times, ones, handbook.DELAY + days)
        count, fraud = (whole - young for whole, young in zip(all_of, late, strict=True))
        risk = np.divide(fraud, count, out=np.zeros(len(frame)), where=count > 0)
        columns += [count, risk]
    return np.column_stack(columns).astype(float)


def windowed(
    entities: NDArray[np.int64], times: NDArray[np.int64], values: list[Floats], days: int
) -> list[Floats]:
    """Sums of the values over the entity's payments of the last so many days, its own included."""
    order = np.lexsort((times, entities))
    span = times.max() - times.min() + (days + 1) * DAY
    line = entities[order] * span + (times[order] - times.min())
    first = np.searchsorted(line, line - days * DAY, side="right")
    own = np.searchsorted(entities[order], entities[order])  # where the entity begins
    first = np.maximum(first, own)
    sums = []
    for value in values:
        run = np.concatenate([[0.0], np.cumsum(value[order])])
        found = np.empty(len(order))
        found[order] = run[np.arange(1, len(order) + 1)] - run[first]
        sums.append(found)
    return sums


def reproduce(frame: pd.DataFrame, names: list[str], starts: list[int]) -> dict[str, Row]:
    """The means over the weeks that begin then, of each of these models."""
    from sklearn.preprocessing import StandardScaler

    vectors, outcomes = features(frame), handbook.outcomes_of(frame)
    found: dict[str, list[Row]] = {name: [] for name in names}
    for start in starts:
        week = fold(outcomes, handbook.PROTOCOL, start)
        scaler = StandardScaler().fit(vectors[week.train])
        learnt, tested = (scaler.transform(vectors[rows]) for rows in (week.train, week.test))
        for name in names:
            model = MODELS[name]().fit(learnt, week.labels)
            scores = model.predict_proba(tested)[:, 1]
            found[name].append(measured(outcomes, week.test, scores, start))
    return {name: Row(*np.mean([vars_of(row) for row in rows], 0)) for name, rows in found.items()}


def vars_of(row: Row) -> tuple[float, float, float]:
    return row.auc, row.ap, row.cards


def measured(outcomes: Any, test: NDArray[np.int64], scores: Floats, start: int) -> Row:
    labels = outcomes.labels[test]
    team = looked_at(
        outcomes.times[test], outcomes.users[test], labels, scores, per_day=PER_DAY, start=start
    )
    auc, ap = (measure(labels, scores) for measure in MEASURES)
    return Row(auc, ap, team.precision)


MEASURES = (evaluation.roc_auc, evaluation.average_precision)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path, help="where handbook.parquet lies")
    frame = handbook.read(asked.parse_args().folder)
    found = reproduce(frame, list(MODELS), handbook.starts())
    print("four test weeks          ROC-AUC      AP   CP@100   published")
    for name, row in found.items():
        theirs = PUBLISHED[name]
        word = "as published" if row.near(theirs) else f"DIFFERS by more than {TOLERANCE}"
        print(
            f"{name:<24} {row.auc:>7.3f} {row.ap:>7.3f} {row.cards:>8.3f}   "
            f"{theirs.auc:.3f} {theirs.ap:.3f} {theirs.cards:.3f}  {word}"
        )
    return not all(row.near(PUBLISHED[name]) for name, row in found.items())


if __name__ == "__main__":
    raise SystemExit(main())
