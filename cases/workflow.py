"""An investigation from its opening to the second person who closes it."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from alerts import triage
from alerts.models import Alert
from anomalyshield.audit.record import record
from cases.models import Case, CaseEvent
from scoring import reasons
from scoring.engine.decision import Level

LEVELS = list(Level)  # from LOW to CRITICAL
DISPOSITION_OF = {
    Case.Outcome.CONFIRMED: Alert.Disposition.TRUE_POSITIVE_FRAUD,
    Case.Outcome.REFUTED: Alert.Disposition.FALSE_POSITIVE,
    Case.Outcome.INCONCLUSIVE: Alert.Disposition.INCONCLUSIVE,
}


class Refused(triage.Refused):
    """The case does not allow this now; the message is a sentence for the person who asked."""


@transaction.atomic
def open_case(*, by: Any, alerts: Sequence[Alert], title: str = "", note: str = "") -> Case:
    """Start an investigation of one subject from its alerts. Open ones become ESCALATED."""
    subject = _subject_of(alerts)
    case = Case.objects.create(
        title=title or _title(alerts),
        subject=subject,
        level=max((alert.level for alert in alerts), key=LEVELS.index),
        opened_by=by,
        owner=by,
    )
    tell(case, CaseEvent.Kind.OPENED, by, note)
    record(
        by=by, action="case.opened", object=case, after={"title": case.title, "level": case.level}
    )
    for alert in alerts:
        add_alert(by=by, case=case, alert=alert)
    return case


@transaction.atomic
def add_alert(*, by: Any, case: Case, alert: Alert) -> Case:
    """Bring one more alert of the same subject into an open case. Adding it again does nothing."""
    case = locked(case)
    still_open(case)
    not_pending(case)
    if case.subject not in alert.subjects:
        raise Refused(f"{alert} concerns another entity than {case}.")
    if case.alerts.filter(pk=alert.pk).exists():
        return case
    if alert.is_open:
        triage.escalate(by=by, alert=alert, why=str(case))
    case.alerts.add(alert)
    case.level = max(case.level, alert.level, key=LEVELS.index)
    case.save(update_fields=["level"])
    tell(case, CaseEvent.Kind.ALERT_ADDED, by, str(alert))
    record(by=by, action="case.alert_added", object=case, after={"alert": alert.pk})
    return case


@transaction.atomic
def escalate(*, by: Any, alert: Alert, note: str = "") -> Case:
    """Into the open case of the alert's subject if there is one, else into a new case."""
    subjects = sorted(alert.subjects)
    _one_at_a_time(subjects)
    case = Case.objects.visible_to(by).under_way().filter(subject__in=subjects).first()
    if case is None:
        return open_case(by=by, alerts=[alert], note=note)
    case = add_alert(by=by, case=case, alert=alert)
    if note:
        add_note(by=by, case=case, text=note)
    return case


@transaction.atomic
def add_note(*, by: Any, case: Case, text: str) -> CaseEvent:
    """Write an entry into the timeline of an open case."""
    case = locked(case)
    still_open(case)
    event = tell(case, CaseEvent.Kind.NOTE, by, text)
    record(by=by, action="case.commented", object=case, after={"event": event.pk})
    return event


@transaction.atomic
def propose_closure(*, by: Any, case: Case, outcome: str, findings: str) -> Case:
    """Say what it was and why. With four eyes someone else approves; alone, it closes at once."""
    case = locked(case)
    still_open(case)
    not_pending(case)
    _may_judge(case, by)
    case.outcome, case.findings = Case.Outcome(outcome), findings
    case.proposed_by, case.proposed_at = by, timezone.now()
    case.status = Case.Status.PENDING_CLOSURE_APPROVAL
    case.four_eyes = settings.FOUR_EYES
    case.save()
    tell(case, CaseEvent.Kind.CLOSURE_PROPOSED, by, f"{case.get_outcome_display()}: {findings}")
    after = {"outcome": case.outcome, "proposal": case.proposal, "four_eyes": case.four_eyes}
    record(by=by, action="case.closure_proposed", object=case, after=after)
    return case if case.four_eyes else _close(case, by)


