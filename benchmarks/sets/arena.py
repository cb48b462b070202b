"""The arena: a simulated city of cards, seven ways of fraud, labels days later or never."""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.sets import Data, events_of, keys, microseconds
from scoring.engine.folds import Outcomes, Protocol
from scoring.engine.history import FOREVER
from scoring.engine.keys import country_number
from scoring.engine.names import channel_number

START, WINDOW, MATURITY, TEST = 90, 73, 7, 30  # days: learnt from 10 to 82, tested 90 to 119
PROTOCOL = Protocol(window=WINDOW, maturity=MATURITY, test=TEST, without_known=False)
PER_DAY = 60
TYPOLOGIES = (
    "",
    "stolen card",
    "card testing",
    "account takeover",
    "cloned card",
    "skimmed merchant",
    "bust-out merchant",
    "low and slow",
)
ONLINE = ("ecom", "web", "app", "online")


def load(folder: Path) -> Data:
    frame = pd.read_parquet(folder / "arena.parquet")
    frame = frame.sort_values(["ts", "transaction_id"], kind="stable", ignore_index=True)
    events = events_of(frame["ts"], frame["amount"])
    for name, column in {"user": "user_id", "merchant": "merchant_id", "place": "city"}.items():
        events[name] = keys(frame[column])
    events["category"] = events["mcc"] = frame["mcc"]
    events["device"] = np.where(frame["device_id"] > 0, frame["device_id"], 0)  # 0 is none
    events["lat"], events["lon"] = frame["lat"], frame["lon"]
    events["country"] = frame["country"].map(country_number)
    events["channel"] = frame["channel"].map(channel_number)
    events["online"] = frame["channel"].isin(ONLINE)
    fraud = frame["is_fraud"].to_numpy() == 1
    told = fraud & (frame["reported"].to_numpy() == 1)
    known = np.where(told, microseconds(frame["label_ts"]), FOREVER)
    outcomes = Outcomes(events["time"], events["user"], fraud.astype(float), known)
    episode = np.where(fraud, frame["episode"], -1)
    typology = frame["typology"].to_numpy(np.int64)
    return Data("arena", events, outcomes, raw(frame), typology, episode)


def raw(frame: pd.DataFrame) -> np.ndarray:
    """The columns of the file as numbers, as the seeds fed their forest."""
    texts = [keys(frame[name]) for name in ("channel", "city", "country", "ip_country")]
    return np.column_stack(
        [
            frame["amount"],
            frame["ts"].dt.hour,
            frame["ts"].dt.day_of_week,
            frame["mcc"],
            frame["lat"],
            frame["lon"],
            *texts,
        ]
    ).astype(float)
