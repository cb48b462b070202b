"""How well frauds are found on public data, beside what was published and the seeds' own recipe.

    python -m benchmarks.detection FOLDER [--only handbook arena …]

Each data set becomes events, goes through features, training and scoring of the engine with the
product's default settings, the same for all, and is measured by its published protocol. Nothing is
tuned to a file. `docs/detection.md` tells the protocols and what was reached.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks import seeds
from benchmarks.measuring import Figures, Trial, product, ranked, recipe
from benchmarks.published import AT_MOST, GOALS, LEAK, PUBLISHED
from benchmarks.sets import arena, handbook, s_ffsd, sparkov, ulb
from scoring.engine.folds import DAY
from scoring.engine.history import History

COLUMNS = {
    "auc": "ROC-AUC",
    "ap": "AP",
    "cards": "CP@k",
    "value": "value",
    "episodes": "episodes",
    "first": "first",
    "users": "users",
    "ece": "ECE",
    "mean_p": "p/base",
}
Told = tuple[str, str, Figures]  # the goal's name, what was done, what came out


def of_handbook(folder: Path) -> Iterator[Told]:
    """Four test weeks; 100 cards a day."""
    data = handbook.load(folder)
    trial = Trial.of(data, handbook.PROTOCOL, handbook.starts(), per_day=100)
    for name, found in recipe(trial).items():
        yield "handbook", name, found
    yield "handbook", "this product", product(trial, History.of(data.events, data.frauds()))
    yield "handbook cold", "no label", product(trial, History.of(data.events), warm=False)
    soon = np.minimum(data.outcomes.known, data.outcomes.times + DAY)
    soon = np.where(data.outcomes.labels == 1, soon, data.outcomes.known)
    early = History.of(data.events, data.frauds(soon))
    yield "handbook 1 day", "verdicts in features a day later", product(trial, early)


def of_arena(folder: Path) -> Iterator[Told]:
    """Learnt once, then thirty days with 60 cards a day."""
    data = arena.load(folder)
    trial = Trial.of(data, arena.PROTOCOL, [data.day(arena.START)], per_day=arena.PER_DAY)
    for name, found in recipe(trial).items():
        yield "arena", name, found
    yield "arena", "this product", product(trial, History.of(data.events, data.frauds()))
    yield "arena cold", "no label", product(trial, History.of(data.events), warm=False)


def of_sparkov(folder: Path) -> Iterator[Told]:
    """Learnt once from 17 months, then six months; half a percent of payments is raised."""
    data = sparkov.load(folder)
    trial = Trial.of(data, sparkov.PROTOCOL, [data.day(sparkov.START)], share=sparkov.SHARE)
    for name, found in recipe(trial).items():
        yield "sparkov", name, found
    yield "sparkov", "this product", product(trial, History.of(data.events, data.frauds()))
    yield "sparkov cold", "no label", product(trial, History.of(data.events), warm=False)


def of_s_ffsd(folder: Path) -> Iterator[Told]:
    """The published random split, and the first 60 % against the rest."""
    data = s_ffsd.load(folder)
    drawn = s_ffsd.random(data)
    known = {"random": s_ffsd.untold(data, drawn), "temporal": data.outcomes.known}
    for name, split in {"random": drawn, "temporal": s_ffsd.temporal(data)}.items():
        trial = Trial(data, [split])
        for title, found in recipe(trial).items():
            yield f"s_ffsd {name}", title, found
        history = History.of(data.events, data.frauds(known[name]))
        yield f"s_ffsd {name}", "this product", product(trial, history)


def of_ulb(folder: Path) -> Iterator[Told]:
    """No label, no person, no time: the detector of tails on columns nobody can read."""
    columns, labels = ulb.load(folder)
    naive = seeds.isolated(columns, columns)
    yield "ulb40 cold", "seeds: IF 150/256, raw", ranked(labels, naive)
    yield "ulb40 cold", "one-sided tails, no label", ranked(labels, ulb.tails(columns))


SETS: dict[str, Callable[[Path], Iterator[Told]]] = {
    "handbook": of_handbook,
    "arena": of_arena,
    "sparkov": of_sparkov,
    "s_ffsd": of_s_ffsd,
    "ulb40": of_ulb,
}


def told(goal: str, name: str, found: Figures, seconds: float | None = None) -> None:
    """One line of figures, and how long they took."""
    line = "".join(f"{_cell(found.get(key)):>9}" for key in COLUMNS)
    took = "" if seconds is None else f"{seconds:>7.0f} s"
    print(f"{goal:<16}{name:<38}{line}{took}", flush=True)
    kinds = [f"{key[9:]} {value:.2f}" for key, value in found.items() if key[:9] == "typology "]
    if kinds:
        print(f"{'':<16}{'  episodes by typology':<38} {', '.join(kinds)}")


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.5f}" if 0 < value < 0.01 else f"{value:.4f}"


def beside(goal: str, found: Figures) -> int:
    """The goal under the line it is for, and how many figures miss it."""
    wanted = GOALS.get(goal, {})
    if not wanted:
        return 0
    missed = [key for key, value in wanted.items() if not _reached(key, found, value)]
    line = "".join(f"{_cell(wanted.get(key)):>9}" for key in COLUMNS)
    print(f"{'':<16}{'  goal':<38}{line}  {'missed: ' + ', '.join(missed) if missed else 'met'}")
    if found["ap"] > LEAK.get(goal, 1.0):
        print(f"{'':<16}  above {LEAK[goal]}: check for a leak")
    return len(missed)


def _reached(key: str, found: Figures, wanted: float) -> bool:
    value = round(found.get(key, float("nan")), 4)
    return value <= wanted if key in AT_MOST else value >= wanted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=list(SETS), choices=list(SETS))
    asked = parser.parse_args()
    print(f"{'':<54}{''.join(f'{title:>9}' for title in COLUMNS.values())}")
    missed = 0
    for name in asked.only:
        since, shown = time.perf_counter(), set()
        for goal, what, found in SETS[name](asked.folder):
            if goal not in shown:
                for title, theirs in PUBLISHED.get(goal, {}).items():
                    told(goal, title, theirs)
                shown.add(goal)
            told(goal, what, found, time.perf_counter() - since)
            missed += 0 if what.startswith("seeds") else beside(goal, found)
            since = time.perf_counter()
    print(f"\n{missed} goals missed" if missed else "\nevery goal is met")


if __name__ == "__main__":
    main()
