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


ORDER = (Level.LOW, Level.MEDIUM, Level.HIGH, Level.CRITICAL)
# What each level tells the payment system. One table: no page, metric or answer has another.
OUTCOMES = {
    Level.LOW: Outcome.APPROVE,
    Level.MEDIUM: Outcome.APPROVE,
    Level.HIGH: Outcome.REVIEW,
    Level.CRITICAL: Outcome.BLOCK,
}
# Rules that want a person even when the model sees nothing. The others only give a reason.
RAISING = frozenset({"HIGH_AMOUNT", "VELOCITY_MULTI_CITY"})
DENY, ALLOW = "DENY_LIST", "ALLOW_LIST"  # what people said about somebody (lists.py)
NOVELTY = "NOVELTY"  # unlike anything seen (lane.py)
SCORE = "SCORE"  # no rule's code: the score alone asked for a look


def level_of(score: float, policy: Policy) -> Level:
    """The level of a score alone. HIGH and CRITICAL begin strictly above their cut points."""
    if score > policy.critical_above:
        return Level.CRITICAL
    if score > policy.high_above:
        return Level.HIGH
    return Level.LOW if score < policy.low_below else Level.MEDIUM


def decide(
    *, score: float | None, hits: list[Hit], amount: float, policy: Policy, degraded: str = ""
) -> Verdict:
    """The verdict of the table. `degraded` says why scoring is not whole; such a verdict is REVIEW.

    The deny list blocks, whatever else there is. No score (None or NaN) is degraded too: whatever
    fails, nothing is approved by the failure. Rules only ever raise a level; the allow list alone
    takes one back, from HIGH to MEDIUM, and only where a score and nothing else asked for it: the
    model's, or the novelty that lets a payment in by the lane.
    """
    codes = list(dict.fromkeys(hit.code for hit in hits))
    if DENY in codes:
        return Verdict(Level.CRITICAL, Outcome.BLOCK, codes)
    if score is None or score != score:
        return Verdict(Level.HIGH, Outcome.REVIEW, codes)
    level = level_of(score, policy)
    if score >= policy.high_above and amount >= policy.critical_amount:
        level = Level.CRITICAL
    elif (level in (Level.LOW, Level.MEDIUM) and not RAISING.isdisjoint(codes)) or (
        level in (Level.LOW, Level.MEDIUM) and NOVELTY in codes and ALLOW not in codes
    ):
        level = Level.HIGH
    elif level == Level.HIGH and ALLOW in codes and RAISING.isdisjoint(codes) and not degraded:
        level = Level.MEDIUM
    if degraded:
        return Verdict(level, Outcome.REVIEW, codes)
    return Verdict(level, OUTCOMES[level], codes)


def decide_each(
    scores: list[float],
    hits: list[list[Hit]],
    amounts: list[float],
    *,
    policy: Policy,
    degraded: str = "",
) -> list[Verdict]:
    """`decide` for many. Where nothing was hit, and no large amount asks, the score says it all.

    Those are nearly all of a file; one verdict per level is made once and shared by them.
    """
    found = []
    for score, fired, amount in zip(scores, hits, amounts, strict=True):
        large = amount >= policy.critical_amount
        if fired or large or degraded or score != score:
            found.append(
                decide(score=score, hits=fired, amount=amount, policy=policy, degraded=degraded)
            )
        else:
            found.append(UNHIT[level_of(score, policy)])
    return found


UNHIT = {level: Verdict(level, outcome) for level, outcome in OUTCOMES.items()}


def asked_for(codes: list[str], score: float, policy: Policy) -> frozenset[str]:
    """What of a verdict wanted a person: rules that raise by themselves, the novelty, the SCORE.

    Empty where nothing did, and where what did cannot be told: no score, or a list.
    """
    if score != score or DENY in codes:
        return frozenset()
    by_score = {SCORE} if score > policy.high_above else set()
    return frozenset(by_score | {code for code in codes if code in RAISING or code == NOVELTY})


def heeded(hits: list[Hit], score: float, policy: Policy) -> list[Hit]:
    """The hits that say something: an allowed one who would have been approved anyway is no news.

    Else every payment at an allowed merchant would carry a reason.
    """
    if not any(hit.code == ALLOW for hit in hits):
        return hits
    others = {hit.code for hit in hits} - {ALLOW}
    if score <= policy.high_above and others.isdisjoint(RAISING | {DENY, NOVELTY}):
        return [hit for hit in hits if hit.code != ALLOW]
    return hits
