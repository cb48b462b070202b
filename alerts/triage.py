"""What people do with an alert: claim, release, decide, undo, comment, escalate."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerts import consequences, drawing, ranking
from alerts.dispositions import FOUND
from alerts.guards import Refused, leads, locked, name_of, nobody_elses, still_open
from alerts.models import Alert, Note, Verdict
from alerts.visibility import queues_of
from anomalyshield.audit.record import record
from scoring import lists
from scoring.models import ListEntry

UNDO_WITHIN = timedelta(minutes=10)

CHANGED = ("status", "assignee_id")  # by a verdict, besides what an open alert never has


@transaction.atomic
def claim(*, by: Any, alert: Alert) -> Alert:
    """Make it theirs. Of two people at once one succeeds and the other is told who won."""
    alert = locked(alert)
    still_open(alert)
    nobody_elses(alert, by)
    before = {"assignee": name_of(alert.assignee)}
    alert.assignee = by
    if alert.status == Alert.Status.NEW:
        alert.status = Alert.Status.ASSIGNED
    alert.save(update_fields=["assignee", "status"])
    record(
        by=by, action="alert.claimed", object=alert, before=before, after={"assignee": name_of(by)}
    )
    return alert


@transaction.atomic
def release(*, by: Any, alert: Alert) -> Alert:
    """Give it back to the queue."""
    alert = locked(alert)
    still_open(alert)
    nobody_elses(alert, by)
    before = {"assignee": name_of(alert.assignee)}
    alert.assignee = None
    if alert.status == Alert.Status.ASSIGNED:
        alert.status = Alert.Status.NEW
    alert.save(update_fields=["assignee", "status"])
    record(by=by, action="alert.released", object=alert, before=before, after={"assignee": ""})
    return alert


@transaction.atomic
def assign(*, by: Any, alert: Alert, to: Any) -> Alert:
    """Give it to somebody who works its queue. Others' alerts: for leads."""
    alert = locked(alert)
    still_open(alert)
    nobody_elses(alert, by)
    if to != by and not leads(by):
        raise Refused(_("A lead gives alerts to others."))
    if not (to.may("alert.work") and queues_of(to).filter(pk=alert.queue_id).exists()):
        raise Refused(_("{to} does not work the queue of {alert}.").format(to=to, alert=alert))
    before = {"assignee": name_of(alert.assignee)}
    alert.assignee = to
    if alert.status == Alert.Status.NEW:
        alert.status = Alert.Status.ASSIGNED
    alert.save(update_fields=["assignee", "status"])
    record(
        by=by, action="alert.assigned", object=alert, before=before, after={"assignee": name_of(to)}
    )
    return alert


@transaction.atomic
def put_back(*, by: Any, alert: Alert, before: dict[str, Any], after: dict[str, Any]) -> Alert:
    """Whose it was before it was assigned or given back, if it is still as that left it."""
    alert = locked(alert)
    if {name: getattr(alert, name) for name in after} != after:
        raise Refused(
            _("Somebody went on with {alert} meanwhile: it stays as it is.").format(alert=alert)
        )
    for name, value in before.items():
        setattr(alert, name, value)
    alert.save(update_fields=[*before])
    alert = locked(alert)
    record(
        by=by, action="alert.put_back", object=alert, after={"assignee": name_of(alert.assignee)}
    )
    return alert


@transaction.atomic
def decide(
    *,
    by: Any,
    alert: Alert,
    disposition: str,
    typology: str = "",
    note: str = "",
    why: str = "",
    put: Sequence[lists.Wish] = (),
    seen: int | None = None,
    confidence: str = "",
    worth_reviewing: bool | None = None,
) -> Alert:
    """Close it with what it was, label each of its payments, release or decline what they hold.

    All of it or nothing, and with it the events that tell upstream and what is `put` on a list.
    The row is locked first: of two decisions at once the second is refused with a sentence, and no
    payment joins meanwhile. `seen` is how many payments the person was shown; when more have
    joined since, nothing happens and a sentence says so. Whether it was worth looking at is asked
    apart from what it was; None is no answer. `why` names what stands behind it when
    that is not the alert page. The trail holds no free text of the note: it can never be erased,
    and people write names into notes.
    """
    alert = locked(alert)
    still_open(alert)
    if not why:
        nobody_elses(alert, by)
    _nothing_new(alert, seen)
    meant = Alert.Disposition(disposition)
    if typology and meant not in FOUND:
        typology = ""  # a typology is a kind of fraud
    before = {name: getattr(alert, name) for name in CHANGED}
    close(alert, by=by, disposition=meant, typology=typology)
    said = Note.objects.create(alert=alert, author=by, text=note) if note else None
    verdict = Verdict.objects.create(
        alert=alert,
        disposition=meant,
        by=by,
        at=alert.closed_at,
        behind=why[:80],
        confidence=confidence or Verdict.Confidence.FAIRLY,
        worth_reviewing=worth_reviewing,
        note=said,
        before=before,
        listed=[one.pk for one in put_on_list(by=by, alert=alert, put=put)] if put else [],
    )
    resolution = consequences.follow(verdict)
    drawing.draw(verdict)
    after = {"status": alert.status, "disposition": meant.value, "typology": typology}
    after["payment"] = resolution.state if resolution else _("was never held")
    after["payments"] = alert.hit_count
    after |= {"confidence": verdict.confidence, "worth_reviewing": worth_reviewing}
    record(
        by=by,
        action="alert.decided",
        object=alert,
        before={"status": before["status"]},
        after=after,
        reason=why,
    )
    return alert


