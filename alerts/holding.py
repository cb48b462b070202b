"""The next question, second look or sample for whoever asks: two people never get the same one.

What is given is theirs for a quarter of an hour by the clock of the database. Taking another ends
that, and so does the answer; of somebody who went away it comes back when the time has run out.
"""

from datetime import timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from alerts.models.held import Held, HeldQuerySet
from scoring.labels import Refused

HELD = timedelta(minutes=15)
Row = TypeVar("Row", bound=Held)


@transaction.atomic
def take_first(
    waiting: HeldQuerySet[Row], *, by: Any, behind: Row | None = None, order: str = "pk"
) -> Row | None:
    """Give them the first of these that is free, or the first behind that one if there is any.

    One that is being given to somebody in this moment is passed by, not waited for: the database
    asks again, under the lock, whether it is still free. None: all are taken.
    """
    rows = waiting.free_for(by).order_by(order, "pk")
    rows = rows.select_for_update(skip_locked=True, of=("self",))
    found = rows.filter(_behind(behind, order)).first() if behind else None
    found = found or rows.first()
    return _held(found, by) if found else None


def refuse_if_another_looks(row: Held, by: Any) -> None:
    """Raises Refused with the name of who does."""
    if row.is_held_from(by):
        raise Refused(
            _("{holder} is looking at {sample}. Take the next one.").format(
                holder=row.holder, sample=row
            )
        )


def _behind(here: Held, order: str) -> Q:
    at = getattr(here, order)
    return Q(**{f"{order}__gt": at}) | Q(**{order: at, "pk__gt": here.pk})


def _held(found: Row, by: Any) -> Row:
    """One at a time: what they looked at before is free again."""
    rows = type(found)._default_manager
    rows.filter(holder=by, held_until__gt=Now()).exclude(pk=found.pk).update(held_until=None)
    rows.filter(pk=found.pk).update(holder=by, held_until=Now() + HELD)
    found.refresh_from_db(fields=["holder", "held_until"])
    return found
