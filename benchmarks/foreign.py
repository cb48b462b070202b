"""The foreign files of `benchmarks.real`: how each is ordered, what is its truth, what tells it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class File:
    """One of the files: how it is ordered, what is the truth, and what tells it (never sent on)."""

    name: str
    path: str
    order: list[str]
    truth: Callable[[pd.DataFrame], "pd.Series[bool]"]
    episode: Callable[[pd.DataFrame], "pd.Series[Any]"]  # what belongs together, of its frauds
    telling: list[str]
    row_ids: bool = False  # ids are made from the row's number
    judged: Callable[[pd.DataFrame], "pd.Series[bool]"] | None = None  # empty: every row was
    id: tuple[str, ...] = ("transaction_id",)


def _same(column: str) -> Callable[[pd.DataFrame], "pd.Series[Any]"]:
    return lambda frame: frame[column]


def _day_of(user: str, moment: str) -> Callable[[pd.DataFrame], "pd.Series[Any]"]:
    """Where nobody says what belongs together: the frauds of one person on one day."""
    return lambda frame: frame[user].astype(str) + " " + frame[moment].astype(str).str[:10]


def _between_launderers(frame: pd.DataFrame) -> "pd.Series[bool]":
    return frame["sourceNodeId"].isin(_launderers) & frame["targetNodeId"].isin(_launderers)


def _scenario(frame: pd.DataFrame) -> "pd.Series[Any]":
    """One payment alone, all at a terminal that was taken over, or all of a customer who was."""
    names = ["TRANSACTION_ID", "TERMINAL_ID", "CUSTOMER_ID"]
    chosen = [
        frame[name].where(frame["TX_FRAUD_SCENARIO"] == at + 1) for at, name in enumerate(names)
    ]
    whom = chosen[0].fillna(chosen[1]).fillna(chosen[2])
    return frame["TX_FRAUD_SCENARIO"].astype(str) + " " + whom.astype(str)


_launderers: set[int] = set()
FILES = [
    File(
        "handbook",
        "handbook.parquet",
        ["TX_DATETIME"],
        lambda frame: frame["TX_FRAUD"] == 1,
        _scenario,
        ["TX_FRAUD", "TX_FRAUD_SCENARIO", "TX_TIME_SECONDS", "TX_TIME_DAYS"],
        id=("TRANSACTION_ID",),
    ),
    File(
        "arena",
        "arena.parquet",
        ["ts"],
        lambda frame: frame["is_fraud"] == 1,
        _same("episode"),
        ["is_fraud", "typology", "episode", "label_ts", "reported"],
    ),
    File(
        "sparkov",
        "sparkov.parquet",
        ["ts"],
        lambda frame: frame["is_fraud"] == 1,
        _day_of("acct_num", "ts"),
        ["is_fraud"],
        id=("trans_num", "acct_num"),
    ),
    File(
        "s_ffsd",
        "s_ffsd.csv",
        ["Time"],
        lambda frame: frame["Labels"] == 1,
        _same("Source"),
        ["Labels"],
        row_ids=True,
        judged=lambda frame: frame["Labels"] != 2,
    ),
    File(
        "ulb40",
        "ulb40.parquet",
        ["Unnamed: 0"],
        lambda frame: frame["label"] == 1,
        _same("Unnamed: 0.1"),
        ["label"],
        id=("Unnamed: 0.1",),
    ),
    File(
        "tabformer",
        "tabformer_user0.csv",
        ["Year", "Month", "Day", "Time"],
        lambda frame: frame["Is Fraud?"] == "Yes",
        lambda frame: frame["Year"].astype(str) + "-" + frame["Month"].astype(str),
        ["Is Fraud?"],
        row_ids=True,
    ),
    File(
        "amlsim",
        "amlsim/transactions.csv",
        ["time"],
        _between_launderers,
        _same("sourceNodeId"),
        [],
        row_ids=True,
    ),
]


def read(file: File, folder: Path) -> pd.DataFrame:
    """All of it in the order of time, with the truth in two columns of its own."""
    path = folder / file.path
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    if file.name == "amlsim":
        nodes = pd.read_csv(path.with_name("nodes.csv"))
        _launderers.update(nodes[nodes["isFraud"] == 1]["nodeid"])
    order = frame["Time"].str.zfill(5) if file.name == "tabformer" else None
    frame = frame.assign(Time=order) if order is not None else frame
    frame = frame.sort_values(file.order, kind="stable", ignore_index=True)
    return frame.assign(TRUTH=file.truth(frame), EPISODE=file.episode(frame))
