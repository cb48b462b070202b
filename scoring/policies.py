"""Which cut points, limits and thresholds are in force."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from anomalyshield.audit.record import record
from scoring.engine.decision import OUTCOMES, Level, Policy
from scoring.engine.lists import LIST_RULES
from scoring.engine.rules import RULES
from scoring.models import DecisionPolicy

COUNTED = timedelta(days=7)
# Which of the policy's values each rule reads, and what they are called on the page.
THRESHOLDS = {
    "HIGH_AMOUNT": {"high_amount": "Fires strictly above"},
    "VELOCITY_MULTI_CITY": {
        "velocity_count": "Transactions within a minute, more than",
        "velocity_cities": "Cities among them, at least",
    },
    "UNUSUAL_HOUR": {"unusual_from": "From hour", "unusual_until": "Until before hour"},
    "HIGH_RISK_MCC": {"high_risk_mcc": "Merchant category codes"},
}
HITS = """
SELECT code, count(*) FROM scoring_transaction AS paid
JOIN scoring_decision AS decided ON decided.transaction_id = paid.id
CROSS JOIN unnest(decided.reason_codes) AS code
WHERE paid.event_time >= now() - %s
GROUP BY code
"""


def active() -> DecisionPolicy:
    """The policy in force. The first question of a new installation makes version 1."""
    return DecisionPolicy.objects.filter(active=True).first() or _first()


@dataclass(frozen=True)
class RuleInForce:
    """A rule as its page shows it."""

    code: str
    meaning: str
    raises: bool
    thresholds: list[tuple[str, Any]]
    hits: int


def rules(policy: DecisionPolicy) -> list[RuleInForce]:
    """Each rule of the register, its thresholds in force, its hits of the last seven days."""
    values, counts = Policy.from_dict(policy.values).as_dict(), _hits()
    return [
        RuleInForce(
            code=rule.code,
            meaning=rule.meaning.split("\n\n")[0],
            raises=rule.raises,
            thresholds=[
                (title, _shown(values[name]))
                for name, title in THRESHOLDS.get(rule.code, {}).items()
            ],
            hits=counts.get(rule.code, 0),
        )
        for rule in (*LIST_RULES, *RULES)
    ]


def cuts(policy: DecisionPolicy) -> list[tuple[str, str, str]]:
    """The decision table as rows: risk score, level, outcome."""
    values = Policy.from_dict(policy.values)
    low, high, critical = values.low_below, values.high_above, values.critical_above
    bounds = {
        Level.LOW: f"below {low:g}",
        Level.MEDIUM: f"{low:g} to {high:g}",
        Level.HIGH: f"above {high:g}",
        Level.CRITICAL: f"above {critical:g}, or from {high:g} with an amount of "
        f"{values.critical_amount:,.0f} or more",
    }
    return [(bound, level, OUTCOMES[level]) for level, bound in bounds.items()]


def _hits() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(HITS, [COUNTED])
        return dict(cursor.fetchall())


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(value)
    return f"{value:,.0f}" if isinstance(value, float) else str(value)


def _first() -> DecisionPolicy:
    with transaction.atomic():
        policy, made = DecisionPolicy.objects.get_or_create(
            version=1,
            defaults={
                "values": Policy().as_dict(),
                "active": True,
                "reason": "The defaults of this release.",
            },
        )
        if made:
            record(by="system", action="policy.activated", object=policy, after=policy.values)
    return policy
