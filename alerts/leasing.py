"""The next alert for whoever asks: two people are never given the same one.

What is given is leased for five minutes by the clock of the database. A page renews it while it
is open; leaving, deciding or taking another ends it, and so does a browser that went away.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from alerts.listing import URGENCY, Question, beyond, cursor_of, edge_of, narrow, question, up_to
from alerts.models import Alert, AlertLease, AlertQuerySet
from alerts.visibility import queues_of
from anomalyshield.audit.record import record

LEASE = timedelta(minutes=5)
BATCH = 20  # candidates looked at together: one is enough unless many people ask at once


@transaction.atomic
def take_next(*, by: Any, asked: Mapping[str, Any], behind: Alert | None = None) -> Alert | None:
    """Give them the most urgent alert of these filters that nobody has; None: there is none.

    `behind` begins after that alert, and from the top again when nothing stands there. They hold
    one at a time: what they looked at before is free again.
    """
    asks = question(asked, by, list(queues_of(by)))
    found = _take(by, asks, cursor_of(behind, URGENCY)) if behind else None
    found = found or _take(by, asks, "", but=behind)
    if found is None:
        AlertLease.objects.filter(person=by).delete()
    else:
        record(by=by, action="alert.given", object=found)
    return found


@transaction.atomic
def renew(*, by: Any, alert: Alert) -> AlertLease | None:
    """They still look at it: five minutes from now. None if it is not theirs any more.

    No event: that somebody keeps a page open changes nothing and is said once a minute.
    """
    held = AlertLease.objects.filter(person=by, alert=alert)
    if held.update(until=Now() + LEASE):
        return held.first()
    if not _locked(by, alert.pk):
        return None
    lease(by, alert)
    return held.first()


@transaction.atomic
def leave(*, by: Any, alert: Alert) -> None:
    """They look at something else; it is free for the next who asks. No event, as for `renew`."""
    AlertLease.objects.filter(person=by, alert=alert).delete()


def workable(by: Any) -> AlertQuerySet:
    """What can be given to them: waiting, nobody else's, and nobody else is looking at it."""
    looked_at = AlertLease.objects.of_others(by).values("alert")
    return Alert.objects.workable_by(by).exclude(pk__in=looked_at)


def lease(by: Any, alert: Alert) -> None:
    """Theirs for five minutes instead of what they had. The alert's row is locked by the caller.

    A lease of another that ran out is taken over; one person in two windows has the later one.
    """
    AlertLease.objects.filter(alert=alert).exclude(person=by).delete()
    made = AlertLease(alert=alert, person=by, until=Now() + LEASE)
    AlertLease.objects.bulk_create(
        [made], update_conflicts=True, unique_fields=["person"], update_fields=["alert", "until"]
    )


def _take(by: Any, asks: Question, after: str, but: Alert | None = None) -> Alert | None:
    """The first of the candidates that can be locked and is still free then."""
    waiting = narrow(workable(by), {**asks.filters, "status": ""}, by)
    waiting = waiting.exclude(pk=but.pk) if but else waiting
    while ids := _candidates(waiting, asks, after):
        for pk in ids:
            if alert := _locked(by, pk):
                lease(by, alert)
                return alert
        after = cursor_of(Alert.objects.get(pk=ids[-1]), URGENCY)
    return None


def _candidates(waiting: AlertQuerySet, asks: Question, after: str) -> Sequence[int]:
    alerts = beyond(waiting, URGENCY, after)
    if asks.rest is not None:
        edge = edge_of(alerts, asks.queues, URGENCY)
        alerts = up_to(alerts, URGENCY, edge).filter(asks.rest)
    return [row[-1] for row in alerts.across(asks.queues, URGENCY, BATCH)]


def _locked(by: Any, pk: int) -> Alert | None:
    """The alert, locked, if it is still free: asked again under the lock, by a fresh snapshot."""
    rows = Alert.objects.select_for_update(skip_locked=True, of=("self",))
    alert = rows.filter(pk=pk).first()
    return alert if alert and workable(by).filter(pk=pk).exists() else None
