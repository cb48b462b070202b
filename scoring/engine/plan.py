"""What a model is to read and how it is prepared: columns of the register, steps in their order."""

from dataclasses import asdict, dataclass
from typing import Any

from scoring.engine.register import NAMES

IMPUTATIONS = ("mean", "median", "most_frequent", "constant", "knn")
SCALINGS = ("standard", "robust", "minmax", "quantile")
ENTITIES = {"user_id": "", "card_id": "card_", "device_id": "device_", "merchant_id": "merchant_"}
AGGREGATIONS = {
    "count": "transaction_count",
    "sum": "total_amount",
    "mean": "mean_amount",
    "std": "std_amount",
    "max": "max_amount",
}
WINDOWS = ("1m", "5m", "1h", "24h", "7d", "30d")


@dataclass(frozen=True)
class Imputation:
    """What an unknown value becomes: usual in its column, a constant, or as in similar rows.

    With an `indicator` the members also see that it was unknown.
    """

    strategy: str  # one of IMPUTATIONS
    value: float = 0.0  # of "constant"
    indicator: bool = False
    columns: tuple[str, ...] = ()  # empty: all


@dataclass(frozen=True)
class Scaling:
    """A column in units of its own spread: scikit-learn's four usual scalers."""

    method: str  # one of SCALINGS
    columns: tuple[str, ...] = ()  # empty: all


Step = Imputation | Scaling


@dataclass(frozen=True)
class Plan:
    """The columns a model learns from, in the order of the register, and what is done to them."""

    columns: tuple[str, ...] = NAMES
    steps: tuple[Step, ...] = ()

    @property
    def whole(self) -> bool:
        """Nothing is left out and nothing is changed."""
        return self.columns == NAMES and not self.steps

    def as_dict(self) -> dict[str, Any]:
        """As a bundle's manifest holds it."""
        kinds = {Imputation: "imputation", Scaling: "scaling"}
        steps = [{"type": kinds[type(step)], **asdict(step)} for step in self.steps]
        return {"columns": list(self.columns), "steps": steps}


def aggregate(entity_key: str, window: str, aggregation: str) -> str | None:
    """The feature that is this aggregation; None where the kernel computes none."""
    name = f"{ENTITIES[entity_key]}{AGGREGATIONS[aggregation]}_{window}"
    return name if name in NAMES else None


def aggregates() -> frozenset[str]:
    """Every feature that is one aggregation of one entity over one window."""
    every = (
        aggregate(entity, window, aggregation)
        for entity in ENTITIES
        for window in WINDOWS
        for aggregation in AGGREGATIONS
    )
    return frozenset(name for name in every if name)
