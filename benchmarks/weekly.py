"""The weekly round over 1.75 million payments: features of all, one training, the week measured.

    python -m benchmarks.weekly FOLDER

The handbook's file in one process and one thread: known frauds and the features of every payment,
a model learnt from the week before last (seven days of delay), then the latest test week scored and
measured as a version's page shows it. Seconds of the processor are told beside those of the clock,
because neighbours take the clock's and not the processor's.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks.measuring import BUDGET, SEED, Trial, figures
from benchmarks.sets import Data, handbook
from scoring.engine import training as learning
from scoring.engine.features import compute
from scoring.engine.history import History
from scoring.engine.warming import compile_kernels

GOAL, FLOOR = 120, 240  # seconds of the processor
Made = TypeVar("Made")


class Clock:
    """Tells what each step took, and adds it up."""

    def __init__(self) -> None:
        self.processor = self.wall = 0.0

    def timed(self, what: str, do: Callable[[], Made]) -> Made:
        wall, processor = time.perf_counter(), time.process_time()
        made = do()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        self.wall, self.processor = self.wall + wall, self.processor + processor
        self.tell(what, processor, wall)
        return made

    @staticmethod
    def tell(what: str, processor: float, wall: float) -> None:
        print(f"{what:<44}{processor:>9.1f}{wall:>9.1f}", flush=True)


def of(data: Data) -> float:
    """Seconds of the processor for the whole round."""
    clock, outcomes = Clock(), data.outcomes
    history = clock.timed(
        "history and known frauds", lambda: History.of(data.events, data.frauds())
    )
    vectors = clock.timed(
        f"features of {len(data.events):,} payments", lambda: compute(data.events, history)
    )
    trial = Trial.of(data, handbook.PROTOCOL, handbook.starts()[-1:], per_day=100)
    week = trial.folds[0]
    bundle = clock.timed(
        f"learning from {len(week.train):,}, {int(week.labels.sum())} of them frauds",
        lambda: learning.fit(
            vectors[week.train],
            week.labels,
            outcomes.times[week.train],
            budget=BUDGET,
            seed=SEED,
            known=week.known,
        ),
    )
    scored = clock.timed(
        f"scoring the {len(week.test):,} of the week",
        lambda: bundle.ensemble.score(vectors[week.test]),
    )
    found = clock.timed(
        "measuring it", lambda: figures(trial, week, scored.margin, scored.probability)
    )
    clock.tell("together", clock.processor, clock.wall)
    print(f"AP {found['ap']:.3f}, goal {GOAL} s, floor {FLOOR} s")
    return clock.processor


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path, help="where handbook.parquet lies")
    data = handbook.load(asked.parse_args().folder)
    compile_kernels()  # compiling happens once for each machine
    print(f"{'seconds of':<44}{'processor':>9}{'clock':>9}")
    return of(data) > FLOOR


if __name__ == "__main__":
    raise SystemExit(main())
