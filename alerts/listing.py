"""Which alerts a page of the queue shows, in which order, and which one comes next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from alerts.models import Alert, AlertQuerySet, Queue
from alerts.visibility import queues_of

PAGE = 50
URGENCY = Alert.URGENCY
LATEST = ("-id",)
DECIDED = ("-closed_at", "-id")


@dataclass(frozen=True)
class Page:
    """One page of rows and the cursor of the page after it, if there is one."""

    rows: list[Alert]
    after: str


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
    """Most urgent first; what is decided, latest first. Every order ends with the id."""
    return {"closed": DECIDED, "all": LATEST}.get(asked.get("status", ""), URGENCY)


def page_of(
    alerts: AlertQuerySet,
    queues: Sequence[Queue],
    order: tuple[str, ...],
    after: str = "",
    size: int | None = None,
) -> Page:
    """The rows behind the cursor: no page is skipped or repeated when alerts come and go.

    In two queries, which ones and then those: they are found by indexes alone.
    """
    size = size or PAGE
    found = list(beyond(alerts, order, after).across(queues, order, size + 1))
    rows = _in_order([row[-1] for row in found[:size]])
    return Page(rows, cursor_of(rows[-1], order) if len(found) > size else "")


def _in_order(ids: Sequence[int]) -> list[Alert]:
    rows = Alert.objects.for_rows().in_bulk(ids)
    return [rows[pk] for pk in ids if pk in rows]


def next_for(user: Any, asked: Mapping[str, Any], current: Alert) -> Alert | None:
    """The alert this person works next: behind the current one, else from the top again."""
    queues = queues_asked(queues_of(user), asked)
    seen = Alert.objects.workable_by(user)
    waiting = narrow(seen, {**asked, "status": ""}, user).exclude(pk=current.pk)
    behind = beyond(waiting, URGENCY, cursor_of(current, URGENCY))
    found = [*behind.across(queues, URGENCY, 1)] or [*waiting.across(queues, URGENCY, 1)]
    return Alert.objects.get(pk=found[0][-1]) if found else None


def cursor_of(alert: Alert, order: tuple[str, ...]) -> str:
    values = (getattr(alert, name.lstrip("-")) for name in order)
    return "~".join(str(value) for value in values)


def beyond(alerts: AlertQuerySet, order: tuple[str, ...], cursor: str) -> AlertQuerySet:
    """Those that come after the cursor. A cursor nobody gave out is the first page."""
    values = _read(cursor, order)
    if values is None:
        return alerts
    names = [name.lstrip("-") for name in order]
    later = Q()
    for position, name in enumerate(order):
        same = dict(zip(names[:position], values[:position], strict=True))
        step = "lt" if name.startswith("-") else "gt"
        later |= Q(**same, **{f"{names[position]}__{step}": values[position]})
    # Implied by the rest, but it lets the index start where the page starts.
    start = "lte" if order[0].startswith("-") else "gte"
    return alerts.filter(later, **{f"{names[0]}__{start}": values[0]})


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
            return alerts
        case "closed":
            return alerts.closed()
        case "overdue":
            return alerts.overdue()
        case "unassigned":
            return alerts.open().filter(assignee=None)
        case "changed":
            return alerts.changed_for(user)
        case "escalated":
            return alerts.filter(status=Alert.Status.ESCALATED)
    return alerts.open()
