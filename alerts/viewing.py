"""What people keep of the queue: save a view, rename, move and remove it, arrange the table."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts.guards import leads
from alerts.models import Queue, SavedView
from anomalyshield.accounts.models import User
from anomalyshield.audit.record import record

COMFORTABLE, COMPACT = "comfortable", "compact"
# Columns that can be left out; alert, risk, score, amount and entity always stand.
COLUMNS = {
    "place": _lazy("Place"),
    "why": _lazy("Reasons"),
    "spark": "24 h",
    "age": _lazy("Age"),
    "sla": _lazy("SLA left"),
    "owner": _lazy("Owner"),
}


class Refused(Exception):
    """A view cannot be kept so; the message is a sentence for whoever asked."""


@transaction.atomic
def save(*, by: Any, name: str, query: str, queue: Queue | None = None) -> SavedView:
    """Keep filters and search under a name: for oneself, or for everybody who works the queue."""
    whose = {"queue": queue} if queue else {"owner": by}
    same = _in_turn(SavedView.objects.filter(**whose), by if queue is None else queue)
    if len(same) >= SavedView.MOST:
        raise Refused(_("{most} views are enough: remove one first.").format(most=SavedView.MOST))
    _free(same, name)
    last = max((one.position for one in same), default=0)
    view = SavedView.objects.create(
        name=name, query=tidy(query), made_by=by, position=last + 1, **whose
    )
    record(by=by, action="view.saved", object=view, after=_told(view))
    return view


@transaction.atomic
def change(*, by: Any, view: SavedView, name: str = "", to: str = "") -> SavedView:
    """Rename it, or move it one place `up` or `down` among those beside it."""
    _theirs(by, view)
    same = _in_turn(_beside(view), view.queue or view.owner)
    view = next(one for one in same if one.pk == view.pk)
    before = _told(view)
    if name and name != view.name:
        _free([one for one in same if one.pk != view.pk], name)
        view.name = name
        view.save(update_fields=["name"])
    if to:
        _move(same, view, to)
    if (after := _told(view)) != before:
        record(by=by, action="view.changed", object=view, before=before, after=after)
    return view


@transaction.atomic
def remove(*, by: Any, view: SavedView) -> None:
    """It is gone for everybody who saw it; the alerts it showed are as they were."""
    _theirs(by, view)
    record(by=by, action="view.removed", object=view, before=_told(view))
    view.delete()


@transaction.atomic
def arrange(*, by: Any, density: str, hidden: Sequence[str]) -> dict[str, Any]:
    """How dense the table stands and which columns are left out. No event: it is a look, and
    hides nothing that one click would not show."""
    look = {"density": density, "hidden": [name for name in COLUMNS if name in hidden]}
    by.displays = {**by.displays, "queue": look}
    by.save(update_fields=["displays"])
    return look


def look_of(person: Any) -> dict[str, Any]:
    """The same, as they chose it; what they never chose is comfortable and whole."""
    return {
        "density": COMFORTABLE,
        "hidden": [],
        **getattr(person, "displays", {}).get("queue", {}),
    }


def tidy(query: str) -> str:
    """The part of an address that narrows: no cursor, nothing that is empty."""
    asked = QueryDict(query, mutable=True)
    for name in [name for name, value in asked.items() if name == "after" or not value]:
        del asked[name]
    return asked.urlencode()


def may_change(by: Any, view: SavedView) -> bool:
    """One's own; a queue's by whoever made it, or a lead."""
    return by.pk in {view.owner_id, view.made_by_id} or (view.queue_id is not None and leads(by))


def _theirs(by: Any, view: SavedView) -> None:
    if not may_change(by, view):
        raise Refused(
            _("{made_by} made “{view}” for {queue}. Ask them, or a lead.").format(
                made_by=view.made_by, view=view, queue=view.queue
            )
        )


def _beside(view: SavedView) -> "QuerySet[SavedView]":
    return SavedView.objects.filter(owner=view.owner_id, queue=view.queue_id)


def _in_turn(rows: "QuerySet[SavedView]", whose: Any) -> list[SavedView]:
    """Those in their order; of two people who change them at once one waits for the other."""
    held = Queue if isinstance(whose, Queue) else User
    held._base_manager.select_for_update(no_key=True).get(pk=whose.pk)
    return list(rows.order_by("position", "pk"))


def _free(same: Sequence[SavedView], name: str) -> None:
    if any(one.name.casefold() == name.casefold() for one in same):
        raise Refused(_("There is a view called “{name}” already.").format(name=name))


def _move(same: list[SavedView], view: SavedView, to: str) -> None:
    at = same.index(view)
    beside = at + (-1 if to == "up" else 1)
    if 0 <= beside < len(same):
        same[at], same[beside] = same[beside], same[at]
    for position, one in enumerate(same, 1):
        one.position = position
    SavedView.objects.bulk_update(same, ["position"])


def _told(view: SavedView) -> dict[str, Any]:
    """The name and place of it. Not its search: people write names of customers into searches."""
    return {
        "view": view.name,
        "queue": view.queue.slug if view.queue else "",
        "position": view.position,
    }
