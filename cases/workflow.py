"""An investigation from its opening to the second person who closes it."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _noop
from django.utils.translation import ngettext

from alerts import triage
from alerts.models import Alert
from anomalyshield.audit.record import record
from anomalyshield.locks import one_at_a_time
from cases import clocks, tasks
from cases.creation import begin
from cases.models import Case, CaseEvent, Clock
from cases.plays import lay_out
from cases.progress import resume
from cases.restricting import UNNAMED, behind
from cases.states import Refused, Verb, move, still_open, takes_content
from cases.steps import locked, tell
from scoring import reasons
from scoring.engine.decision import Level
from scoring.retelling import in_english

LEVELS = list(Level)  # from LOW to CRITICAL
DISPOSITION_OF = {
    Case.Outcome.CONFIRMED: Alert.Disposition.TRUE_POSITIVE_FRAUD,
    Case.Outcome.REFUTED: Alert.Disposition.FALSE_POSITIVE,
    Case.Outcome.INCONCLUSIVE: Alert.Disposition.INCONCLUSIVE,
}


@transaction.atomic
def open_case(
    *, by: Any, alerts: Sequence[Alert], title: str = "", note: str = "", draft: bool = False
) -> Case:
    """Start an investigation of one subject from its alerts. Open ones become ESCALATED.

    Where the terms of one of their queues ask for it, it waits until a second person agrees.
    `draft`: nobody is asked before it is submitted.
    """
    subject = _subject_of(alerts)
    case = Case.objects.create(
        title=title or _title(alerts),
        subject=subject,
        level=max((alert.level for alert in alerts), key=LEVELS.index),
        status=Case.Status.DRAFT,
        opened_by=by,
        owner=by,
    )
    tell(case, CaseEvent.Kind.OPENED, by, note)
    after = {"title": case.title, "level": case.level, "draft": draft}
    record(by=by, action="case.opened", object=case, after=after)
    for alert in alerts:
        case = add_alert(by=by, case=case, alert=alert)
    lay_out(by=by, case=case, alerts=alerts)
    return case if draft else begin(by=by, case=case, said=False)


@transaction.atomic
def add_alert(*, by: Any, case: Case, alert: Alert) -> Case:
    """Bring one more alert of the same subject into an open case. Adding it again does nothing."""
    case = locked(case)
    takes_content(case)
    if case.subject not in alert.subjects:
        raise Refused(
            _("{alert} concerns another entity than {case}.").format(alert=alert, case=case)
        )
    if case.alerts.filter(pk=alert.pk).exists():
        return case
    if alert.is_open:
        triage.escalate(by=by, alert=alert, why=_noop("part of a case"))
    case.alerts.add(alert)
    if (level := max(case.level, alert.level, key=LEVELS.index)) != case.level:
        case.level = level
        case.save(update_fields=["level"])
        clocks.relevel(case)
    tell(case, CaseEvent.Kind.ALERT_ADDED, by, str(alert))
    record(by=by, action="case.alert_added", object=case, after={"alert": alert.pk})
    if case.status == Case.Status.SUSPENDED:  # nobody waits for an answer while money goes on
        return resume(by=by, case=case, why=f"{alert} came in")
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
def propose_closure(
    *, by: Any, case: Case, outcome: str, findings: str, left_open: str = ""
) -> Case:
    """Say what it was and why. With four eyes someone else approves; alone, it closes at once.

    `left_open` says why it can be closed though required tasks are not done.
    """
    case = locked(case)
    move(case, Verb.PROPOSE, by=by)
    _may_judge(case, by)
    undone = _undone(case, left_open)
    case.outcome, case.findings, case.left_open = Case.Outcome(outcome), findings, left_open
    case.proposed_by, case.proposed_at = by, timezone.now()
    case.four_eyes = settings.FOUR_EYES
    case.save()
    said = f"{in_english(Case.Outcome(outcome).label)}: {findings}"
    if undone:
        said += f"\nTasks not done: {left_open}"
    tell(case, CaseEvent.Kind.CLOSURE_PROPOSED, by, said)
    after = {"outcome": case.outcome, "proposal": case.proposal, "four_eyes": case.four_eyes}
    after["tasks_left_open"] = undone
    record(by=by, action="case.closure_proposed", object=case, after=after)
    if case.four_eyes:
        return case
    move(case, Verb.CLOSE, by=by)
    return _close(case, by)


@transaction.atomic
def approve_closure(*, by: Any, case: Case, seen: str) -> Case:
    """Close it as proposed. `seen` is the `Case.proposal` the approver read: if it has changed
    since, or the approver is the proposer, nothing happens and a sentence says why."""
    case = locked(case)
    proposal = case.proposal
    move(case, Verb.CLOSE, by=by)
    if seen != proposal:
        raise Refused(
            _("The proposal to close {case} changed while you were reading. Read it again.").format(
                case=case
            )
        )
    return _close(case, by)


@transaction.atomic
def return_case(*, by: Any, case: Case, reason: str) -> Case:
    """Send the proposal back with what is missing."""
    case = locked(case)
    move(case, Verb.RETURN, by=by)
    case.save(update_fields=["status"])
    tell(case, CaseEvent.Kind.RETURNED, by, reason)
    record(by=by, action="case.returned", object=case, after={"status": case.status})
    return case


def _close(case: Case, by: Any) -> Case:
    case.closed_by, case.closed_at = by, timezone.now()
    case.save(update_fields=["status", "closed_by", "closed_at"])
    clocks.stop(case, Clock.Kind.CASE)
    for alert in case.alerts.open().order_by("pk"):
        # The verdict is the proposer's, so the label is too; a closed alert keeps its own.
        triage.decide(
            by=case.proposed_by,
            alert=alert,
            disposition=DISPOSITION_OF[Case.Outcome(case.outcome)],
            note=case.findings,
            why=UNNAMED,
        )
    # Those decided before are part of what was approved as well.
    triage.bind(alerts=case.alerts.all(), behind=behind(case, by))
    tell(case, CaseEvent.Kind.CLOSED, by, in_english(Case.Outcome(case.outcome).label))
    record(by=by, action="case.closed", object=case, after={"outcome": case.outcome})
    return case


def _title(alerts: Sequence[Alert]) -> str:
    """What it is about in words, without personal data: titles travel."""
    codes = (code for alert in alerts for code in alert.reason_codes)
    return reasons.in_one_line(codes)[:200] or _noop("Unusual for this customer")


def _subject_of(alerts: Sequence[Alert]) -> str:
    """What they have in common: the first one's own subject, if all of them are about it."""
    common = set.intersection(*(alert.subjects for alert in alerts)) if alerts else set()
    if not common:
        raise Refused(_("A case is about one subject: choose alerts of the same entity."))
    return alerts[0].subject if alerts[0].subject in common else min(common)


