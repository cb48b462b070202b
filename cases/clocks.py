"""The clocks of a case: started, paused with a reason, resumed, stopped; never by hand.

The work on a case has so many business hours by its level and its queue's terms. The regulator's
clock runs from the day on which somebody determined that a report may be due, closed case or not.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from anomalyshield.audit.record import record
from anomalyshield.templatetags.words import within
from cases.deadlines import (
    CONTINUING_DAYS,
    business_deadline,
    filing_days,
    regulatory_deadline,
)
from cases.models import BusinessCalendar, Case, CaseEvent, Clock, ClockPause
from cases.states import Refused
from cases.steps import locked, tell
from cases.terms import terms_for

Kind = Clock.Kind


def start(case: Case, now: datetime | None = None) -> Clock:
    """The work begins: from now on its business hours run. A clock that runs already goes on."""
    now = now or timezone.now()
    known = case.clocks.filter(kind=Kind.CASE, stopped_at=None).first()
    if known is not None:
        return known
    terms = terms_for(case)
    clock = Clock(
        case=case,
        kind=Kind.CASE,
        calendar=terms.calendar or BusinessCalendar.default(),
        started_at=now,
        length=timedelta(hours=terms.hours(case.level)),
    )
    clock.due_at = business_deadline(clock.calendar.hours, now, clock.length)
    clock.save()
    settle(case)
    return clock


def relevel(case: Case) -> None:
    """Its level rose: there is less time, counted from the same beginning."""
    clock = _work(case)
    if clock is not None:
        clock.length = timedelta(hours=terms_for(case).hours(case.level))
        _derive(clock)


def pause(case: Case, *, by: Any, reason: str, now: datetime | None = None) -> None:
    """It stands still. The regulator's does not."""
    clock = _work(case)
    if clock is None or clock.stands_still:
        return
    ClockPause.objects.create(clock=clock, begun_at=now or timezone.now(), reason=reason, by=by)
    _derive(clock)


def go_on(case: Case, now: datetime | None = None) -> None:
    """What it waited for has come: what is left of its time runs again."""
    clock = _work(case)
    if clock is None:
        return
    clock.pauses.filter(ended_at=None).update(ended_at=now or timezone.now())
    _derive(clock)


def stop(case: Case, *kinds: str, now: datetime | None = None) -> None:
    """What was due is done, or is none of our business any longer."""
    now = now or timezone.now()
    found = case.clocks.filter(kind__in=kinds, stopped_at=None)
    ClockPause.objects.filter(clock__in=found, ended_at=None).update(ended_at=now)
    found.update(stopped_at=now)
    settle(case)


def subject_known(case: Case) -> str:
    """What was said of it when the case was determined, as a report says it; nothing if not yet."""
    filing = case.clocks.filter(kind=Kind.REG_FILING).last()
    if filing is None:
        return ""
    return "yes" if filing.days == filing_days(True) else "no"


def nothing_owed(case: Case) -> None:
    """Raise while the regulator's clock runs: it ends by a report, or by two who decide on none."""
    owed = case.clocks.filter(kind__in=Clock.REGULATORY, stopped_at=None).first()
    if owed is not None:
        raise Refused(
            _(
                "{case} was determined on {determined_on}: file the report, or decide with a "
                "second person that none is made. Until then its clock runs."
            ).format(case=case, determined_on=owed.determined_on)
        )


@transaction.atomic
def determine(
    *, by: Any, case: Case, on: date, subject_known: bool = True, reason: str = ""
) -> Clock:
    """On this day facts were found that may ask for a report: its days run from then.

    30 calendar days, 60 where nobody is known yet whom it would be about (31 CFR 1020.320(b)(3)).
    Saying it again corrects the day, with a reason.
    """
    case = locked(case)
    _sensible(case, on)
    known = case.clocks.filter(kind=Kind.REG_FILING, stopped_at=None).first()
    if known is not None and not reason:
        raise Refused(
            _("{case} was determined on {determined_on}. Say why it was another day.").format(
                case=case, determined_on=known.determined_on
            )
        )
    before = _told(known) if known else None
    clock = known or Clock(case=case, kind=Kind.REG_FILING)
    _count(clock, on, filing_days(subject_known))
    words = f"on {on}: {clock.days} days, to the end of {on + timedelta(days=clock.days)}"
    tell(case, CaseEvent.Kind.DETERMINED, by, f"{words}. {reason}".removesuffix(". "))
    record(by=by, action="case.determined", object=case, before=before, after=_told(clock))
    settle(case)
    return clock


def continue_from(case: Case, filed_on: date) -> Clock:
    """A report was filed and what it tells of goes on: the next one in 120 days of it."""
    stop(case, Kind.CONTINUING)
    clock = Clock(case=case, kind=Kind.CONTINUING)
    _count(clock, filed_on, CONTINUING_DAYS)
    settle(case)
    return clock


def run_again(case: Case) -> None:
    """What was taken to be done is not, or was not taken: the last report is due as before."""
    last = case.clocks.filter(kind__in=Clock.REGULATORY).order_by("-pk").first()
    if last is not None and not case.clocks.filter(kind=last.kind, stopped_at=None).exists():
        last.stopped_at = None
        last.save(update_fields=["stopped_at"])
        settle(case)


def settle(case: Case) -> None:
    """The case knows what is due next: the list is read and narrowed by it."""
    soonest = case.clocks.running().order_by("due_at").values_list("due_at", flat=True).first()
    case.due_at = soonest
    Case.objects.filter(pk=case.pk).update(due_at=soonest)


def rederive(calendar: Any) -> int:
    """The calendar has changed: what runs by it is due at another moment. How many clocks."""
    clocks = Clock.objects.filter(calendar=calendar, stopped_at=None).select_related("case")
    for clock in clocks:
        _derive(clock)
    return len(clocks)


def _work(case: Case) -> Clock | None:
    found = case.clocks.filter(kind=Kind.CASE, stopped_at=None).select_related("calendar").first()
    if found is not None:
        found.case = case
    return found


def _derive(clock: Clock) -> None:
    """Its moment, from what is written down about it; nothing is ever added up twice."""
    if clock.is_regulatory:
        return _count(clock, clock.determined_on, clock.days, settled=True)
    pauses = list(clock.pauses.values_list("begun_at", "ended_at"))
    hours = clock.calendar.hours
    clock.due_at = business_deadline(hours, clock.started_at, clock.length, pauses)
    clock.save()
    settle(clock.case)
    return None


def _count(clock: Clock, on: date, days: int, settled: bool = False) -> None:
    if not clock.calendar_id:
        clock.calendar = terms_for(clock.case).calendar or BusinessCalendar.default()
    clock.determined_on, clock.days = on, days
    clock.started_at = clock.started_at or timezone.now()
    clock.due_at = regulatory_deadline(on, days, clock.calendar.zone)
    clock.save()
    if settled:
        settle(clock.case)


def _sensible(case: Case, on: date) -> None:
    if case.status in (Case.Status.DRAFT, Case.Status.ABANDONED):
        raise Refused(
            _("{case} is {get_status_display}: nothing is reported of it.").format(
                case=case, get_status_display=within(case.get_status_display())
            )
        )
    today = timezone.now().date()
    if on > today + timedelta(days=1):
        raise Refused(_("Nothing is determined on a day that is still to come."))
    if on < today - timedelta(days=3650):
        raise Refused(
            _("{on} lies more than ten years back. Look at the year again.").format(on=on)
        )


def _told(clock: Clock) -> dict[str, Any]:
    return {"on": str(clock.determined_on), "days": clock.days, "due_at": clock.due_at.isoformat()}
