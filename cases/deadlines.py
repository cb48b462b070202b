"""Until when, by which clock: business clocks that pause, the regulator's that never do.

Pure functions of moments that are given: no Django, no present. What the regulator asks of a bank:

- 31 CFR 1020.320(b)(3): a report no later than 30 calendar days after the date of initial detection
  of facts that may constitute a basis for it; where no suspect was identified on that date, up to
  30 more to identify one, and in no case later than 60.
- FinCEN's guidance on continuing activity: a review of 90 days, reported within 120 calendar days
  of the report before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cases.calendars import Calendar, add_business_time, business_time_between

FILING_DAYS, WITHOUT_SUBJECT_DAYS, CONTINUING_DAYS = 30, 60, 120
Pause = tuple[datetime, datetime | None]  # from, until; None: it lasts


def business_deadline(
    calendar: Calendar, start: datetime, length: timedelta, pauses: Sequence[Pause] = ()
) -> datetime | None:
    """When `length` of business time has passed outside pauses; None while one of them lasts.

    Pauses are in order and do not overlap; what lies outside working hours stops nothing.
    """
    left, since = length, start
    for begin, end in pauses:
        worked = business_time_between(calendar, since, max(begin, since))
        if worked >= left:  # it ran out before that
            break
        if end is None:
            return None
        left, since = left - worked, max(end, since)
    return add_business_time(calendar, since, left)


def regulatory_deadline(on: date, days: int, zone: str) -> datetime:
    """The end of the last day, in the house's zone: day 1 is the day after the determination."""
    after = datetime.combine(on + timedelta(days=days + 1), time(0), ZoneInfo(zone))
    return after.astimezone(UTC)


def filing_days(subject_known: bool) -> int:
    """30 days; 60 where nobody is known yet whom the report would be about."""
    return FILING_DAYS if subject_known else WITHOUT_SUBJECT_DAYS


@dataclass(frozen=True)
class Forecast:
    """Which cases are late, and which will be at the pace of the past; None: no pace is known."""

    late: list[int]
    breaches: list[int]
    each: timedelta | None  # business time per case

    @property
    def hours(self) -> str:
        """Business hours per case, as people say them."""
        return f"{self.each.total_seconds() / 3600:.0f}" if self.each else ""


def forecast(
    waiting: Sequence[tuple[int, datetime]],
    *,
    now: datetime,
    calendar: Calendar,
    closed: int,
    worked: timedelta,
) -> Forecast:
    """What becomes of open cases (id, deadline) if they are closed one by one, the nearest first.

    `closed` cases in `worked` of business time is the pace; late ones take their turn like others.
    """
    late = [number for number, due in waiting if due <= now]
    if not closed or worked <= timedelta(0):
        return Forecast(late, [], None)
    each, moment, breaches = worked / closed, now, []
    for number, due in sorted(waiting, key=lambda one: (one[1], one[0])):
        moment = add_business_time(calendar, moment, each)
        if now < due < moment:
            breaches.append(number)
    return Forecast(late, breaches, each)
