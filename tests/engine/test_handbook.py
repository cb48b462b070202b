"""Our folds and measures give the rows the Fraud Detection Handbook has published."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import handbook, published
from benchmarks.sets import handbook as data

FOLDER = Path(os.environ.get("DETECTION_DATA", "") or "nowhere")


def invented(rows: int = 400) -> pd.DataFrame:
    """A few customers and terminals within seventy days."""
    random = np.random.default_rng(3)
    moments = np.sort(random.integers(0, 70 * 86_400, rows))
    return pd.DataFrame(
        {
            "TX_DATETIME": pd.Timestamp("2018-04-01") + pd.to_timedelta(moments, unit="s"),
            "CUSTOMER_ID": random.integers(0, 6, rows),
            "TERMINAL_ID": random.integers(0, 4, rows),
            "TX_AMOUNT": random.uniform(1, 100, rows).round(2),
            "TX_FRAUD": (random.random(rows) < 0.2).astype(int),
        }
    )


def rolled(frame: pd.DataFrame, entity: str, column: str, days: int) -> np.ndarray:
    """The same sum as pandas makes it."""
    found = np.empty(len(frame))
    for _, rows in frame.groupby(entity):
        series = pd.Series(rows[column].to_numpy(float), index=rows["TX_DATETIME"])
        found[rows.index] = series.rolling(f"{days}D").sum()
    return found


@pytest.mark.parametrize("days", [1, 7, 30])
def test_windows_are_those_of_pandas(days):
    frame = invented()
    times = frame["TX_DATETIME"].astype("datetime64[us]").to_numpy().astype(np.int64)
    customers, amounts = frame["CUSTOMER_ID"].to_numpy(), frame["TX_AMOUNT"].to_numpy()
    (own,) = handbook.windowed(customers, times, [amounts], days)
    np.testing.assert_allclose(own, rolled(frame, "CUSTOMER_ID", "TX_AMOUNT", days))


def test_the_risk_of_a_terminal_is_that_of_a_week_ago():
    frame = invented()
    late, whole = (rolled(frame, "TERMINAL_ID", "TX_FRAUD", days) for days in (7, 14))
    counts = [rolled(frame.assign(ONE=1), "TERMINAL_ID", "ONE", days) for days in (7, 14)]
    count = counts[1] - counts[0]
    expected = np.divide(whole - late, count, out=np.zeros(len(frame)), where=count > 0)
    np.testing.assert_allclose(handbook.features(frame)[:, 12], expected)


def test_every_goal_is_of_a_protocol_with_published_rows():
    assert set(published.GOALS) >= {name for name, rows in published.PUBLISHED.items() if rows}
    assert published.PUBLISHED["handbook"]["published: random forest"]["ap"] == 0.678


@pytest.mark.skipif(
    not (FOLDER / "handbook.parquet").is_file(),
    reason="DETECTION_DATA names no folder with handbook.parquet",
)
def test_the_published_logistic_regression_is_reproduced():
    frame = data.read(FOLDER)
    needed = frame["TX_DATETIME"].between("2018-06-15", "2018-09-05")  # 37 days before the first
    found = handbook.reproduce(frame[needed].reset_index(), ["logistic"], data.starts())
    assert found["logistic"].near(handbook.PUBLISHED["logistic"]), found
