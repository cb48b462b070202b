"""The engine alone: rows per second and one row's latency, each beside the naive way.

python -m benchmarks.engine [--rows 100000]
"""

import argparse
import multiprocessing
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest

from benchmarks import aims
from scoring.engine.bundle import Bundle
from scoring.engine.decision import Policy
from scoring.engine.detectors import isolation_forest
from scoring.engine.explanation import explain
from scoring.engine.features import NAMES, compute
from scoring.engine.history import EVENT, History, Rows
from scoring.engine.scorer import Scorer
from scoring.engine.training import fit
from scoring.engine.transaction import UNITS, Defaults, parse

DAY = 86_400_000_000


def stream(count: int) -> Rows:
    """Sixty days of users with a few dozen transactions each; every fiftieth is a planted fraud."""
    random = np.random.default_rng(1)
    rows = np.zeros(count, EVENT)
    rows["id"] = np.arange(1, count + 1)
    rows["time"] = 9_000 * DAY + np.sort(random.integers(0, 60 * DAY, count))
    rows["user"] = random.integers(1, count // 60 + 2, count)
    for name, size in {
        "card": 2,
        "device": 3,
        "merchant": 40,
        "place": 4,
        "category": 8,
        "country": 2,
    }.items():
        rows[name] = rows["user"] * size + random.integers(0, size, count) + 1
    rows["units"] = (random.lognormal(3.5, 1, count) * UNITS).astype(np.int64)
    rows["lat"], rows["lon"] = random.uniform(-60, 60, count), random.uniform(-180, 180, count)
    rows["units"][::50] *= 8
    return rows


def seconds(work: Callable[[], object], repeats: int = 1) -> float:
    """The fastest of three rounds of so many repeats, per repeat."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(repeats):
            work()
        best = min(best, (time.perf_counter() - start) / repeats)
    return best


def told(what: str, own: float, naive: float | None, unit: str, how: str = "") -> None:
    beside = f"{naive:>14,.1f} {how} ({max(own / naive, naive / own):,.0f} ×)" if naive else ""
    print(f"{what:<44}{own:>14,.1f} {unit:<7}{beside}")


def pandas_windows(rows: Rows) -> None:
    """Three of our windows, by grouped rolling frames."""
    moments = pd.to_datetime(rows["time"] * 1_000, unit="ns")
    frame = pd.DataFrame({"user": rows["user"], "amount": rows["units"] / UNITS}, index=moments)
    grouped = frame.groupby("user")["amount"]
    for span in ("1h", "24h", "30D"):
        rolling = grouped.rolling(span)
        rolling.count(), rolling.sum(), rolling.std()


def of_one(rows: Rows, history: History) -> tuple[Rows, History]:
    """The last event and the past of its entities alone, as a request reads it."""
    last = rows[-1:]
    related = np.zeros(len(rows), bool)
    for entity in ("user", "card", "device"):
        related |= rows[entity] == last[entity]
    return last, History.of(rows[related])


def measure(
    name: str, bundle: Bundle, rows: Rows, history: History, one: Rows, past: History
) -> None:
    """Everything a bundle does, for all rows and for one."""
    scorer = Scorer(bundle, Policy())
    vector = scorer.score(one, past).vectors
    explain(bundle, vector)
    batch = len(rows) / seconds(lambda: scorer.score(rows, history))
    told(f"{name}: features, score, rules, verdicts", batch, None, "rows/s")
    alone = 1e6 * seconds(lambda: scorer.score(one, past), 300)
    told(f"{name}: all of it for one row", alone, None, "µs")
    told(f"{name}: one explanation", 1e6 * seconds(lambda: explain(bundle, vector), 20), None, "µs")


CHUNK = 5_000  # events, as a worker takes them
SECONDS = 5.0


def in_chunks(bundle: Bundle, rows: Rows, start: float) -> float:
    """Rows a second of one process: features, members, rules and verdicts, chunk by chunk.

    A chunk holds all payments of some users; their past lies in memory.
    """
    rows = rows[np.lexsort((rows["time"], rows["user"]))]
    parts = [rows[at : at + CHUNK] for at in range(0, len(rows), CHUNK)]
    pasts = [History.of(part) for part in parts]
    scorer, done = Scorer(bundle, Policy()), 0
    scorer.score(parts[0], pasts[0])
    time.sleep(max(0.0, start - time.time()))
    began = time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        for part, past in zip(parts, pasts, strict=True):
            scorer.score(part, past)
            done += len(part)
    return done / (time.perf_counter() - began)


def on_all_cores(bundle: Bundle, count: int) -> float:
    """The same, a process for each core, in all."""
    cores = os.cpu_count() or 1
    start = time.time() + 10.0  # by then each has made its payments
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        asked = [(bundle, stream(count), start) for _ in range(cores)]
        return sum(pool.starmap(in_chunks, asked))


def one_by_one(bundle: Bundle, rows: Rows) -> list[float]:
    """Milliseconds of scoring one payment at a time, each with its own past in memory; sorted."""
    scorer, spent = Scorer(bundle, Policy()), []
    by_user = rows[np.argsort(rows["user"], kind="stable")]
    for user in np.unique(rows["user"])[:300]:
        first, last = np.searchsorted(by_user["user"], (user, user + 1))
        own = by_user[first:last]  # cards, devices and merchants of `stream` have one user
        past = History.of(own)
        for at in range(max(0, len(own) - 4), len(own)):
            began = time.perf_counter()
            scorer.score(own[at : at + 1], past)
            spent.append(1e3 * (time.perf_counter() - began))
    return sorted(spent[8:])  # the first ones compile


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=100_000)
    count = asked.parse_args().rows
    rows = stream(count)
    history = History.of(rows)
    compute(rows[:1], history)  # compiled
    vectors = compute(rows, history)
    labels = (np.arange(count) % 50 == 0).astype(float)
    print(f"{count:,} rows; ours, and the naive way in the same run")

    features = count / seconds(lambda: compute(rows, history))
    told(
        f"{len(NAMES)} features",
        features,
        count / seconds(lambda: pandas_windows(rows)),
        "rows/s",
        "pandas, 9",
    )
    one, past = of_one(rows, history)
    told(
        f"{len(NAMES)} features of one row",
        1e6 * seconds(lambda: compute(one, past), 500),
        None,
        "µs",
    )

    times = rows["time"]
    for labelled, name in ((None, "cold"), (labels, "warm")):
        bundle = fit(vectors, labelled, times, budget=0.01)
        measure(name, bundle, rows, history, one, past)
    aims.reached("memory", on_all_cores(bundle, min(count, 50_000)))
    spent = one_by_one(bundle, rows)
    told("warm: one row after another, median", spent[len(spent) // 2], None, "ms")
    aims.reached("one row", spent[int(len(spent) * 0.99)])

    _, prepared, _ = isolation_forest.prepare(vectors)
    theirs = IsolationForest(n_estimators=150, max_samples=1024, random_state=7).fit(prepared)
    ours = isolation_forest.train(vectors)
    batch = count / seconds(lambda: ours.raw(vectors))
    naive = count / seconds(lambda: theirs.score_samples(prepared))
    told("isolation forest, batch", batch, naive, "rows/s", "sklearn")
    alone = 1e6 * seconds(lambda: ours.raw(vectors[:1]), 500)
    naive = 1e6 * seconds(lambda: theirs.score_samples(prepared[:1]), 20)
    told("isolation forest, one row", alone, naive, "µs", "sklearn")

    record = {"transaction_id": "t1", "user_id": "u1", "amount": "150.50", "merchant": "Cafe",
              "timestamp": "2026-01-14T15:00:00Z", "city": "Mumbai", "device_id": "d1"}  # fmt: skip
    defaults = Defaults("USD", "USD", "UTC", datetime.now(UTC))
    each = seconds(lambda: parse(record, defaults=defaults), 5_000)
    told("record to validated transaction", 1e6 * each, None, "µs")


if __name__ == "__main__":
    main()
