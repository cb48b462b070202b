"""What fraud and the work against it cost: one frozen set of figures and the sums over them.

A missed fraud costs its net loss; an alert costs the review; a genuine payment that is held or
blocked costs friction. The shape is that of example-dependent cost-sensitive fraud detection
(Correa Bahnsen, Aouada, Ottersten 2015): a miss costs its own amount, an alert a fixed sum.
All amounts are in the base currency.
"""

from dataclasses import asdict, dataclass, fields
from math import isfinite

from scoring.engine.decision import DENY, NOVELTY, RAISING, Level

MOST_AMOUNT = 1e9
# Codes that ask for a person by themselves: the model's probability is not all that speaks there.
OF_THEMSELVES = RAISING | {DENY, NOVELTY}


@dataclass(frozen=True)
class Costs:
    """The figures in force. Shares are 0 to 1; `sure_*` say how sure a level alone makes one."""

    loss_share: float = 1.0
    recovery: float = 0.0
    missed_fee: float = 20.0
    review_cost: float = 5.0
    friction_review: float = 2.0
    friction_block: float = 20.0
    sure_critical: float = 0.5
    sure_high: float = 0.2
    sure_below: float = 0.05

    def as_dict(self) -> dict[str, float]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, float]) -> "Costs":
        """What is stored, also by an earlier release that knew fewer of them."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: float(value) for name, value in values.items() if name in known})

    def net_loss(self, amount: float) -> float:
        """What a fraud of this amount costs when nobody stops it."""
        return amount * self.loss_share * (1 - self.recovery) + self.missed_fee

    def expected_loss(self, amount: float, probability: float) -> float:
        """The net loss × how sure it is a fraud; unknown is as good as sure."""
        return self.net_loss(amount) * (probability if isfinite(probability) else 1.0)

    def sure(self, level: str) -> tuple[float, float]:
        """How sure a level makes one that it is a fraud, from its lowest score to its highest."""
        match level:
            case Level.CRITICAL:
                return self.sure_critical, 1.0
            case Level.HIGH:
                return self.sure_high, self.sure_critical
        return 0.0, max(self.sure_below, 0.0)

    def break_even(self, amount: float) -> float | None:
        """The probability from which reviewing a payment of this amount pays; None: never.

        There the expected saving equals the review and the expected friction:
        p × net loss = review + (1 − p) × friction.
        """
        gained = self.net_loss(amount) + self.friction_review
        return (self.review_cost + self.friction_review) / gained if gained > 0 else None


def confidence(
    costs: Costs, *, level: str, score: float, probability: float | None, codes: list[str]
) -> float:
    """How sure one is that a raised payment is a fraud, 0 to 1.

    The calibrated probability where there is one. Without it the level says, higher scores more;
    where a rule, a list or the novelty lane asked for a person, it is at least what the level
    says. Without a score the whole is at risk: 1.
    """
    if not isfinite(score):
        return 1.0
    low, high = costs.sure(level)
    by_level = low + (high - low) * min(max(score, 0.0), 1.0)
    if probability is None or not isfinite(probability):
        return by_level
    return max(probability, by_level) if OF_THEMSELVES & set(codes) else probability


@dataclass(frozen=True)
class Counted:
    """What happened, or would have, at some threshold or in some time."""

    alerts: int = 0  # payments that people looked at
    held: int = 0  # genuine payments held for them
    blocked: int = 0  # genuine payments blocked
    missed: int = 0  # frauds that passed
    missed_amount: float = 0.0
    stopped: int = 0  # frauds that were stopped
    stopped_amount: float = 0.0


@dataclass(frozen=True)
class Bill:
    """The sums. `prevented` is what was saved; the other four are what it cost."""

    prevented: float
    missed: float
    review: float
    friction: float

    @property
    def total(self) -> float:
        """What fraud and the work against it cost together."""
        return self.missed + self.review + self.friction

    @property
    def saved(self) -> float:
        """Against doing nothing: what was prevented, less the work and the friction."""
        return self.prevented - self.review - self.friction


def cost_of(costs: Costs, counted: Counted) -> Bill:
    """Counts and amounts as money, under these costs."""
    share = costs.loss_share * (1 - costs.recovery)
    return Bill(
        prevented=counted.stopped_amount * share + counted.stopped * costs.missed_fee,
        missed=counted.missed_amount * share + counted.missed * costs.missed_fee,
        review=counted.alerts * costs.review_cost,
        friction=counted.held * costs.friction_review + counted.blocked * costs.friction_block,
    )


def wrong(costs: Costs) -> dict[str, str]:
    """What makes no sense in them, by name; empty if they may be put into force."""
    found: dict[str, str] = {}
    for name in ("loss_share", "recovery", "sure_critical", "sure_high", "sure_below"):
        if not 0 <= getattr(costs, name) <= 1:
            found[name] = "A share is from 0 to 1."
    for name in ("missed_fee", "review_cost", "friction_review", "friction_block"):
        if not 0 <= getattr(costs, name) <= MOST_AMOUNT:
            found[name] = "An amount is from 0 to a thousand millions."
    if not found and costs.loss_share * (1 - costs.recovery) == 0 and costs.missed_fee == 0:
        found["loss_share"] = "With these a fraud costs nothing, and no order can be made by it."
    if not found and not costs.sure_below <= costs.sure_high <= costs.sure_critical:
        found["sure_high"] = "A higher level must not be less sure than a lower one."
    return found
