"""The decision table: from score, hits and circumstances to level, outcome and reason codes."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How risky, in the four words every page, metric and answer uses."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"


class Outcome(StrEnum):
    """What the payment system is told to do."""

    APPROVE = "APPROVE"
    REVIEW = "REVIEW"
    BLOCK = "BLOCK"


@dataclass(frozen=True)
class Hit:
    """One rule that fired: its code, a sentence for people, and the two values it compared."""

    code: str
    sentence: str
    observed: float
    limit: float


@dataclass(frozen=True)
class Policy:
    """Cut points and limits. A new version is a new row; every decision names the one it used."""

    low_below: float = 0.3
    high_above: float = 0.7
    critical_above: float = 0.9
    high_amount: float = 10_000.0  # HIGH_AMOUNT fires strictly above, base currency
    critical_amount: float = 10_000.0  # at or above, with score >= high_above: CRITICAL
    velocity_count: int = 3  # VELOCITY_MULTI_CITY: strictly more within a minute …
    velocity_cities: int = 2  # … in at least so many cities
    unusual_from: int = 2  # UNUSUAL_HOUR: from this hour …
    unusual_until: int = 5  # … until before this hour, entity-local
    high_risk_mcc: tuple[str, ...] = ("4829", "5967", "6051", "7995")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> "Policy":
        return cls(**{**settings, "high_risk_mcc": tuple(settings["high_risk_mcc"])})


@dataclass(frozen=True)
class Verdict:
    """What the decision table says."""

    level: Level
    outcome: Outcome
    reason_codes: list[str] = field(default_factory=list)
