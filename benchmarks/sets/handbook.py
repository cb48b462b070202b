"""Fraud Detection Handbook: customers and terminals; a fraud is known seven days later."""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.sets import Data, events_of, microseconds
from scoring.engine.folds import DAY, Outcomes, Protocol
from scoring.engine.history import FOREVER

DELAY = 7  # days
WEEKS = ("2018-08-08", "2018-08-15", "2018-08-22", "2018-08-29")  # each test week's first day
PROTOCOL = Protocol(window=7, maturity=DELAY, test=7)


def read(folder: Path) -> pd.DataFrame:
    """The file in the order of time."""
    frame = pd.read_parquet(folder / "handbook.parquet")
    return frame.sort_values(["TX_DATETIME", "TRANSACTION_ID"], kind="stable", ignore_index=True)


def starts() -> list[int]:
    """The test weeks' beginnings, in microseconds since 2000."""
    return [int(start) for start in microseconds(pd.Series(pd.to_datetime(list(WEEKS))))]


def outcomes_of(frame: pd.DataFrame, delay: float = DELAY) -> Outcomes:
    """What became of the payments, every fraud known so many days after it happened."""
    times, fraud = microseconds(frame["TX_DATETIME"]), frame["TX_FRAUD"].to_numpy() == 1
    known = np.where(fraud, times + round(delay * DAY), FOREVER)
    return Outcomes(times, frame["CUSTOMER_ID"].to_numpy() + 1, fraud.astype(float), known)


def load(folder: Path, delay: float = DELAY) -> Data:
    frame = read(folder)
    events = events_of(frame["TX_DATETIME"], frame["TX_AMOUNT"])
    events["user"] = frame["CUSTOMER_ID"] + 1
    events["merchant"] = frame["TERMINAL_ID"] + 1
    outcomes = outcomes_of(frame, delay)
    scenario = frame["TX_FRAUD_SCENARIO"].to_numpy(np.int64)
    whom = np.select(
        [scenario == 1, scenario == 2, scenario == 3],
        [frame["TRANSACTION_ID"], frame["TERMINAL_ID"], frame["CUSTOMER_ID"]],
    )
    hour = frame["TX_DATETIME"].dt.hour
    raw = np.column_stack(
        [frame["TX_AMOUNT"], hour, frame["TX_DATETIME"].dt.day_of_week, frame["TERMINAL_ID"]]
    ).astype(float)
    episode = np.where(scenario > 0, scenario * 10**8 + whom, -1)
    return Data("handbook", events, outcomes, raw, scenario, episode)
