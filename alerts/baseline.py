"""What is usual for an entity: its latest payments, read once, and what they come to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Q, Sum
from django.http import Http404

from alerts.entities import COLUMNS, Entity, Kind
from scoring.engine.fields import offset_seconds
from scoring.models import MerchantHour
from scoring.payment_words import country_alone

MOST = 1000  # payments looked at: some milliseconds, whatever the entity
WINDOWS = (1, 7, 30)  # days
SHOWN = 5  # of what it paid with, where and to whom
USUAL = 0.8  # share of its payments that fall into its usual hours
UNITS = 10_000  # of the base currency


class Paid(NamedTuple):
    """What is read of each payment, in the order of the columns below."""

    pk: int
    external_id: str
    event_time: datetime
    timezone: str
    amount: Decimal
    currency: str
    amount_units: int
    user_id: str
    card_id: str
    device_id: str
    merchant_name: str
    location: str
    country: str
    user_key: int
    card_key: int
    device_key: int
    merchant_key: int
    place_key: int
    score: float | None
    level: str | None
    outcome: str | None

    @property
    def worth(self) -> float:
        """In the base currency."""
        return self.amount_units / UNITS

    @property
    def place(self) -> str:
        return self.location or country_alone(self.country)


OF_DECISION = {"score": "risk_score", "level": "level", "outcome": "outcome"}
READ = [f"decision__{OF_DECISION[n]}" if n in OF_DECISION else n for n in Paid._fields]


@dataclass(frozen=True)
class Window:
    """The days up to its last payment, and what is usual in as many days; None: nothing before."""

    days: int
    count: int
    amount: float
    at_least: bool
    usual: float | None


@dataclass(frozen=True)
class Share:
    """Something it paid with, at or to, and in which share of its payments."""

    kind: str
    value: str
    count: int
    share: float


@dataclass(frozen=True)
class Baseline:
    """Amounts in the base currency; hours on the clocks of the payments, UTC where none is known.

    `at_least` says that it has more payments than were looked at.
    """

    payments: int
    at_least: bool
    first: datetime
    last: datetime
    median: float
    p90: float
    hours: list[int]
    usual_hours: str
    shares: list[tuple[str, int, list[Share]]]
    windows: list[Window]


def latest(entity: Entity) -> list[Paid]:
    """Its latest payments with what was decided about them, latest first; 404 if it has none."""
    rows = entity.payments().latest_first().values_list(*READ)[:MOST]
    found = [Paid(*row) for row in rows]
    if not found:
        raise Http404
    return found


def baseline(entity: Entity, rows: Sequence[Paid]) -> Baseline:
    at_least = len(rows) == MOST
    amounts = sorted(row.worth for row in rows)
    hours = _hours(rows)
    return Baseline(
        payments=len(rows),
        at_least=at_least,
        first=_first(entity) if at_least else rows[-1].event_time,
        last=rows[0].event_time,
        median=quantile(amounts, 0.5),
        p90=quantile(amounts, 0.9),
        hours=hours,
        usual_hours=usual_hours(hours),
        shares=_shares(entity, rows),
        windows=_windows(entity, rows, at_least),
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """Between two values in proportion, as PostgreSQL's percentile_cont; NaN of nothing."""
    if not ordered:
        return float("nan")
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def usual_hours(hours: Sequence[int]) -> str:
    """The shortest run of hours, round midnight too, with most of its payments: 08–19."""
    total = sum(hours)
    for length in range(1, 25):
        runs = [sum(hours[(start + n) % 24] for n in range(length)) for start in range(24)]
        best = max(range(24), key=lambda start: (runs[start], -start))
        if runs[best] >= USUAL * total:
            return "all day" if length > 20 else f"{best:02}–{(best + length) % 24:02}"
    return ""


def _hours(rows: Sequence[Paid]) -> list[int]:
    hours = [0] * 24
    for row in rows:
        shift = offset_seconds(row.timezone, row.event_time)
        hours[(row.event_time + timedelta(seconds=shift)).hour] += 1
    return hours


def _first(entity: Entity) -> datetime:
    times = entity.payments().order_by("event_time", "pk").values_list("event_time", flat=True)
    return times[0]


def _shares(entity: Entity, rows: Sequence[Paid]) -> list[tuple[str, int, list[Share]]]:
    """Per other kind how many there were, and the most frequent of them."""
    kinds = [(str(kind), text) for kind, (_, text) in COLUMNS.items() if kind != entity.kind]
    found = []
    for kind, name in [*kinds, ("place", "place")]:
        counts = Counter(value for row in rows if (value := getattr(row, name)))
        most = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:SHOWN]
        told = [Share(kind, value, count, count / len(rows)) for value, count in most]
        if told:
            found.append((kind, len(counts), told))
    return found


def _windows(entity: Entity, rows: Sequence[Paid], at_least: bool) -> list[Window]:
    """Of a merchant with more payments than were read, by the sums of its hours."""
    last = rows[0].event_time
    told = []
    for days in WINDOWS:
        inside = [row for row in rows if row.event_time > last - timedelta(days=days)]
        short = at_least and len(inside) == len(rows)
        amount = sum(row.amount_units for row in inside) / UNITS
        told.append(Window(days, len(inside), amount, short, _usual(rows[len(inside) :], days)))
    if entity.kind == Kind.MERCHANT and entity.source is None and any(w.at_least for w in told):
        return _by_the_hour(entity, last)
    return told


def _usual(before: Sequence[Paid], days: int) -> float | None:
    """How many payments as many days had before, if there is so long a past."""
    if len(before) < 2:
        return None
    span = (before[0].event_time - before[-1].event_time).total_seconds() / 86400
    return len(before) / span * days if span >= days else None


def _by_the_hour(entity: Entity, last: datetime) -> list[Window]:
    kept = MerchantHour.objects.filter(merchant_key=entity.key, hour__lte=last)
    kept = kept.filter(hour__gt=last - timedelta(days=max(WINDOWS)))
    asked: dict[str, Any] = {}
    for days in WINDOWS:
        inside = Q(hour__gt=last - timedelta(days=days))
        asked[f"count{days}"] = Sum("count", filter=inside, default=0)
        asked[f"units{days}"] = Sum("units", filter=inside, default=0)
    sums = kept.aggregate(**asked)
    month = sums[f"count{max(WINDOWS)}"]
    return [
        Window(
            days,
            int(sums[f"count{days}"]),
            float(sums[f"units{days}"]) / UNITS,
            False,
            float(month) / max(WINDOWS) * days if days < max(WINDOWS) else None,
        )
        for days in WINDOWS
    ]
