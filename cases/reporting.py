"""A report from the question whether one is due to what the authority answered.

Export only: nothing is sent from here. Who asks for agreement never gives it, to a report as to
the decision not to make one; the database repeats that rule.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from anomalyshield.audit.record import record
from anomalyshield.templatetags.words import within
from cases import clocks, narrative, sections
from cases.facts import facts_of
from cases.models import Case, CaseEvent, Clock, Report, ReportVersion
from cases.report_steps import STEPS, TITLES, Step
from cases.states import Refused
from cases.steps import locked, tell

S = Report.State
REGULATORY = Clock.REGULATORY


@transaction.atomic
def begin(*, by: Any, case: Case, on: date, subject_known: bool = True, reason: str = "") -> Report:
    """Something may have to be reported: from the day of the determination its clock runs."""
    case = locked(case)
    if case.reports.exclude(state__in=(S.NO_FILE, S.ACKNOWLEDGED, S.CONTINUING)).exists():
        raise Refused(_("A report about {case} is under way already.").format(case=case))
    clocks.determine(by=by, case=case, on=on, subject_known=subject_known, reason=reason)
    return _made(case, by, S.DECISION_PENDING)


@transaction.atomic
def decline(*, by: Any, report: Report, no_file: str, reason: str) -> Report:
    """Propose not to file, with the reason. A second person has to agree."""
    report = _held(report)
    if report.asks_not_to_file:
        raise Refused(_waits(report))
    if report.state != S.DECISION_PENDING:
        raise Refused(_why_not(report, "confirm"))
    report.no_file, report.reason = Report.NoFile(no_file), reason
    _ask(report, by)
    report.save()
    words = f"{report.get_no_file_display()}: {reason}"
    _say(report, by, "report.not_filing_proposed", "should not be made", words)
    if not report.four_eyes:
        return step(by=by, report=report, step="confirm", seen=report.proposal)
    return report


@transaction.atomic
def save(*, by: Any, report: Report, content: Mapping[str, Mapping[str, str]]) -> ReportVersion:
    """Keep what it says now as another version; the ones before stay. Nothing has to be complete.

    Saying the same again makes no version.
    """
    report = _held(report)
    if not report.is_written:
        raise Refused(
            _("{report} is {state}: its words stay.").format(
                report=report, state=within(report.get_state_display())
            )
        )
    before, said = report.current, sections.cleaned(content)
    if before is not None and before.content == said:
        return before
    number = before.number + 1 if before else 1
    kept = ReportVersion.objects.create(report=report, number=number, content=said, by=by)
    after = {"report": report.number, "version": number, "sha256": kept.sha256}
    record(by=by, action="report.saved", object=report.case, after=after)
    return kept


@transaction.atomic
def draft(*, by: Any, report: Report) -> ReportVersion:
    """Fill what the rows of the case say: dates, sums and the narrative, as another version.

    What a person wrote into other boxes stays; the narrative is written anew.
    """
    report = _held(report)
    content = report.current.content if report.current else sections.empty()
    return save(by=by, report=report, content=filled(content, report, by))


@transaction.atomic
def step(
    *,
    by: Any,
    report: Report,
    step: str,
    seen: str = "",
    reason: str = "",
    on: date | None = None,
    reference: str = "",
) -> Report:
    """Take it a step further as the table allows; `seen` is the `Report.proposal` that was read.

    Refused with a sentence for a step that does not fit, that lacks what it needs, or that the
    person who asked for it may not take.
    """
    report = _held(report)
    row = STEPS[step]
    _fits(report, step, row)
    _told(row, seen, reason, on, reference)
    if row.second:
        _second(report, by, seen)
    said = {"by": by, "reason": reason, "on": on, "reference": reference}
    before = report.state
    if act := ACTS.get(step):
        act(report, said)
    report.state = row.target
    report.save()
    if follow := AFTER.get(step):
        follow(report, said)
    words = " ".join(filter(None, (str(on or ""), reference, reason)))
    _say(report, by, f"report.{step}", row.words, words, before=before)
    return report


def steps_for(report: Report, by: Any) -> list[str]:
    """What this person may do with it now, in the order of the table."""
    return [name for name, row in STEPS.items() if _open_to(report, name, row, by)]


def filled(content: Mapping[str, Any], report: Report, by: Any) -> dict[str, dict[str, str]]:
    """What the case and the last report say, where nobody has written something else."""
    facts, said = facts_of(report.case, by), sections.cleaned(content)
    last = ReportVersion.objects.exclude(report=report).filter(report__state__in=(
        S.APPROVED, S.FILED, S.ACKNOWLEDGED, S.CONTINUING,
    )).order_by("-pk").first()  # fmt: skip
    known = {
        ("subject", "known"): clocks.subject_known(report.case),
        ("subject", "customer"): facts.subject,
        ("activity", "currency"): facts.currency,
        ("activity", "typology"): _typologies(facts.alerts),
    }
    if facts.payments:
        known[("activity", "began")] = f"{facts.first:%Y-%m-%d}"
        known[("activity", "ended")] = f"{facts.last:%Y-%m-%d}"
        known[("activity", "amount")] = f"{facts.total:.2f}"
    for section in ("institution", "contact"):
        for name, text in (last.content[section] if last else {}).items():
            known[(section, name)] = text
    for (section, name), text in known.items():
        said[section][name] = said[section][name] or text
    said["narrative"]["text"] = narrative.drafted(facts)
    return said


def _typologies(alerts: list[Any]) -> str:
    kinds = [(one.get_typology_display() or one.get_suspected_display()) for one in alerts]
    return ", ".join(dict.fromkeys(filter(None, kinds)))


def _made(case: Case, by: Any, state: Report.State, continues: Report | None = None) -> Report:
    last = case.reports.aggregate(last=Max("number"))["last"] or 0
    made = Report.objects.create(
        case=case, number=last + 1, state=state, made_by=by, continues=continues
    )
    _say(made, by, "report.begun", "is to be decided" if state == S.DECISION_PENDING else "is due")
    return made


def _ask(report: Report, by: Any) -> None:
    report.four_eyes = settings.FOUR_EYES
    report.submitted_by, report.submitted_at = by, timezone.now()
    report.approved_by = report.approved_at = None
    report.answer = ""


def _submit(report: Report, said: dict[str, Any]) -> None:
    content = report.current.content if report.current else sections.empty()
    wrong = sections.missing(content, timezone.now().date())
    if wrong:
        more = _(" And {wrong} more.").format(wrong=len(wrong) - 1) if len(wrong) > 1 else ""
        raise Refused(
            _("{report} is not complete. {sentence}{more}").format(
                report=report, sentence=wrong[0].sentence, more=more
            )
        )
    _ask(report, said["by"])


def _agree(report: Report, said: dict[str, Any]) -> None:
    report.approved_by, report.approved_at = said["by"], timezone.now()


def _back(report: Report, said: dict[str, Any]) -> None:
    report.answer = said["reason"]
    report.approved_by = report.approved_at = report.submitted_by = report.submitted_at = None


def _undecided(report: Report, said: dict[str, Any]) -> None:
    _back(report, said)
    report.no_file = report.reason = ""


def _filed(report: Report, said: dict[str, Any]) -> None:
    if said["on"] > timezone.now().date():
        raise Refused(_("Nothing was filed on a day that is still to come."))
    report.filed_on, report.reference = said["on"], said["reference"] or report.reference


def _acknowledged(report: Report, said: dict[str, Any]) -> None:
    report.reference = said["reference"]


def _answered(report: Report, said: dict[str, Any]) -> None:
    report.answer = said["reason"]


def _amended(report: Report, said: dict[str, Any]) -> None:
    _answered(report, said)
    report.approved_by = report.approved_at = report.submitted_by = report.submitted_at = None


ACTS: dict[str, Callable[[Report, dict[str, Any]], None]] = {
    "confirm": _agree,
    "doubt": _undecided,
    "reconsider": _undecided,
    "submit": _submit,
    "approve": _agree,
    "return": _back,
    "file": _filed,
    "acknowledge": _acknowledged,
    "reject": _answered,
    "amend": _amended,
}
AFTER: dict[str, Callable[[Report, dict[str, Any]], Any]] = {
    "confirm": lambda report, said: clocks.stop(report.case, *REGULATORY),
    "reconsider": lambda report, said: clocks.run_again(report.case),
    "file": lambda report, said: clocks.stop(report.case, *REGULATORY),
    "reject": lambda report, said: clocks.run_again(report.case),
    "continue": lambda report, said: _next(report, said["by"]),
}


def _next(report: Report, by: Any) -> None:
    clocks.continue_from(report.case, report.filed_on)
    _made(report.case, by, S.NOT_STARTED, continues=report)


def _held(report: Report) -> Report:
    case = locked(report.case)
    found = Report.objects.select_for_update(of=("self",)).select_related("submitted_by")
    held = found.get(pk=report.pk)
    held.case = case
    return held


def _fits(report: Report, name: str, row: Step) -> None:
    if report.state not in row.sources:
        raise Refused(_why_not(report, name))
    if name == "prepare" and report.asks_not_to_file:
        raise Refused(_waits(report))
    if name in ("confirm", "doubt") and not report.asks_not_to_file:
        raise Refused(_("Nobody has proposed not to file {report}.").format(report=report))


def _told(row: Step, seen: str, reason: str, on: date | None, reference: str) -> None:
    said = {"seen": seen, "reason": reason, "on": on, "reference": reference}
    words = {
        "seen": _("Say which proposal you read."),
        "reason": _("Say why."),
        "on": _("Say on which day."),
        "reference": _("Say under which number."),
    }
    for name in row.needs:
        if not said[name]:
            raise Refused(words[name])


def _second(report: Report, by: Any, seen: str) -> None:
    if report.four_eyes and by.pk == report.submitted_by_id:
        raise Refused(
            _("You asked for agreement to {report}. A second person has to give it.").format(
                report=report
            )
        )
    if seen != report.proposal:
        raise Refused(
            _("{report} changed while you were reading. Read it again.").format(report=report)
        )


def _open_to(report: Report, name: str, row: Step, by: Any) -> bool:
    own = row.second and report.four_eyes and by.pk == report.submitted_by_id
    waits = report.asks_not_to_file
    if name in ("confirm", "doubt", "prepare"):
        return report.state in row.sources and waits == (name != "prepare") and not own
    return report.state in row.sources and not own


def _why_not(report: Report, name: str) -> str:
    return _("{report} is {state}: “{titles}” does not fit now.").format(
        report=report, state=within(report.get_state_display()), titles=TITLES[name]
    )


def _waits(report: Report) -> str:
    return _("{submitted_by} proposed not to file {report}. Answer that first.").format(
        submitted_by=report.submitted_by, report=report
    )


def _say(
    report: Report, by: Any, action: str, words: str, text: str = "", before: str = ""
) -> None:
    """Into the timeline with its words, into the trail without."""
    said = f"Report {report.number} {words}" + (f": {text}" if text else ".")
    tell(report.case, CaseEvent.Kind.REPORT, by, said)
    after = {"report": report.number, "state": report.state}
    told = {"state": before} if before else None
    record(by=by, action=action, object=report.case, before=told, after=after)