@transaction.atomic
def undo(*, by: Any, alert: Alert) -> Alert:
    """Take the decision back within ten minutes: the alert is as before, the labels superseded,
    its payments held as before, what was listed with it ended, and upstream is told.

    Refused with a sentence when it is too late, someone else's, part of a closed case, or final
    for an upstream system. What was written as a note stays: it was said.
    """
    alert = locked(alert)
    verdict = _undoable(alert, by)
    consequences.take_back(verdict, by=by)
    before = {"status": alert.status, "disposition": alert.disposition}
    for entry in ListEntry.objects.living().filter(pk__in=verdict.listed):
        lists.end(by=by, entry=entry, reason=f"The decision on {alert} was taken back.")
    _reopen(alert, verdict)
    verdict.undone_at, verdict.undone_by = timezone.now(), by
    verdict.save(update_fields=["undone_at", "undone_by"])
    record(
        by=by, action="alert.undone", object=alert, before=before, after={"status": alert.status}
    )
    return alert


@transaction.atomic
def put_on_list(*, by: Any, alert: Alert, put: Sequence[lists.Wish]) -> list[ListEntry]:
    """Put somebody of this alert on a list. Who stands there already is left as they are."""
    made = []
    for wish in put:
        try:
            made.append(lists.put(by=by, wish=wish, behind=str(alert)))
        except lists.Already:
            continue
        except lists.Refused as refusal:
            raise Refused(str(refusal)) from refusal
    return made


def bind(*, alerts: Sequence[Alert], behind: str) -> None:
    """From now on these verdicts are part of something that nobody takes back alone."""
    standing = Verdict.objects.filter(alert__in=alerts, undone_at=None)
    standing.update(behind=behind[:80])


def may_undo(by: Any, alert: Alert) -> bool:
    """Is it worth offering? The verb looks again."""
    if alert.is_open or not by.may("label.change"):
        return False
    fresh = timezone.now() - alert.closed_at < UNDO_WITHIN
    return fresh and (alert.closed_by_id == by.pk or leads(by))


@transaction.atomic
def comment(*, by: Any, alert: Alert, text: str) -> Note:
    """Write a note on it, open or closed."""
    note = Note.objects.create(alert=alert, author=by, text=text)
    record(by=by, action="alert.commented", object=alert, after={"note": note.pk})
    return note


@transaction.atomic
def escalate(*, by: Any, alert: Alert, why: str) -> Alert:
    """Mark it as part of an investigation. It stays undecided, and whoever escalates keeps it."""
    alert = locked(alert)
    still_open(alert)
    nobody_elses(alert, by)
    before = {"status": alert.status}
    alert.status = Alert.Status.ESCALATED
    alert.assignee = alert.assignee or by
    alert.save(update_fields=["status", "assignee"])
    record(by=by, action="alert.escalated", object=alert, before=before, reason=why)
    return alert


def _undoable(alert: Alert, by: Any) -> Verdict:
    """The standing verdict, if this person may take it back now."""
    verdict = alert.verdicts.filter(undone_at=None).select_related("by").first()
    if alert.is_open or verdict is None:
        raise Refused(
            _("{alert} is not decided: there is nothing to take back.").format(alert=alert)
        )
    if verdict.by != by and not leads(by):
        raise Refused(
            _("{by} decided {alert}. Ask them, or a lead, to take it back.").format(
                by=verdict.by, alert=alert
            )
        )
    if verdict.behind:
        raise Refused(
            _("{alert} stays decided: {behind}.").format(alert=alert, behind=verdict.behind)
        )
    age = timezone.now() - verdict.at
    if age > UNDO_WITHIN:
        raise Refused(
            _(
                "{alert} was decided {minutes} minutes ago. It can be undone for {minutes_2} "
                "minutes."
            ).format(
                alert=alert,
                minutes=int(age.total_seconds() // 60),
                minutes_2=int(UNDO_WITHIN.total_seconds() // 60),
            )
        )
    return verdict


def _reopen(alert: Alert, verdict: Verdict) -> None:
    for name, value in verdict.before.items():
        setattr(alert, name, value)
    alert.disposition = alert.typology = ""
    alert.closed_by = alert.closed_at = alert.duplicate_of = None
    said = ["disposition", "typology", "closed_by", "closed_at", "duplicate_of"]
    alert.save(update_fields=[*verdict.before, *said])
    ranking.anew([alert])  # a new cost model passes decided alerts by


def _nothing_new(alert: Alert, seen: int | None) -> None:
    """Nobody decides about a payment that was not on their page."""
    if seen is None or seen >= alert.hit_count:
        return
    new = alert.hit_count - seen
    told = ngettext(
        "{new} payment has joined {alert} since you opened it. Look again, then decide.",
        "{new} payments have joined {alert} since you opened it. Look again, then decide.",
        new,
    )
    raise Refused(told.format(new=new, alert=alert))


def close(
    alert: Alert, *, by: Any, disposition: Alert.Disposition, typology: str = "", of: Any = None
) -> None:
    """The row as it is from now on; whoever asks has locked it, and keeps the verdict."""
    alert.status = Alert.Status.CLOSED
    alert.disposition = disposition
    alert.typology = typology
    alert.assignee = alert.assignee or by
    alert.closed_by = by
    alert.closed_at = timezone.now()
    alert.duplicate_of = of
    said = ["status", "disposition", "typology", "assignee", "closed_by", "closed_at"]
    alert.save(update_fields=[*said, "duplicate_of"])
