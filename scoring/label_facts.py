"""Where labels come from, how late, and how much of each week is known by now.

A payment without a label is not known to be genuine, and no figure here takes it for that: a share
is of what was labelled, or says of how many payments nobody has said anything.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection
from django.utils import timezone
from numpy.typing import NDArray

from scoring import label_days
from scoring.engine.reporting import Reporting, observed
from scoring.labels import MATURITY
from scoring.models import Label

WEEKS = 12
MOST_FRAUDS = 50_000  # the latest; more change no figure of delays
MARKS = (1, 3, 7, 14, 30, 60, 90)  # days of the curve's table
ENDS = (0.5, 0.9)
POINTS = 720  # of the curve, at most
DAY_UNITS = 86_400_000_000  # microseconds

# Payments are counted along the index of event times, week by week, and once; labels as they are
# counted by day already.
BY_WEEK = f"""
WITH paid AS MATERIALIZED (
    SELECT (start AT TIME ZONE 'UTC')::date AS week, (
        SELECT count(*) FROM scoring_transaction
        WHERE event_time >= start AND event_time < least(start + interval '7 days', %(until)s)
    ) AS payments
    FROM generate_series(%(since)s::timestamptz, %(until)s, interval '7 days') AS start
), said AS (
    SELECT date_trunc('week', day::timestamp)::date AS week, origin, value,
        sum(count)::int8 AS labels
    FROM ({label_days.LABELS}) AS labels
    WHERE day >= (%(since)s::timestamptz AT TIME ZONE 'UTC')::date
    GROUP BY 1, 2, 3 HAVING sum(count) <> 0
)
SELECT paid.week, paid.payments, said.origin, said.value, said.labels
FROM paid LEFT JOIN said USING (week) WHERE paid.payments > 0 ORDER BY paid.week DESC
"""
# Since when a fraud is known: the first label of its chain that said so, if the last still does.
# By the index of frauds alone, which holds all that is read: of a million labels few are. One that
# supersedes none is a chain of its own. Frauds of older payments are left out: of those only the
# late ones became known within the year.
DELAYS = """
SELECT date_part('epoch', event_time), date_part('epoch', coalesce(first.known_at, fraud.known_at)),
    coalesce(first.origin, fraud.origin)
FROM (
    SELECT label.id, label.event_time, label.known_at, label.origin, label.supersedes_id
    FROM scoring_label AS label
    WHERE label.value = 'TRUE_FRAUD' AND label.known_at >= %(since)s
      AND label.event_time >= %(since)s
      AND NOT EXISTS (SELECT FROM scoring_label AS later WHERE later.supersedes_id = label.id
        AND later.supersedes_id IS NOT NULL)
    ORDER BY label.known_at DESC LIMIT %(most)s
) AS fraud
LEFT JOIN (
    SELECT last.id, said.known_at, said.origin FROM scoring_label AS last
    CROSS JOIN LATERAL (
        SELECT known_at, origin FROM scoring_label
        WHERE transaction_id = last.transaction_id AND value = 'TRUE_FRAUD'
        ORDER BY known_at LIMIT 1
    ) AS said
    WHERE last.value = 'TRUE_FRAUD' AND last.known_at >= %(since)s
      AND last.supersedes_id IS NOT NULL
) AS first USING (id)
"""


@dataclass
class Week:
    """The payments of one week (from Monday, UTC), and what is said of them by now."""

    start: date
    payments: int
    matured: bool
    seen: float | None = None  # of its frauds, by the delays of those before; None: too few known
    frauds: int = 0
    genuine: int = 0
    undecided: int = 0
    by_origin: dict[str, int] = field(default_factory=dict)

    @property
    def labelled(self) -> int:
        """Said one way or the other."""
        return self.frauds + self.genuine

    @property
    def unlabelled(self) -> int:
        return self.payments - self.labelled - self.undecided

    @property
    def share(self) -> float:
        return self.labelled / self.payments if self.payments else 0.0


@dataclass(frozen=True)
class Delays:
    """How long frauds took to be known by one source: in days, as observed."""

    origin: str
    frauds: int
    half: float
    most: float  # nine of ten


@dataclass(frozen=True)
class Facts:
    """What the page shows."""

    weeks: list[Week]
    origins: list[str]
    delays: list[Delays]
    curve: list[tuple[float, float]]  # days → share of frauds known by then; rising
    marks: list[tuple[int, float | None]]
    maturity_days: int


def facts(now: datetime | None = None) -> Facts:
    """Of the last weeks' payments, and of the frauds known in the last year."""
    now = now or timezone.now()
    reporting, delays = _delays(now)
    weeks = _weeks(now, reporting)
    used = {origin for week in weeks for origin in week.by_origin} | {one.origin for one in delays}
    return Facts(
        weeks=weeks,
        origins=[origin for origin in Label.Origin.values if origin in used],
        delays=delays,
        curve=_curve(reporting),
        marks=[(days, _seen(reporting, days)) for days in MARKS],
        maturity_days=MATURITY.days,
    )


