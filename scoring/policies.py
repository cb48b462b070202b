"""Which cut points, limits and thresholds are in force."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import gettext_noop as _noop

from anomalyshield.audit.record import record
from anomalyshield.templatetags.words import figure
from scoring.engine.decision import OUTCOMES, Level, Policy
from scoring.engine.lane import LANE_RULES
from scoring.engine.lists import LIST_RULES
from scoring.engine.rules import RULES
from scoring.models import DecisionPolicy

COUNTED = timedelta(days=30)
# Which of the policy's values each rule reads, and what they are called on the page.
THRESHOLDS = {
    "HIGH_AMOUNT": {"high_amount": _lazy("Fires strictly above")},
    "VELOCITY_MULTI_CITY": {
        "velocity_count": _lazy("Transactions within a minute, more than"),
        "velocity_cities": _lazy("Cities among them, at least"),
    },
    "UNUSUAL_HOUR": {
        "unusual_from": _lazy("From hour"),
        "unusual_until": _lazy("Until before hour"),
    },
    "HIGH_RISK_MCC": {"high_risk_mcc": _lazy("Merchant category codes")},
}
# What every value is called, on the form, in differences and in the trail's words.
TITLES = {
    "low_below": _lazy("LOW below"),
    "high_above": _lazy("HIGH above"),
    "critical_above": _lazy("CRITICAL above"),
    "high_amount": _lazy("High amount above"),
    "critical_amount": _lazy("CRITICAL with HIGH from amount"),
    "velocity_count": _lazy("Transactions within a minute, more than"),
    "velocity_cities": _lazy("Cities among them, at least"),
    "unusual_from": _lazy("Unusual from hour"),
    "unusual_until": _lazy("Unusual until before hour"),
    "high_risk_mcc": _lazy("High-risk merchant category codes"),
}
# Of each reason code: how often, what those payments turned out to be by the last word on them,
# and how often it was the only thing that asked for a person.
HITS = """
WITH hit AS (
    SELECT code, paid.id,
           cardinality(decided.reason_codes) = 1 AND decided.reviewable
               AND decided.degraded = '' AND decided.risk_score <= %(high)s AS alone
    FROM scoring_transaction AS paid
    JOIN scoring_decision AS decided ON decided.transaction_id = paid.id
    CROSS JOIN unnest(decided.reason_codes) AS code
    WHERE paid.event_time >= now() - %(counted)s AND decided.reason_codes <> '{}'
), said AS (
    SELECT DISTINCT ON (transaction_id) transaction_id, value FROM scoring_label
    WHERE transaction_id IN (SELECT id FROM hit) ORDER BY transaction_id, id DESC
)
SELECT code, count(*), count(*) FILTER (WHERE alone),
       count(*) FILTER (WHERE value = 'TRUE_FRAUD'),
       count(*) FILTER (WHERE value = 'FALSE_POSITIVE')
FROM hit LEFT JOIN said ON said.transaction_id = hit.id
GROUP BY code
"""


def active() -> DecisionPolicy:
    """The policy in force. The first question of a new installation makes version 1."""
    return DecisionPolicy.objects.filter(active=True).first() or _first()


@dataclass(frozen=True)
class Counted:
    """What a reason code has done in the last thirty days."""

    hits: int = 0
    alone: int = 0  # nothing else asked for a person
    frauds: int = 0
    genuine: int = 0

    @property
    def precision(self) -> float | None:
        """The share of frauds among those somebody has judged; None while nobody has."""
        judged = self.frauds + self.genuine
        return self.frauds / judged if judged else None


@dataclass(frozen=True)
class RuleInForce:
    """A rule as its page shows it."""

    code: str
    meaning: str
    raises: bool
    thresholds: list[tuple[str, Any]]
    counted: Counted


def rules(policy: DecisionPolicy) -> list[RuleInForce]:
    """Each rule of the register, its thresholds in force, its hits of the last thirty days."""
    values = Policy.from_dict(policy.values)
    counts = _counted(values.high_above)
    return [
        RuleInForce(
            code=rule.code,
            meaning=rule.meaning.split("\n\n")[0],
            raises=rule.raises,
            thresholds=[
                (title, shown(getattr(values, name)))
                for name, title in THRESHOLDS.get(rule.code, {}).items()
            ],
            counted=counts.get(rule.code, Counted()),
        )
        for rule in (*LIST_RULES, *RULES, *LANE_RULES)
    ]


def cuts(policy: DecisionPolicy) -> list[tuple[str, str, str]]:
    """The decision table as rows: risk score, level, outcome."""
    values = Policy.from_dict(policy.values)
    said = (values.low_below, values.high_above, values.critical_above)
    low, high, critical = (figure(f"{cut:g}") for cut in said)
    bounds = {
        Level.LOW: _("below {low}").format(low=low),
        Level.MEDIUM: _("{low} to {high}").format(low=low, high=high),
        Level.HIGH: _("above {high}").format(high=high),
        Level.CRITICAL: _(
            "above {critical}, or from {high} with an amount of {critical_amount} or more"
        ).format(
            critical=critical, high=high, critical_amount=figure(f"{values.critical_amount:,.0f}")
        ),
    }
    return [(bound, level, OUTCOMES[level]) for level, bound in bounds.items()]


def _counted(high: float) -> dict[str, Counted]:
    with connection.cursor() as cursor:
        cursor.execute(HITS, {"counted": COUNTED, "high": high})
        return {code: Counted(*numbers) for code, *numbers in cursor.fetchall()}


def shown(value: Any) -> str:
    """A value of a policy in words."""
    if isinstance(value, list | tuple):
        return ", ".join(value) or _("none")
    if isinstance(value, float):
        return figure(f"{value:,.0f}" if value >= 100 else f"{value:g}")
    return str(value)


def _first() -> DecisionPolicy:
    with transaction.atomic():
        policy, made = DecisionPolicy.objects.get_or_create(
            version=1,
            defaults={
                "values": Policy().as_dict(),
                "active": True,
                "reason": _noop("The defaults of this release."),
            },
        )
        if made:
            record(by="system", action="policy.activated", object=policy, after=policy.values)
    return policy
