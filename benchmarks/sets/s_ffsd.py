"""S-FFSD: payments between two parties at a place; most of them were never judged.

Its time counts rows, read as minutes; a fraud is known seven days later. What was never judged is
history, and neither learnt nor measured.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.sets import Data, events_of, keys
from scoring.engine.folds import DAY, Fold, Outcomes
from scoring.engine.history import FOREVER

TEST_SHARE = 0.4
SEED = 2  # of the published split
ORIGIN = pd.Timestamp("2024-01-01")


def load(folder: Path) -> Data:
    frame = pd.read_csv(folder / "s_ffsd.csv").sort_values("Time", kind="stable", ignore_index=True)
    events = events_of(ORIGIN + pd.to_timedelta(frame["Time"], unit="min"), frame["Amount"])
    names = {"user": "Source", "merchant": "Target", "place": "Location", "category": "Type"}
    for name, column in names.items():
        events[name] = keys(frame[column])
    labels = frame["Labels"].map({0: 0.0, 1: 1.0}).to_numpy()  # 2 is NaN
    known = np.where(np.isnan(labels), FOREVER, events["time"] + 7 * DAY)
    outcomes = Outcomes(events["time"], events["user"], labels, known)
    episode = np.where(labels == 1, events["user"], -1)
    raw = np.column_stack([frame["Amount"], *(keys(frame[name]) for name in names.values())])
    kinds = np.zeros(len(frame), np.int64)
    return Data("s_ffsd", events, outcomes, raw.astype(float), kinds, episode)


def random(data: Data) -> Fold:
    """The published split: judged rows at random, as many frauds in both parts."""
    from sklearn.model_selection import train_test_split

    labels = data.outcomes.labels
    judged = np.flatnonzero(~np.isnan(labels))
    train, test = train_test_split(
        judged, test_size=TEST_SHARE, stratify=labels[judged], random_state=SEED
    )
    return _fold(data, np.sort(train), np.sort(test))


def temporal(data: Data) -> Fold:
    """The first 60 % of the judged rows, and those that follow."""
    judged = np.flatnonzero(~np.isnan(data.outcomes.labels))
    border = round(len(judged) * (1 - TEST_SHARE))
    return _fold(data, judged[:border], judged[border:])


def untold(data: Data, fold: Fold) -> np.ndarray:
    """When each label is known, for features: those of tested rows that lie between learnt ones
    never, or a row would be learnt from what is asked of another.
    """
    known = data.outcomes.known.copy()
    known[fold.test] = FOREVER
    return known


def _fold(data: Data, train: np.ndarray, test: np.ndarray) -> Fold:
    times = data.events["time"]
    start, end = int(times[test[0]]), int(times[test[-1]]) + 1
    return Fold(start, end, train, data.outcomes.labels[train], None, test, 0)
