"""Everything the page of an entity says about it, in a dozen questions to the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import pgettext_lazy

from alerts.baseline import READ, Baseline, Paid, baseline, latest
from alerts.entities import Entity, Kind
from alerts.models import Alert, AlertHit, AlertQuerySet
from alerts.peers import Peers, beside
from alerts.visibility import masked, unread_by
from anomalyshield.templatetags.words import within
from scoring.engine.history import KINDS
from scoring.models import EntityFraud, ListEntry
from scoring.views.transactions import read_cursor
from scoring.withheld import readable_entries

PAYMENTS, ALERTS, LISTED = 20, 10, 10  # of a page
FRAUDS = 200  # rows read about one entity: what was said and taken back among them


@dataclass(frozen=True)
class KnownFraud:
    """A payment of it that is called fraud now, and since when that is known."""

    transaction: int
    event_time: datetime
    amount: float
    known_at: datetime


@dataclass(frozen=True)
class Portrait:
    """`more_*` are cursors of the next pages; empty on the last one."""

    entity: Entity
    rows: list[Paid]
    baseline: Baseline
    peers: Peers
    frauds: list[KnownFraud]
    entries: list[ListEntry]
    alerts: list[Alert]
    more_alerts: str
    outcomes: dict[str, int]
    payments: list[Paid]
    more_payments: str


def portrait(entity: Entity, asker: Any, *, before: str = "", alerts_before: str = "") -> Portrait:
    """404 where no payment names it. Cursors nobody gave out begin again."""
    rows = latest(entity)
    alerts = alerts_of(entity, rows, asker)
    shown = _alerts_page(alerts, alerts_before)
    about = ListEntry.objects.filter(entity=entity.kind, key__in=entity.keys)
    payments = _payments_page(entity, rows, before)
    return Portrait(
        entity=entity,
        rows=rows,
        baseline=baseline(entity, rows),
        peers=beside(entity, rows),
        frauds=frauds_of(entity, asker),
        entries=list(readable_entries(about, asker)[:LISTED]),
        alerts=shown[:ALERTS],
        more_alerts=str(shown[ALERTS - 1].pk) if len(shown) > ALERTS else "",
        outcomes=_outcomes(alerts),
        payments=payments[:PAYMENTS],
        more_payments=_cursor(payments[PAYMENTS - 1]) if len(payments) > PAYMENTS else "",
    )


def alerts_of(entity: Entity, rows: Sequence[Paid], asker: Any) -> AlertQuerySet:
    """Those raised about it, and those with one of its payments; of what was read of them."""
    if entity.kind == Kind.USER:
        theirs = AlertHit.objects.filter(user_id=entity.value)
    else:
        theirs = AlertHit.objects.filter(transaction__in=[row.pk for row in rows])
    names = {row.merchant_name for row in rows} if not entity.is_personal else {entity.value}
    about = Alert.objects.filter(entity_kind=entity.kind, entity__in=names)
    found = theirs.values("alert").union(about.values("pk"))
    return Alert.objects.filter(pk__in=found).visible_to(asker)


def frauds_of(entity: Entity, asker: Any) -> list[KnownFraud]:
    """The payments of it that stand as fraud now, latest known first; not what they review."""
    said = EntityFraud.objects.filter(kind=KINDS[entity.kind], key=entity.key)
    said = said.exclude(transaction__in=unread_by(asker))
    if entity.source is not None:
        said = said.filter(transaction__source=entity.source)
    columns = ("transaction", "event_time", "amount_units", "known_at", "fraud", "pk")
    read = said.order_by("-event_time", "-pk").values_list(*columns)[:FRAUDS]
    stands = standing(read)
    return sorted(stands, key=lambda one: (one.known_at, one.transaction), reverse=True)


def standing(read: Any) -> list[KnownFraud]:
    """Of each payment the last word, where that is fraud."""
    last: dict[int, tuple[Any, ...]] = {}
    for row in sorted(read, key=lambda row: row[-1]):
        last[row[0]] = row
    return [
        KnownFraud(number, at, units / 10_000, known)
        for number, at, units, known, fraud, _ in last.values()
        if fraud
    ]


def _alerts_page(alerts: AlertQuerySet, before: str) -> list[Alert]:
    if before.isascii() and before.isdigit() and len(before) < 19:
        alerts = alerts.filter(pk__lt=int(before))
    return list(alerts.select_related("closed_by").order_by("-pk")[: ALERTS + 1])


def _outcomes(alerts: AlertQuerySet) -> dict[str, int]:
    """Disposition → how many; those nobody has decided as `open`."""
    said = alerts.order_by().values_list("disposition", flat=True)[:1000]
    counts: dict[str, int] = {}
    for one in said:
        counts[one or "open"] = counts.get(one or "open", 0) + 1
    return counts


def _payments_page(entity: Entity, rows: list[Paid], before: str) -> list[Paid]:
    """The first page was read already."""
    place = read_cursor(before)
    if place is None:
        return rows[: PAYMENTS + 1]
    older = entity.payments().before(*place).latest_first()
    return [Paid(*row) for row in older.values_list(*READ)[: PAYMENTS + 1]]


def _cursor(row: Paid) -> str:
    return f"{row.event_time.isoformat()}~{row.pk}"


OUTCOMES: Mapping[str, str] = {
    "open": pgettext_lazy("an alert", "open"),
    **dict(Alert.Disposition.choices),
}


def outcomes_in_words(outcomes: Mapping[str, int]) -> str:
    """2 fraud, 1 legitimate, 1 open."""
    return ", ".join(
        f"{outcomes[value]} {within(title)}"
        for value, title in OUTCOMES.items()
        if value in outcomes
    )


def sees_notes(asker: Any) -> bool:
    """Notes may name people: they are for those who work alerts."""
    return not masked(asker)
