"""A version at one threshold: what would be an alert, and how many of them were frauds."""

from dataclasses import dataclass
from typing import Any

from scoring.engine.costs import Bill, Costs, Counted, cost_of


@dataclass(frozen=True)
class Point:
    """The four counts of a threshold on the held-out rows; an alert scores strictly above it."""

    cut: float
    true: int  # frauds above
    false: int  # genuine rows above
    missed: int  # frauds at or below
    quiet: int  # genuine rows at or below
    money: float | None  # share of the stolen money above; None: nothing was stolen
    per_day: float | None  # alerts a day; None: the rows are of one moment
    caught: float = 0.0  # stolen money above
    stolen: float = 0.0  # and in all

    @property
    def alerts(self) -> int:
        return self.true + self.false

    @property
    def precision(self) -> float | None:
        return self.true / self.alerts if self.alerts else None

    @property
    def recall(self) -> float | None:
        return _share(self.true, self.true + self.missed)

    @property
    def false_alarms(self) -> float | None:
        """The share of genuine rows that would be alerts."""
        return _share(self.false, self.false + self.quiet)

    @property
    def share(self) -> float | None:
        """The share of all rows that would be alerts."""
        return _share(self.alerts, self.alerts + self.missed + self.quiet)

    @property
    def f1(self) -> float | None:
        return _share(2 * self.true, 2 * self.true + self.false + self.missed)


def points(metrics: dict[str, Any]) -> list[Point]:
    """Every threshold that was counted at the training; none for a version without labels."""
    kept = (metrics.get("curves") or {}).get("cuts")
    if not kept:
        return []
    days, stolen = kept["days"], kept["stolen"]
    rows = zip(kept["true"], kept["false"], kept["caught"], strict=True)
    return [
        Point(
            cut=step / kept["steps"],
            true=true,
            false=false,
            missed=kept["frauds"] - true,
            quiet=kept["genuine"] - false,
            money=caught / stolen if stolen else None,
            per_day=(true + false) / days if days else None,
            caught=caught,
            stolen=stolen,
        )
        for step, (true, false, caught) in enumerate(rows)
    ]


def bill(at: Point, blocked: int, costs: Costs) -> Bill:
    """What the held-out time costs with this threshold; so many genuine rows are blocked.

    Every fraud above it counts as stopped: the work and the friction buy that.
    """
    blocked = min(blocked, at.false)
    return cost_of(
        costs,
        Counted(
            alerts=at.alerts,
            held=at.false - blocked,
            blocked=blocked,
            missed=at.missed,
            missed_amount=at.stolen - at.caught,
            stopped=at.true,
            stopped_amount=at.caught,
        ),
    )


def bills(found: list[Point], critical: float, costs: Costs) -> list[tuple[Point, Bill]]:
    """Every threshold with its bill; above `critical` payments are blocked, below it held."""
    blocking = nearest(found, critical)
    blocked = blocking.false if blocking else 0
    return [(at, bill(at, blocked, costs)) for at in found]


def cheapest(found: list[tuple[Point, Bill]]) -> tuple[Point, Bill] | None:
    """The threshold with the lowest total; of several the highest, which asks least of people."""
    return min(found, key=lambda one: (one[1].total, -one[0].cut), default=None)


def nearest(found: list[Point], cut: float) -> Point | None:
    """The counted threshold next to the one that was asked for."""
    return min(found, key=lambda point: abs(point.cut - cut), default=None)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