def _one_at_a_time(subjects: Sequence[str]) -> None:
    # Two escalations of one subject at once would each miss the other's case and open a second.
    # In one order, so that two people never wait for each other in a circle.
    for subject in subjects:
        one_at_a_time(f"case {subject}")


def _undone(case: Case, left_open: str) -> int:
    """How many required tasks are not done; with some of them it takes a reason."""
    titles = tasks.left_open(case)
    if titles and not left_open:
        told = ngettext(
            "{count} task is not done: {titles}. Do it, or say why the case can be closed without.",
            "{count} tasks are not done: {titles}. Do them, or say why the case can be closed "
            "without.",
            len(titles),
        )
        named = "; ".join(titles[:3]) + (" …" if len(titles) > 3 else "")
        raise Refused(told.format(count=len(titles), titles=named))
    return len(titles)


def _may_judge(case: Case, by: Any) -> None:
    """Closing labels what is still undecided, so the proposer must be allowed to."""
    undecided = case.alerts.open()
    if undecided.exists() and not by.may("label.write"):
        raise Refused(
            _("{case} holds undecided alerts. An analyst decides them or proposes closure.").format(
                case=case
            )
        )
    if undecided.exclude(pk__in=Alert.objects.visible_to(by).values("pk")).exists():
        raise Refused(
            _("{case} holds undecided alerts of a queue you do not work.").format(case=case)
        )
