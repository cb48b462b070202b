"""Which alerts a page of the queue shows, in which order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone

from alerts import query
from alerts.models import Alert, AlertQuerySet, Queue
from alerts.query_fields import Asker
from alerts.visibility import masked

PAGE = 50
LOOKED = 20_000  # alerts a page looks through for what no index finds: a matter of milliseconds
URGENCY = Alert.URGENCY
LATEST = ("-id",)
DECIDED = ("-closed_at", "-id")
RETURNING = ("snoozed_until", "id")


@dataclass(frozen=True)
class Page:
    """One page of rows and the cursor of the page after it, if there is one.

    `stopped`: so many alerts were looked through that the rest waits for whoever asks on.
    """

    rows: list[Alert]
    after: str
    stopped: bool = False


@dataclass(frozen=True)
class Question:
    """What is asked of the queue: filters that indexes serve, and what is looked through for."""

    filters: Mapping[str, Any]
    queues: Sequence[Queue]
    rest: Q | None = None

    @property
    def order(self) -> tuple[str, ...]:
        return order_of(self.filters)


def asked_in(address: str, hidden: bool) -> dict[str, Any]:
    """The filters in the part of an address behind its ?, as the page's form reads them."""
    asked: dict[str, Any] = {name: value for name, value in QueryDict(address).items() if value}
    if "mine" in asked:
        asked["mine"] = True
    if hidden:
        asked.pop("user", None)
    return asked


def question(asked: Mapping[str, Any], user: Any, queues: Sequence[Queue]) -> Question:
    """The filters of the page and its search as one. A search that cannot be read asks nothing."""
    text = asked.get("q", "")
    filters, rest = (
        query.read(text, Asker(user, queues, masked(user))).split(asked) if text else (asked, None)
    )
    return Question(filters, queues_asked(queues, filters), rest)


def narrow(alerts: AlertQuerySet, asked: Mapping[str, Any], user: Any) -> AlertQuerySet:
    """The alerts that answer the filters, but for that of the queue: see `queues_asked`."""
    alerts = _with_status(alerts, asked.get("status", ""), user)
    if "level" in asked:
        alerts = alerts.filter(level=asked["level"])
    if "reason" in asked:
        # Implied by the first, but PostgreSQL does not see that its index holds all of them.
        alerts = alerts.filter(reason_codes__contains=[asked["reason"]]).exclude(reason_codes=[])
    if "suspected" in asked:
        alerts = alerts.filter(suspected=asked["suspected"])
    if "user" in asked:
        alerts = alerts.about(asked["user"])
    if "mine" in asked:
        alerts = alerts.filter(assignee=user)
    return alerts


def queues_asked(queues: Iterable[Queue], asked: Mapping[str, Any]) -> list[Queue]:
    """Of the queues somebody sees the one they ask for; without such a filter all of them."""
    wanted = asked.get("queue")
    return [queue for queue in queues if wanted in {None, "", queue.slug}]


def order_of(asked: Mapping[str, Any]) -> tuple[str, ...]:
    """Most urgent first; what is decided, latest first; what is snoozed, as it comes back. Every
    order ends with the id."""
    orders = {"closed": DECIDED, "all": LATEST, "snoozed": RETURNING}
    return orders.get(asked.get("status", ""), URGENCY)


def page_of(
    alerts: AlertQuerySet,
    queues: Sequence[Queue],
    order: tuple[str, ...],
    after: str = "",
    size: int | None = None,
    rest: Q | None = None,
) -> Page:
    """The rows behind the cursor: no page is skipped or repeated when alerts come and go.

    In two queries, which ones and then those: they are found by indexes alone. With a `rest` that
    no index serves one query more finds how far to look.
    """
    size = size or PAGE
    alerts = beyond(alerts, order, after)
    edge = None
    if rest is not None:
        edge = edge_of(alerts, queues, order)
        alerts = up_to(alerts, order, edge).filter(rest)
    found = list(alerts.across(queues, order, size + 1))
    rows = _in_order([row[-1] for row in found[:size]])
    if len(found) > size:
        return Page(rows, cursor_of(rows[-1], order))
    return Page(rows, _cursor(edge) if edge else "", stopped=edge is not None)


def edge_of(
    alerts: AlertQuerySet, queues: Sequence[Queue], order: tuple[str, ...], most: int | None = None
) -> tuple[Any, ...] | None:
    """The last alert that is looked at, as what this order is made of; None: all of them are."""
    most = most or LOOKED
    last = list(alerts.across(queues, order, most + 1)[most - 1 : most + 1])
    return last[0] if len(last) > 1 else None


def up_to(
    alerts: AlertQuerySet, order: tuple[str, ...], edge: tuple[Any, ...] | None
) -> AlertQuerySet:
    """Those no further than that; all of them without an edge."""
    if edge is None:
        return alerts
    turned = [name.lstrip("-") if name.startswith("-") else f"-{name}" for name in order]
    return alerts.filter(_behind(turned, edge) | Q(pk=edge[-1]), **_start(turned, edge))


def _in_order(ids: Sequence[int]) -> list[Alert]:
    rows = Alert.objects.for_rows().in_bulk(ids)
    return [rows[pk] for pk in ids if pk in rows]


def cursor_of(alert: Alert, order: tuple[str, ...]) -> str:
    return _cursor([getattr(alert, name.lstrip("-")) for name in order])


def _cursor(values: Sequence[Any]) -> str:
    return "~".join(str(value) for value in values)


def beyond(alerts: AlertQuerySet, order: tuple[str, ...], cursor: str) -> AlertQuerySet:
    """Those that come after the cursor. A cursor nobody gave out is the first page."""
    values = _read(cursor, order)
    if values is None:
        return alerts
    return alerts.filter(_behind(order, values), **_start(order, values))


def _behind(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Later than these values in this order."""
    names = [name.lstrip("-") for name in order]
    later = Q()
    for position, name in enumerate(order):
        same = dict(zip(names[:position], values[:position], strict=True))
        step = "lt" if name.startswith("-") else "gt"
        later |= Q(**same, **{f"{names[position]}__{step}": values[position]})
    return later


def _start(order: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """Implied by the rest, but it lets the index start where the page starts."""
    step = "lte" if order[0].startswith("-") else "gte"
    return {f"{order[0].lstrip('-')}__{step}": values[0]}


def is_cursor(text: str, order: tuple[str, ...]) -> bool:
    """Was it given out as the end of a page in this order?"""
    return _read(text, order) is not None


def _read(cursor: str, order: tuple[str, ...]) -> list[Any] | None:
    texts = cursor.split("~")
    if len(texts) != len(order):
        return None
    try:
        fields = [Alert._meta.get_field(name.lstrip("-")) for name in order]
        values = [field.to_python(text) for field, text in zip(fields, texts, strict=True)]
    except ValidationError:
        return None
    naive = any(isinstance(value, datetime) and timezone.is_naive(value) for value in values)
    return None if naive else values


def _with_status(alerts: AlertQuerySet, status: str, user: Any) -> AlertQuerySet:
    match status:
        case "all":
            return alerts.not_blind_for(user)
        case "closed":
            return alerts.closed().not_blind_for(user)
        case "overdue":
            return alerts.overdue()
        case "open":
            return alerts.open()
        case "snoozed":
            return alerts.asleep()
        case "unassigned":
            return alerts.awake().filter(assignee=None)
        case "changed":
            return alerts.changed_for(user)
        case "escalated":
            return alerts.filter(status=Alert.Status.ESCALATED)
    return alerts.awake()