@transaction.atomic
def approve_closure(*, by: Any, case: Case, seen: str) -> Case:
    """Close it as proposed. `seen` is the `Case.proposal` the approver read: if it has changed
    since, or the approver is the proposer, nothing happens and a sentence says why."""
    case = locked(case)
    _awaits(case)
    if case.four_eyes and case.proposed_by_id == by.pk:
        raise Refused(f"You proposed to close {case}. A second person has to approve it.")
    if seen != case.proposal:
        raise Refused(
            f"The proposal to close {case} changed while you were reading. Read it again."
        )
    return _close(case, by)


@transaction.atomic
def return_case(*, by: Any, case: Case, reason: str) -> Case:
    """Send the proposal back with what is missing."""
    case = locked(case)
    _awaits(case)
    case.status = Case.Status.RETURNED
    case.save(update_fields=["status"])
    tell(case, CaseEvent.Kind.RETURNED, by, reason)
    record(by=by, action="case.returned", object=case, after={"status": case.status})
    return case


def _close(case: Case, by: Any) -> Case:
    case.status, case.closed_by, case.closed_at = Case.Status.CLOSED, by, timezone.now()
    case.save(update_fields=["status", "closed_by", "closed_at"])
    for alert in case.alerts.open().order_by("pk"):
        # The verdict is the proposer's, so the label is too; a closed alert keeps its own.
        triage.decide(
            by=case.proposed_by,
            alert=alert,
            disposition=DISPOSITION_OF[Case.Outcome(case.outcome)],
            note=case.findings,
            why=f"{case} closed by {by.get_username()}",
        )
    # Those decided before are part of what was approved as well.
    triage.bind(alerts=case.alerts.all(), behind=f"{case} closed by {by.get_username()}")
    tell(case, CaseEvent.Kind.CLOSED, by, case.get_outcome_display())
    record(by=by, action="case.closed", object=case, after={"outcome": case.outcome})
    return case


def _title(alerts: Sequence[Alert]) -> str:
    """What it is about in words, without personal data: titles travel."""
    codes = (code for alert in alerts for code in alert.reason_codes)
    return reasons.in_one_line(codes)[:200] or "Unusual for this customer"


def _subject_of(alerts: Sequence[Alert]) -> str:
    """What they have in common: the first one's own subject, if all of them are about it."""
    common = set.intersection(*(alert.subjects for alert in alerts)) if alerts else set()
    if not common:
        raise Refused("A case is about one subject: choose alerts of the same entity.")
    return alerts[0].subject if alerts[0].subject in common else min(common)


def _one_at_a_time(subjects: Sequence[str]) -> None:
    # Two escalations of one subject at once would each miss the other's case and open a second.
    # In one order, so that two people never wait for each other in a circle.
    with connection.cursor() as cursor:
        for subject in subjects:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", ["case " + subject]
            )


def locked(case: Case) -> Case:
    return (
        Case.objects.select_for_update(of=("self",))
        .select_related("proposed_by", "closed_by")
        .get(pk=case.pk)
    )


def tell(case: Case, kind: CaseEvent.Kind, by: Any, text: str) -> CaseEvent:
    return CaseEvent.objects.create(case=case, kind=kind, author=by, text=text)


def still_open(case: Case) -> None:
    if not case.is_open:
        raise Refused(f"{case} was closed by {case.closed_by}.")


def not_pending(case: Case) -> None:
    if case.awaits_approval:
        raise Refused(f"{case} waits for the approval of its closure. Return it first.")


def _awaits(case: Case) -> None:
    still_open(case)
    if not case.awaits_approval:
        raise Refused(f"Nobody has proposed to close {case}.")


def _may_judge(case: Case, by: Any) -> None:
    """Closing labels what is still undecided, so the proposer must be allowed to."""
    undecided = case.alerts.open()
    if undecided.exists() and not by.may("label.write"):
        raise Refused(
            f"{case} holds undecided alerts. An analyst decides them or proposes closure."
        )
    if undecided.exclude(pk__in=Alert.objects.visible_to(by).values("pk")).exists():
        raise Refused(f"{case} holds undecided alerts of a queue you do not work.")
