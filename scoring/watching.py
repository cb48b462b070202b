"""What a shadow has said so far beside what was decided: from scores on record, nothing new."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from scoring.models import ModelVersion

LATEST = 5_000  # payments
PARTS = ("both", "own", "theirs", "neither")

# By score alone and at one cut, so that rules, which both have, hide no difference.
SEEN = """
WITH latest AS (
    SELECT transaction_id, risk_score FROM scoring_shadowscore
    WHERE model_id = %(model)s ORDER BY transaction_id DESC LIMIT %(latest)s
), beside AS (
    SELECT shadow.transaction_id, shadow.risk_score IS NULL AS failed, decided.decided_at,
           shadow.risk_score > %(cut)s AS own, decided.risk_score > %(cut)s AS theirs
    FROM latest AS shadow
    JOIN scoring_decision AS decided ON decided.transaction_id = shadow.transaction_id
), said AS (
    SELECT DISTINCT ON (transaction_id) transaction_id, value FROM scoring_label
    WHERE transaction_id IN (SELECT transaction_id FROM latest)
    ORDER BY transaction_id, id DESC
)
SELECT failed, coalesce(own, false), theirs, count(*),
       count(*) FILTER (WHERE value = 'TRUE_FRAUD'),
       count(*) FILTER (WHERE value = 'FALSE_POSITIVE'), min(decided_at), max(decided_at)
FROM beside LEFT JOIN said ON said.transaction_id = beside.transaction_id
GROUP BY 1, 2, 3
"""


@dataclass
class Part:
    """Payments that both would show to people, only one, or neither; and what they turned out."""

    rows: int = 0
    frauds: int = 0
    genuine: int = 0


@dataclass
class Watched:
    """The latest payments a shadow has scored along."""

    cut: float
    rows: int = 0
    failed: int = 0
    since: datetime | None = None
    until: datetime | None = None
    parts: dict[str, Part] = field(default_factory=lambda: {name: Part() for name in PARTS})

    @property
    def own_share(self) -> float | None:
        return self._share("own")

    @property
    def their_share(self) -> float | None:
        """Of what was decided: by whoever was champion at the time."""
        return self._share("theirs")

    def _share(self, side: str) -> float | None:
        scored = self.rows - self.failed
        shown = self.parts["both"].rows + self.parts[side].rows
        return shown / scored if scored else None


def watched(version: ModelVersion, *, cut: float) -> Watched:
    """One question over stored scores; a payment it failed on is counted apart."""
    found = Watched(cut)
    with connection.cursor() as cursor:
        cursor.execute(SEEN, {"model": version.pk, "latest": LATEST, "cut": cut})
        for row in cursor.fetchall():
            _add(found, *row)
    return found


def _add(
    found: Watched,
    failed: bool,
    own: bool,
    theirs: bool,
    rows: int,
    frauds: int,
    genuine: int,
    first: Any,
    last: Any,
) -> None:
    found.rows += rows
    found.since = min(filter(None, (found.since, first)))
    found.until = max(filter(None, (found.until, last)))
    if failed:
        found.failed += rows
        return
    names = {(True, True): "both", (True, False): "own", (False, True): "theirs"}
    part = found.parts[names.get((own, theirs), "neither")]
    part.rows, part.frauds, part.genuine = rows, frauds, genuine
