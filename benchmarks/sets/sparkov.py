"""Sparkov: 249 cards in the United States; a fraud is known thirty days later."""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.sets import Data, events_of, keys
from scoring.engine.evaluation_cards import episodes
from scoring.engine.folds import DAY, Outcomes, Protocol
from scoring.engine.history import FOREVER

DELAY, START, TEST = 30, 547, 184  # days: learnt from 0 to 516, tested 547 to 730
PROTOCOL = Protocol(window=None, maturity=DELAY, test=TEST, without_known=False)
SHARE = 0.005  # of payments raised


def load(folder: Path) -> Data:
    frame = pd.read_parquet(folder / "sparkov.parquet")
    frame = frame.sort_values("ts", kind="stable", ignore_index=True)
    events = events_of(frame["ts"], frame["amt"])
    names = {"user": "acct_num", "merchant": "merchant", "category": "category", "place": "city"}
    for name, column in names.items():
        events[name] = keys(frame[column])
    events["lat"], events["lon"] = frame["merch_lat"], frame["merch_long"]
    fraud = frame["is_fraud"].to_numpy() == 1
    known = np.where(fraud, events["time"] + DELAY * DAY, FOREVER)
    outcomes = Outcomes(events["time"], events["user"], fraud.astype(float), known)
    episode = episodes(events["time"], events["user"], outcomes.labels)
    return Data("sparkov", events, outcomes, raw(frame), np.zeros(len(frame), np.int64), episode)


def raw(frame: pd.DataFrame) -> np.ndarray:
    """The columns of the file as numbers."""
    texts = [keys(frame[name]) for name in ("category", "merchant", "state")]
    numbers = [frame[name] for name in ("amt", "merch_lat", "merch_long", "city_pop")]
    when = [frame["ts"].dt.hour, frame["ts"].dt.day_of_week]
    return np.column_stack([*numbers, *when, *texts]).astype(float)
