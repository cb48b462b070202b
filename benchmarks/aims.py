"""The figures to reach, and what a run reached of them.

Floors and goals are for two cores and 24 GiB with nothing else running.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

KEPT_IN = "BENCHMARKS_REACHED"  # names the file in which the parts of one run leave their figures


@dataclass(frozen=True)
class Aim:
    """A figure, the least (of a time: the most) it must be, and what is wanted."""

    what: str
    floor: float
    goal: float
    unit: str

    @property
    def is_time(self) -> bool:
        return self.goal < self.floor

    def verdict(self, figure: float) -> str:
        """How it stands to floor and goal, in words."""
        if figure <= self.goal if self.is_time else figure >= self.goal:
            return "goal reached"
        over = figure <= self.floor if self.is_time else figure >= self.floor
        return "floor reached" if over else "BELOW THE FLOOR"


AIMS = {
    "file": Aim("file → committed, scored", 15_000, 50_000, "rows/s"),
    "consume": Aim("Kafka → stored and scored", 5_000, 20_000, "msg/s"),
    "memory": Aim("features + default ensemble in memory", 50_000, 150_000, "rows/s"),
    "detect": Aim("POST /detect", 600, 1_000, "req/s"),
    "detect p99": Aim("POST /detect at 100 req/s, p99", 40, 15, "ms"),
    "one row": Aim("one row in process, warm history, p99", 10, 2, "ms"),
}


def reached(name: str, figure: float) -> None:
    """Print a figure beside its floor and goal, and keep it for the table of the whole run."""
    print(line(name, figure))
    if path := os.environ.get(KEPT_IN):
        with Path(path).open("a") as file:
            file.write(json.dumps([name, figure]) + "\n")


def line(name: str, figure: float) -> str:
    """One row of the table."""
    aim = AIMS[name]
    shown = f"{figure:,.0f}" if figure >= 100 else f"{figure:,.2f}"
    bounds = f"floor {aim.floor:,g}, goal {aim.goal:,g} {aim.unit}"
    return f"{aim.what:<40}{shown:>10} {aim.unit:<7}{bounds:<36}{aim.verdict(figure)}"


def table(path: Path) -> list[str]:
    """All that was kept in this file, in the order of AIMS; what is missing is said to be."""
    found = dict(json.loads(text) for text in path.read_text().splitlines())
    return [
        line(name, found[name]) if name in found else f"{aim.what:<40}{'not measured':>18}"
        for name, aim in AIMS.items()
    ]
