"""How the leading payment of an alert stands beside what is usual: its own past, and its peers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.baseline import UNITS, quantile, usual_hours
from alerts.entities import COLUMNS, Entity
from alerts.models import Alert
from alerts.peers import FEWEST, sample
from anomalyshield.together import Part
from scoring.engine.fields import offset_seconds
from scoring.models import Transaction

DAYS = 90
MOST = 500  # payments looked at: a few milliseconds, whatever the entity
ENOUGH = 3  # payments before it: with fewer nothing is usual
UNLIKE = 2.0  # times its median: worth saying so


@dataclass(frozen=True)
class Usual:
    """What was usual in the ninety days before; amounts in the base currency.

    `times` is the amount over the median; `above` the share of peers of whose payments nine of ten
    are smaller. None where there is too little to say it.
    """

    payments: int
    at_least: bool
    amount: float
    median: float | None
    times: float | None
    largest: bool
    in_a_day: int  # payments in the 24 hours up to it, it included
    usual_in_a_day: float | None
    hour: int
    local: bool  # by the clocks of the place; else by UTC, since nobody said where it was
    hours: str
    out_of_hours: bool
    peers: int
    peers_median: float | None
    above: float | None

    @property
    def is_unlike(self) -> bool:
        return self.times is not None and self.times >= UNLIKE


Row = tuple[datetime, str, int]  # when, on which clocks, how much


def usual(alert: Alert, entity: Entity) -> Part[Usual]:
    """In one question; the sample of peers is kept by each process for a while."""
    paid = alert.transaction
    since = paid.event_time - timedelta(days=DAYS)
    earlier = entity.payments().filter(event_time__lt=paid.event_time, event_time__gte=since)
    rows = earlier.order_by("-event_time", "-pk").values_list(
        "event_time", "timezone", "amount_units"
    )
    before = yield rows[:MOST]
    return beside(paid, before, sample(entity.kind), entity.key)


def beside(
    paid: Transaction,
    before: Sequence[Row],
    others: Sequence[tuple[int, dict[str, float]]],
    key: int,
) -> Usual:
    """The same of payments that were read, latest first, and of the figures of its peers."""
    amount = paid.amount_units / UNITS
    amounts = sorted(units / UNITS for _, _, units in before)
    known = len(before) >= ENOUGH
    median = quantile(amounts, 0.5) if known else None
    hour, hours = _hour(paid.event_time, paid.timezone), _hours(before) if known else ""
    day = paid.event_time - timedelta(days=1)
    usual_rate = _per_day([at for at, _, _ in before if at <= day]) if known else None
    peers = [figures for one, figures in others if one != key]
    enough = len(peers) >= FEWEST
    return Usual(
        payments=len(before),
        at_least=len(before) == MOST,
        amount=amount,
        median=median,
        times=amount / median if median else None,
        largest=known and amount > amounts[-1],
        in_a_day=1 + sum(at > day for at, _, _ in before),
        usual_in_a_day=usual_rate,
        hour=hour,
        local=bool(paid.timezone),
        hours=hours,
        out_of_hours=_outside(hour, hours),
        peers=len(peers),
        peers_median=quantile(sorted(p["median amount"] for p in peers), 0.5) if enough else None,
        above=sum(p["90th percentile"] < amount for p in peers) / len(peers) if enough else None,
    )


def timed_entity(alert: Alert, kind: str) -> Entity:
    """The alert's entity as its payments are found by, by the keys of the leading one."""
    key, text = COLUMNS[kind]
    paid = alert.transaction
    return Entity(kind, str(getattr(paid, text)), int(getattr(paid, key)))


def _hour(at: datetime, zone: str) -> int:
    return (at + timedelta(seconds=offset_seconds(zone, at))).hour


def _hours(rows: Sequence[Row]) -> str:
    counts = [0] * 24
    for at, zone, _ in rows:
        counts[_hour(at, zone)] += 1
    return usual_hours(counts)


def _outside(hour: int, hours: str) -> bool:
    """`08–19`, or over midnight `22–06`."""
    if "–" not in hours:
        return False
    start, end = (int(part) for part in hours.split("–"))
    inside = start <= hour < end if start < end else hour >= start or hour < end
    return not inside


def _per_day(times: Sequence[datetime]) -> float | None:
    """How many payments it had a day; latest first."""
    if len(times) < 2:
        return None
    days = (times[0] - times[-1]).total_seconds() / 86400
    return len(times) / days if days >= 1 else None
