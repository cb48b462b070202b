"""What people do with an alert: claim, release, decide, comment, escalate."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from alerts.models import Alert, Note
from anomalyshield.audit.record import record
from scoring import labels
from scoring.models import Label

LABEL_OF = {
    Alert.Disposition.TRUE_POSITIVE_FRAUD: Label.Value.TRUE_FRAUD,
    Alert.Disposition.FALSE_POSITIVE: Label.Value.FALSE_POSITIVE,
    Alert.Disposition.BENIGN_POSITIVE: Label.Value.FALSE_POSITIVE,
    Alert.Disposition.INCONCLUSIVE: Label.Value.INCONCLUSIVE,
}


# The alert, or the label it would give, does not allow this now; the message is a sentence for the
# person who asked.
Refused = labels.Refused


@transaction.atomic
def claim(*, by: Any, alert: Alert) -> Alert:
    """Make it theirs. Of two people at once one succeeds and the other is told who won."""
    alert = _locked(alert)
    _still_open(alert)
    _nobody_elses(alert, by)
    before = {"assignee": _name(alert.assignee)}
    alert.assignee = by
    if alert.status == Alert.Status.NEW:
        alert.status = Alert.Status.ASSIGNED
    alert.save(update_fields=["assignee", "status"])
    record(
        by=by, action="alert.claimed", object=alert, before=before, after={"assignee": _name(by)}
    )
    return alert


@transaction.atomic
def release(*, by: Any, alert: Alert) -> Alert:
    """Give it back to the queue."""
    alert = _locked(alert)
    _still_open(alert)
    _nobody_elses(alert, by)
    before = {"assignee": _name(alert.assignee)}
    alert.assignee = None
    if alert.status == Alert.Status.ASSIGNED:
        alert.status = Alert.Status.NEW
    alert.save(update_fields=["assignee", "status"])
    record(by=by, action="alert.released", object=alert, before=before, after={"assignee": ""})
    return alert


@transaction.atomic
def decide(
    *, by: Any, alert: Alert, disposition: str, typology: str = "", note: str = "", why: str = ""
) -> Alert:
    """Close it with what it was, and label its transaction: both or neither.

    The row is locked first, so of two decisions at once the second is refused with a sentence.
    `why` names what stands behind it when that is not the alert page. The trail holds no free
    text of the note: it can never be erased, and people write names into notes.
    """
    alert = _locked(alert)
    _still_open(alert)
    if not why:
        _nobody_elses(alert, by)
    meant = Alert.Disposition(disposition)
    if typology and meant != Alert.Disposition.TRUE_POSITIVE_FRAUD:
        typology = ""  # a typology is a kind of fraud
    before = {"status": alert.status}
    _close(alert, by=by, disposition=meant, typology=typology)
    if note:
        Note.objects.create(alert=alert, author=by, text=note)
    _label(alert, by=by, value=LABEL_OF[meant], typology=typology)
    after = {"status": alert.status, "disposition": meant.value, "typology": typology}
    record(by=by, action="alert.decided", object=alert, before=before, after=after, reason=why)
    return alert


@transaction.atomic
def comment(*, by: Any, alert: Alert, text: str) -> Note:
    """Write a note on it, open or closed."""
    note = Note.objects.create(alert=alert, author=by, text=text)
    record(by=by, action="alert.commented", object=alert, after={"note": note.pk})
    return note


@transaction.atomic
def escalate(*, by: Any, alert: Alert, why: str) -> Alert:
    """Mark it as part of an investigation. It stays undecided, and whoever escalates keeps it."""
    alert = _locked(alert)
    _still_open(alert)
    _nobody_elses(alert, by)
    before = {"status": alert.status}
    alert.status = Alert.Status.ESCALATED
    alert.assignee = alert.assignee or by
    alert.save(update_fields=["status", "assignee"])
    record(by=by, action="alert.escalated", object=alert, before=before, reason=why)
    return alert


def _leads(by: Any) -> bool:
    """The right by role is not enough: an analyst must be a lead as well; admins need not."""
    return by.may("alert.lead") and (by.is_lead or by.may("user.manage"))


def _label(alert: Alert, **said: Any) -> None:
    try:
        labels.give(
            transaction=alert.transaction, origin=Label.Origin.DISPOSITION, note=str(alert), **said
        )
    except labels.Refused as refusal:
        raise Refused(f"{alert} stays open. {refusal}") from refusal


def _locked(alert: Alert) -> Alert:
    return (
        Alert.objects.select_for_update(of=("self",))
        .select_related("transaction", "assignee", "closed_by")
        .get(pk=alert.pk)
    )


def _name(person: Any) -> str:
    return person.get_username() if person else ""


def _still_open(alert: Alert) -> None:
    if alert.status == Alert.Status.CLOSED:
        raise Refused(
            f"{alert} was already decided by {alert.closed_by}: "
            f"{alert.get_disposition_display().lower()}."
        )


def _nobody_elses(alert: Alert, by: Any) -> None:
    if alert.assignee is None or alert.assignee == by or _leads(by):
        return
    raise Refused(f"{alert.assignee} is working on {alert}. Ask them, or a lead, to release it.")


def _close(alert: Alert, *, by: Any, disposition: Alert.Disposition, typology: str) -> None:
    alert.status = Alert.Status.CLOSED
    alert.disposition = disposition
    alert.typology = typology
    alert.assignee = alert.assignee or by
    alert.closed_by = by
    alert.closed_at = timezone.now()
    alert.save(
        update_fields=["status", "disposition", "typology", "assignee", "closed_by", "closed_at"]
    )
