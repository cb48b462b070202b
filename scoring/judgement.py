"""What an update in shadow is worth so far: paired with what decided, on the same payments."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from anomalyshield.audit.record import record
from scoring.doubts import OPENING, PROMOTABLE
from scoring.engine.evaluation_intervals import Interval, Sample, interval, resampled, verdict
from scoring.models import ModelVersion

LATEST = 50_000  # payments
LEAST_FRAUDS = 20  # among them; fewer say nothing
LONGEST = timedelta(days=14)  # in shadow; what has shown nothing by then is behind what came since
BY = "schedule"
# Only where the champion it continues decided. Silence counts as genuine for both: what is reported
# later is missing for both.
BESIDE = """
WITH latest AS (
    SELECT transaction_id, risk_score FROM scoring_shadowscore
    WHERE model_id = %(model)s AND risk_score IS NOT NULL
    ORDER BY transaction_id DESC LIMIT %(latest)s
), said AS (
    SELECT DISTINCT ON (transaction_id) transaction_id, value FROM scoring_label
    WHERE transaction_id IN (SELECT transaction_id FROM latest)
    ORDER BY transaction_id, id DESC
)
SELECT paid.user_key, shadow.risk_score, decided.risk_score,
       CASE WHEN said.value = 'TRUE_FRAUD' THEN 1::float8 ELSE 0::float8 END
FROM latest AS shadow
JOIN scoring_decision AS decided ON decided.transaction_id = shadow.transaction_id
JOIN scoring_transaction AS paid ON paid.id = shadow.transaction_id
LEFT JOIN said ON said.transaction_id = shadow.transaction_id
WHERE decided.model_id = %(base)s AND decided.degraded = ''
      AND said.value IS DISTINCT FROM 'INCONCLUSIVE'
ORDER BY paid.id
"""


@dataclass(frozen=True)
class Seen:
    """How an update did beside the champion it continues; `verdict` as for any two versions."""

    rows: int
    frauds: int
    verdict: str
    value: float | None = None  # difference of average precision, and where it lies in 95 %
    low: float | None = None
    high: float | None = None


def seen(version: ModelVersion) -> Seen:
    """One question over scores on record; undecided while too few of them are known frauds."""
    asked = {"model": version.pk, "base": version.update_of_id, "latest": LATEST}
    with connection.cursor() as cursor:
        cursor.execute(BESIDE, asked)
        rows = cursor.fetchall()
    if not rows:
        return Seen(0, 0, "undecided")
    users, own, theirs, labels = (np.array(column) for column in zip(*rows, strict=True))
    frauds = int(labels.sum())
    if frauds < LEAST_FRAUDS:
        return Seen(len(rows), frauds, "undecided")
    draws = resampled([Sample(labels, users, (own, theirs))])
    gained = interval(draws[:, 0, 0] - draws[:, 1, 0])
    return Seen(len(rows), frauds, verdict(gained), *_rounded(gained))


def _rounded(gained: Interval) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in gained.as_list()]


@transaction.atomic
def judge(*, version: ModelVersion, by: Any = BY) -> ModelVersion:
    """Propose an update that is not worse, withdraw one that is worse, late or behind.

    A proposal is no promotion: an owner asks for that, and a second one approves.
    """
    version = ModelVersion.objects.select_for_update().get(pk=version.pk)
    found = seen(version)
    before = (version.metrics.get("online") or {}).get("state")
    reason = _against(version, found)
    state = "withdrawn" if reason else "proposed" if found.verdict in PROMOTABLE else "shadow"
    version.metrics["online"] = asdict(found) | {"state": state, "reason": reason}
    if reason:
        version.state = ModelVersion.State.REJECTED
    version.save(update_fields=["metrics", "state"])
    if state != before and state != "shadow":
        record(
            by=by,
            action=f"model.update_{state}",
            object=version,
            after={"state": version.state, **asdict(found)},
            reason=reason or told(version),
        )
    return version


def _against(version: ModelVersion, found: Seen) -> str:
    """Why it should not go on; empty if it may."""
    base = version.update_of
    if base is None or base.state != ModelVersion.State.CHAMPION:
        return f"{base} does not decide any more."
    if found.verdict == "worse":
        return _compared(base, found)
    if timezone.now() - version.trained_at > LONGEST:
        return f"After {LONGEST.days} days as a shadow nobody has promoted it."
    return ""


def told(version: ModelVersion) -> str:
    """How it stands, in one sentence; empty for what is no update."""
    base = version.update_of
    if base is None:
        return ""
    kept = version.metrics.get("online")
    if not kept:
        return "It has not been judged yet; that is done once a day."
    names = ("rows", "frauds", "verdict", "value", "low", "high")
    return kept["reason"] or _compared(base, Seen(**{name: kept[name] for name in names}))


def _compared(base: ModelVersion, found: Seen) -> str:
    on = f"on {found.rows:,} payments with {found.frauds:,} known frauds"
    if found.value is None:
        return f"Undecided against {base} {on}: at least {LEAST_FRAUDS} are needed."
    return (
        f"{OPENING[found.verdict]} {base} {on}: a difference of average precision of "
        f"{found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f}, 95 %)."
    )
