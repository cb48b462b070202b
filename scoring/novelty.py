"""What the novelty lane of a version was promised, what it raised, and what came of it."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from scoring.dataset import Dataset
from scoring.engine.ensemble import Ensemble, Scored
from scoring.engine.lane import CUT
from scoring.models import ModelVersion

LATEST = 50_000  # payments
SEEN = """
WITH latest AS (
    SELECT transaction_id, reviewable AND reason_codes @> '{NOVELTY}' AS aside
    FROM scoring_decision WHERE model_id = %(model)s ORDER BY id DESC LIMIT %(latest)s
), said AS (
    SELECT DISTINCT ON (transaction_id) transaction_id, value FROM scoring_label
    WHERE transaction_id IN (SELECT transaction_id FROM latest WHERE aside)
    ORDER BY transaction_id, id DESC
)
SELECT count(*), count(*) FILTER (WHERE aside),
       count(*) FILTER (WHERE value = 'TRUE_FRAUD'),
       count(*) FILTER (WHERE value = 'FALSE_POSITIVE')
FROM latest LEFT JOIN said USING (transaction_id)
"""


@dataclass(frozen=True)
class Followed:
    """The lane of one version over the latest payments it decided."""

    share: float  # of the alert budget
    promised: float  # of all payments
    payments: int
    raised: int
    frauds: int  # of the raised ones, by the last word on them
    genuine: int

    @property
    def actual(self) -> float | None:
        """The share of payments it raised; None before the first payment."""
        return self.raised / self.payments if self.payments else None

    @property
    def judged(self) -> int:
        return self.frauds + self.genuine

    @property
    def precision(self) -> float | None:
        """The share of frauds among those somebody has judged; None while nobody has."""
        return self.frauds / self.judged if self.judged else None


def followed(version: ModelVersion) -> Followed | None:
    """One question over decisions on record; None for a version without a lane."""
    kept = version.metrics.get("lane")
    if not kept:
        return None
    with connection.cursor() as cursor:
        cursor.execute(SEEN, {"model": version.pk, "latest": LATEST})
        return Followed(kept["share"], kept["promised"], *cursor.fetchone())


def heldout(test: Dataset, ensemble: Ensemble, scored: Scored, budget: float) -> dict[str, Any]:
    """What the lane would have raised of rows nobody learnt from; empty without a lane."""
    if ensemble.lane is None:
        return {}
    aside = (ensemble.novelty(test.vectors) > CUT) & (scored.risk_score <= CUT)
    share = ensemble.lane.share
    return {
        "lane": {
            "share": share,
            "promised": share * budget,
            "rows": len(test),
            "raised": int(aside.sum()),
            "frauds": int((aside & (test.labels == 1)).sum()),
        }
    }
