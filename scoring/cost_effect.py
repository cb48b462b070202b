"""What a cost model means: which payments are worth a review, and the cheapest threshold."""

from dataclasses import dataclass
from typing import Any

from scoring import costs as figures
from scoring import operating, policies
from scoring.engine.costs import Bill, Costs
from scoring.models import ModelVersion
from scoring.operating import Point

AMOUNTS = (10.0, 50.0, 200.0, 1_000.0, 5_000.0)


@dataclass(frozen=True)
class Line:
    """A payment of this amount: what a fraud of it costs, and how sure one must be to look."""

    amount: float
    net_loss: float
    break_even: float | None
    before: float | None = None  # the same under the costs in force


@dataclass(frozen=True)
class Cheapest:
    """The champion's cheapest threshold on its held-out rows."""

    cut: float
    per_day: float | None
    total: float
    version: str


def lines(costs: Costs, before: Costs | None = None) -> list[Line]:
    """Amounts people know, each with the probability from which a review pays."""
    return [
        Line(
            amount,
            costs.net_loss(amount),
            costs.break_even(amount),
            before.break_even(amount) if before else None,
        )
        for amount in AMOUNTS
    ]


def cheapest(costs: Costs) -> Cheapest | None:
    """None: there is no champion, or it was trained without labels."""
    version = ModelVersion.objects.filter(state=ModelVersion.State.CHAMPION).first()
    if version is None:
        return None
    found = operating.cheapest(bills_of(version.metrics, costs))
    if found is None:
        return None
    at, bill = found
    return Cheapest(at.cut, at.per_day, bill.total, str(version))


def bills_of(metrics: dict[str, Any], costs: Costs | None = None) -> list[tuple[Point, Bill]]:
    """Every threshold of a version with what it costs; by the costs in force, if none are given."""
    found = operating.points(metrics)
    if not found:
        return []
    critical = float(policies.active().values["critical_above"])
    return operating.bills(found, critical, costs or figures.in_force())