def _weeks(now: datetime, reporting: Reporting) -> list[Week]:
    monday = (now - timedelta(days=now.weekday())).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    asked = {"since": monday - timedelta(weeks=WEEKS - 1), "until": now}
    found: dict[date, Week] = {}
    for start, payments, origin, value, labels in _rows(BY_WEEK, asked):
        end = start + timedelta(days=7)
        week = found.get(start) or Week(start, payments, end <= (now - MATURITY).date())
        found[start] = week
        week.seen = _seen(reporting, max((now.date() - start).days - 3.5, 0.0))
        if origin is not None:
            _add(week, origin, value, labels)
    return list(found.values())


def _add(week: Week, origin: str, value: str, labels: int) -> None:
    week.by_origin[origin] = week.by_origin.get(origin, 0) + labels
    if value == Label.Value.TRUE_FRAUD:
        week.frauds += labels
    elif value == Label.Value.FALSE_POSITIVE:
        week.genuine += labels
    else:
        week.undecided += labels


def _delays(now: datetime) -> tuple[Reporting, list[Delays]]:
    """Right whatever is still to be reported (`engine/reporting.py`), and as seen by source."""
    asked = {"since": now - timedelta(days=365), "most": MOST_FRAUDS}
    rows = _rows(DELAYS, asked)
    times = np.array([row[0] * 1e6 for row in rows], np.int64)
    known = np.array([row[1] * 1e6 for row in rows], np.int64)
    origins = np.array([row[2] for row in rows], np.str_)
    reporting, _ = observed(times, np.ones(len(rows)), known)
    return reporting, [
        _of_source(origin, (known - times)[origins == origin])
        for origin in Label.Origin.values
        if (origins == origin).any()
    ]


def _of_source(origin: str, late: NDArray[np.int64]) -> Delays:
    half, most = np.quantile(np.maximum(late, 0) / DAY_UNITS, ENDS)
    return Delays(origin, len(late), float(half), float(most))


def _curve(reporting: Reporting) -> list[tuple[float, float]]:
    """No finer than a drawing shows: of the steps that fall into one place, the last."""
    if not len(reporting.delays):
        return []
    days = reporting.delays / DAY_UNITS
    places = np.floor(days * (POINTS / max(float(days[-1]), 1 / DAY_UNITS)))
    last = np.append(np.diff(places) > 0, True)
    return list(zip(days[last].tolist(), reporting.shares[last].tolist(), strict=True))


def _seen(reporting: Reporting, days: float) -> float | None:
    if not len(reporting.delays):
        return None
    place = int(np.searchsorted(reporting.delays, days * DAY_UNITS, side="right")) - 1
    return float(reporting.shares[place]) if place >= 0 else 0.0


def _rows(sql: str, asked: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, asked)
        return cursor.fetchall()
