"""How a source fares: when it was heard of, how much comes, how late, and what is refused."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from anomalyshield import pulse
from anomalyshield.models import Heartbeat
from scoring.models import RejectedRecord, Source

# The latest rows of all sources, however fast they come: a question of bounded cost.
RECENT = """
WITH latest AS MATERIALIZED (
    SELECT source_id, upload_id, recorded_at, event_time FROM scoring_transaction
    ORDER BY id DESC LIMIT %(rows)s
), hour AS (
    SELECT * FROM latest WHERE recorded_at > now() - interval '1 hour'
), mine AS (
    SELECT extract(epoch FROM recorded_at - event_time) AS lag FROM hour
    WHERE source_id = %(source)s AND upload_id IS NULL
)
SELECT (SELECT count(*) FROM mine),
    (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY lag) FROM mine),
    (SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY lag) FROM mine),
    (SELECT CASE WHEN count(*) < %(rows)s THEN 3600
        ELSE extract(epoch FROM now() - min(recorded_at)) END FROM latest)
"""
ROWS = 20_000
REASONS = """
SELECT reason.key, reason.value, count(*) FROM (
    SELECT reasons FROM scoring_rejectedrecord
    WHERE state = 'OPEN' AND source_id = ANY(%s) ORDER BY id DESC LIMIT %s
) AS latest, jsonb_each_text(latest.reasons) AS reason
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT %s
"""
MOST_REJECTS, MOST_REASONS = 50_000, 20


@dataclass(frozen=True)
class Health:
    """Figures of one source; those of its files stand with the files."""

    heard_at: datetime | None
    events: int  # that came one by one, in the span
    span: float  # seconds that were looked at, an hour at most
    lag: float | None  # seconds from the event to its storing, in the middle
    lag_most: float | None  # of the slowest twentieth
    rejected_day: int
    rejected_waiting: int
    reader_at: datetime | None = None  # the last sign of who reads its broker, if it has one
    reader_trouble: str = ""  # what keeps it from reading, if that is known
    messages_waiting: int | None = None  # that the broker still has for us; Kafka alone tells
    reader: str = ""  # of Kafka: consumer or spark, of which no sign and no lag is known here

    @property
    def is_read(self) -> bool:
        """Whether somebody reads its broker now."""
        at = None if self.reader_trouble else self.reader_at
        return at is not None and (timezone.now() - at).total_seconds() <= pulse.STALE_SECONDS

    @property
    def per_minute(self) -> float:
        return 60 * self.events / self.span if self.span else 0.0


def health_of(source: Source) -> Health:
    """Two questions, two more of a broker's, whatever the number of rows."""
    with connection.cursor() as cursor:
        cursor.execute(RECENT, {"rows": ROWS, "source": source.pk})
        events, lag, most, span = cursor.fetchone()
    day = timezone.now() - timedelta(days=1)
    refused = RejectedRecord.objects.filter(source=source).aggregate(
        day=Count("pk", filter=Q(at__gt=day)),
        waiting=Count("pk", filter=Q(state=RejectedRecord.State.OPEN)),
    )
    sign = _sign(source)
    return Health(
        heard_at=source.heard_at,
        events=events,
        span=min(float(span or 3600), 3600.0),
        lag=None if lag is None else float(lag),
        lag_most=None if most is None else float(most),
        rejected_day=refused["day"],
        rejected_waiting=refused["waiting"],
        reader_at=sign.at if sign else None,
        reader_trouble=_trouble(source, sign),
        messages_waiting=_waiting(source),
        reader=source.reader,
    )


def _sign(source: Source) -> Heartbeat | None:
    if source.kind not in (Source.Kind.KAFKA, Source.Kind.MQTT) or source.left_to_spark:
        return None
    return Heartbeat.objects.filter(name=f"stream:{source.pk}").first()


def _trouble(source: Source, sign: Heartbeat | None) -> str:
    if pulse.is_fresh(sign):
        return str(sign.details.get("trouble", ""))
    if source.lacks:
        return _("Its connection does not say {setting} yet.").format(setting=source.lacks)
    return str(sign.details.get("ended", "")) if sign else ""


def _waiting(source: Source) -> int | None:
    ours = source.kind == Source.Kind.KAFKA and not source.left_to_spark
    positions = list(source.positions.all()) if ours else []
    return sum(one.lag for one in positions) if positions else None


def reasons_of(sources: list[int]) -> list[dict[str, Any]]:
    """Field, reason and how many of the latest refused records wait with it, most first."""
    with connection.cursor() as cursor:
        cursor.execute(REASONS, [sources, MOST_REJECTS, MOST_REASONS])
        rows = cursor.fetchall()
    return [{"field": field, "reason": reason, "records": count} for field, reason, count in rows]
