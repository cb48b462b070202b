"""All payments of a window by something they have in common: the statements of several pages."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from alerts.analytics.window import MOST, Window, ask
from anomalyshield.templatetags.words import figure

# The latest payments of the window with what was decided, and the last word on each. A payment of
# the window cannot have been labelled before it began, so the index of `known_at` bounds that too.
# OFFSET 0: each decision is read by its payment; joined, all decisions there ever were would be.
PAID = """
WITH paid AS (
    SELECT id, event_time, amount_units, country, location, latitude, longitude,
           merchant_name, merchant_category
    FROM scoring_transaction
    WHERE event_time >= %(since)s AND event_time < %(until)s
    ORDER BY event_time DESC LIMIT %(most)s
), said AS (
    SELECT label.transaction_id, label.value FROM scoring_label AS label
    WHERE label.known_at >= %(since)s AND NOT EXISTS (
        SELECT 1 FROM scoring_label AS later WHERE later.supersedes_id = label.id
          AND later.supersedes_id IS NOT NULL
    )
), decided AS (
    SELECT paid.*, decision.reviewable, said.value
    FROM paid CROSS JOIN LATERAL (
        SELECT reviewable FROM scoring_decision WHERE transaction_id = paid.id OFFSET 0
    ) AS decision
    LEFT JOIN said ON said.transaction_id = paid.id
)
"""
COUNTS = """
count(*), count(*) FILTER (WHERE reviewable),
count(*) FILTER (WHERE value = 'TRUE_FRAUD'),
count(*) FILTER (WHERE value = 'FALSE_POSITIVE' AND reviewable),
coalesce(sum(amount_units) FILTER (WHERE reviewable), 0) / 10000.0
"""


@dataclass(frozen=True)
class Counts:
    """Of some payments: all, held or blocked, known frauds, held though genuine; money held."""

    payments: int
    anomalies: int
    frauds: int
    genuine: int
    amount: Any

    @property
    def rate(self) -> float | None:
        return self.anomalies / self.payments if self.payments else None

    @property
    def cells(self) -> tuple[Any, ...]:
        return (self.payments, self.anomalies, self.rate, self.frauds, self.genuine, self.amount)


def counted(select: str, group: str, window: Window, **more: Any) -> list[tuple[Any, ...]]:
    """Rows of what was selected and `Counts`; both texts are constants of these pages."""
    sql = f"{PAID} SELECT {select}, {COUNTS} FROM decided {group}"
    width = len(Counts.__dataclass_fields__)
    return [(*row[:-width], Counts(*row[-width:])) for row in ask(sql, {**window.params, **more})]


def capped(window: Window, payments: int) -> str:
    """What a page says when there were more payments than it counts."""
    if payments < MOST:
        return ""
    return _("Counted are the latest {most} payments of this time; ask for a shorter one.").format(
        most=figure(f"{MOST:,}")
    )
