"""Set aside until a moment, and back again: by the clock, by a payment that joins, or by a person.

A snooze hides nothing: the alert stands in the view of what is snoozed, takes the payments that
belong to it, and is late when its time is over. Only while the customer is asked does its clock
stand still. What comes back by itself stands above everything else until somebody looks at it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts.guards import Refused, leads, locked, name_of, nobody_elses, still_open
from alerts.models import Alert, AlertLease, Snooze
from alerts.triage import UNDO_WITHIN
from anomalyshield.audit.record import record

LONGEST = timedelta(days=30)
SHORTEST = timedelta(minutes=1)
REASON_LENGTH = 500
BATCH = 200  # brought back per transaction
BACK = 1  # the boost of what came back by itself
Status, How = Alert.Status, Snooze.How


@transaction.atomic
def snooze(
    *, by: Any, alert: Alert, until: datetime, reason: str, for_customer: bool = False
) -> Alert:
    """Set it aside until then. It leaves the working lists and is given to nobody as the next.

    `for_customer` says that it waits for an answer of the customer's: only then its clock stands
    still. Whose it is stays. An alert that is asleep is snoozed anew from now on.
    """
    alert = locked(alert)
    still_open(alert)
    nobody_elses(alert, by)
    if alert.status == Status.ESCALATED:
        raise Refused(_("{alert} is part of a case: it waits there.").format(alert=alert))
    reason = reason.strip()
    _possible(until, reason)
    if alert.is_asleep:
        _end(alert, how=How.PERSON, by=by, boost=0)
    for left in Snooze.objects.standing().filter(alert=alert):  # by a case it went into meanwhile
        _note_end(left, how=How.PERSON, by=by)
    before = {"status": alert.status, "boost": alert.boost}
    alert.status = Status.PENDING_INFO if for_customer else Status.SNOOZED
    alert.snoozed_until, alert.boost = until, 0
    alert.save(update_fields=["status", "snoozed_until", "boost"])
    said = {"until": until, "reason": reason, "for_customer": for_customer}
    Snooze.objects.create(alert=alert, by=by, before=before, **said)
    AlertLease.objects.filter(alert=alert).delete()
    after = {"status": alert.status, "until": until.isoformat()}
    record(by=by, action="alert.snoozed", object=alert, before=before, after=after)
    return alert


@transaction.atomic
def wake(*, by: Any, alert: Alert) -> Alert:
    """At work again now. Within ten minutes whoever snoozed it, or a lead, takes that back: it is
    as if nobody had, its clock with it."""
    alert = locked(alert)
    still_open(alert)
    nobody_elses(alert, by)
    if not alert.is_asleep:
        raise Refused(_("{alert} is not snoozed.").format(alert=alert))
    snooze = _standing(alert)
    before = {"status": alert.status}
    if may_take_back(by, snooze):
        for name, value in snooze.before.items():
            setattr(alert, name, value)
        alert.snoozed_until = None
        alert.save(update_fields=[*snooze.before, "snoozed_until"])
        _note_end(snooze, how=How.UNDONE, by=by)
    else:
        _end(alert, how=How.PERSON, by=by, boost=0)
    after = {"status": alert.status, "how": snooze.how}
    record(by=by, action="alert.woken", object=alert, before=before, after=after)
    return alert


@transaction.atomic
def wake_due() -> int:
    """Bring back those whose time has come, by the clock of the database. Run every few seconds;
    safe beside another one: each row is claimed."""
    over = Alert.objects.asleep().filter(snoozed_until__lte=Now()).order_by("snoozed_until", "pk")
    alerts = list(over.select_for_update(skip_locked=True, of=("self",))[:BATCH])
    for alert in alerts:
        _come_back(alert, How.TIME)
    return len(alerts)


def wake_joined(alerts: Iterable[Alert]) -> None:
    """Those that sleep and took a payment, at once. Their rows are locked by the caller."""
    for alert in alerts:
        if alert.is_asleep:
            _come_back(alert, How.PAYMENT)


def looked(*, by: Any, alert: Alert) -> None:
    """Somebody who works it has it before their eyes: what came back stands where it belongs
    again. No event, as for a look."""
    if alert.boost and by.may("alert.work"):
        Alert.objects.filter(pk=alert.pk).update(boost=0)


def may_take_back(by: Any, snooze: Snooze) -> bool:
    fresh = snooze.ended_at is None and timezone.now() - snooze.at < UNDO_WITHIN
    return fresh and (snooze.by_id == by.pk or leads(by))


def _come_back(alert: Alert, how: Snooze.How) -> None:
    before = {"status": alert.status}
    _end(alert, how=how, by=None, boost=BACK)
    after = {"status": alert.status, "how": how.value, "whose": name_of(alert.assignee)}
    record(by="system", action="alert.woken", object=alert, before=before, after=after)


def _end(alert: Alert, *, how: Snooze.How, by: Any, boost: int) -> None:
    """Awake: theirs who had it. For as long as the customer was asked its clock stood still."""
    snooze = _standing(alert)
    if alert.status == Status.PENDING_INFO:
        alert.due_at += timezone.now() - snooze.at
    alert.status = Status.ASSIGNED if alert.assignee_id else Status.NEW
    alert.snoozed_until, alert.boost = None, boost
    alert.save(update_fields=["status", "snoozed_until", "boost", "due_at"])
    _note_end(snooze, how=how, by=by)


def _note_end(snooze: Snooze, *, how: Snooze.How, by: Any) -> None:
    snooze.how, snooze.ended_at, snooze.ended_by = how, timezone.now(), by
    snooze.save(update_fields=["how", "ended_at", "ended_by"])


def _standing(alert: Alert) -> Snooze:
    return Snooze.objects.standing().get(alert=alert)


def _possible(until: datetime, reason: str) -> None:
    ahead = until - timezone.now()
    if ahead < SHORTEST:
        raise Refused(_("That moment is past: say when it comes back."))
    if ahead > LONGEST + timedelta(minutes=1):
        raise Refused(_("A snooze is at most {days} days.").format(days=LONGEST.days))
    if not reason or len(reason) > REASON_LENGTH:
        raise Refused(
            _("Say why it waits, in at most {reason_length} characters.").format(
                reason_length=REASON_LENGTH
            )
        )
