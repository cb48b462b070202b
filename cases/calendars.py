"""Business time: when a house works, and what that makes of hours and days. No Django here.

A week is given as working hours for each weekday, in the house's own time zone; holidays are dates.
All arithmetic walks day by day in local time and adds up what really passed, in UTC, so that a day
on which the clocks change has 23 or 25 hours outside working time and the working hours it always
has inside it; working hours across the change itself count as long as they really lasted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

Span = tuple[datetime, datetime]  # from, until; aware
Hours = tuple[time, time]  # of a day, local; 00:00 as the end is midnight

FURTHEST = 3700  # days; a calendar without working hours must not be walked for ever


class NeverOpen(ValueError):
    """The calendar has no working time in the next ten years."""


class BadCalendar(ValueError):
    """What is wrong with a calendar; `field` says where."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Calendar:
    """When a house works.

    `week` maps weekdays (Monday is 0) to working hours, at most a few spans a day in order;
    `holidays` are local dates without any.
    """

    zone: str = "UTC"
    week: Mapping[int, Sequence[Hours]] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()

    @cached_property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def spans_of(self, day: date) -> list[Span]:
        """The working hours of a local date as UTC moments; none on a holiday."""
        if day in self.holidays:
            return []
        spans = [(self._at(day, a), self._end(day, b)) for a, b in self.week.get(day.weekday(), ())]
        return [(start, end) for start, end in spans if start < end]

    def spans_from(self, moment: datetime) -> Iterator[Span]:
        """Working hours that end after the moment, in order; the first may have begun before."""
        day = moment.astimezone(self.tz).date()
        for n in range(-1, FURTHEST):  # yesterday's may last past midnight in UTC
            for span in self.spans_of(day + timedelta(days=n)):
                if span[1] > moment:
                    yield span
        raise NeverOpen(_("{zone}: no working hours within ten years").format(zone=self.zone))

    def _at(self, day: date, at: time) -> datetime:
        # fold=0: an hour that happens twice begins the first time; one that does not happen at all
        # is read as the offset before the change has it.
        return datetime.combine(day, at, self.tz).astimezone(UTC)

    def _end(self, day: date, at: time) -> datetime:
        if at == time(0):
            return self._at(day + timedelta(days=1), at)
        return datetime.combine(day, at, self.tz).replace(fold=1).astimezone(UTC)


def add_business_time(calendar: Calendar, start: datetime, length: timedelta) -> datetime:
    """The first moment at which so much business time has passed since `start`, in UTC.

    Zero outside working hours is the start itself: nothing has to be waited for. Raises NeverOpen.
    """
    # In UTC: Python adds to a local time as if its clocks never changed.
    left, start = length, start.astimezone(UTC)
    if left <= timedelta(0):
        return start
    for begin, end in calendar.spans_from(start):
        begin = max(begin, start)
        if end - begin >= left:
            return begin + left
        left -= end - begin
    raise NeverOpen(calendar.zone)


def business_time_between(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """Business time from one moment to another; negative when the second lies before the first."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if end < start:
        return -business_time_between(calendar, end, start)
    day, last = (moment.astimezone(calendar.tz).date() for moment in (start, end))
    passed, day = timedelta(0), day - timedelta(days=1)
    while day <= last:
        for begin, until in calendar.spans_of(day):
            passed += max(timedelta(0), min(until, end) - max(begin, start))
        day += timedelta(days=1)
    return passed


def is_working(calendar: Calendar, moment: datetime) -> bool:
    """Whether somebody is at work then."""
    day = moment.astimezone(calendar.tz).date()
    near = (day - timedelta(days=1), day)
    return any(a <= moment < b for one in near for a, b in calendar.spans_of(one))


def opens(calendar: Calendar, moment: datetime) -> datetime:
    """The moment itself in working hours, else when they next begin, in UTC."""
    begin, _unused = next(calendar.spans_from(moment))
    return max(begin, moment).astimezone(UTC)


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def read(zone: str, week: Mapping[str, str], holidays: Sequence[str]) -> Calendar:
    """A calendar as people write it: `{"mon": "09:00-12:00, 13:00-17:30"}`, dates as 2026-12-25.

    Raises BadCalendar with the field and a sentence.
    """
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise BadCalendar(
            "zone", _("“{zone}” is no time zone, like Europe/Berlin.").format(zone=zone)
        ) from None
    unknown = set(week) - set(DAYS)
    if unknown:
        raise BadCalendar("week", _("“{min}” is no weekday.").format(min=min(unknown)))
    hours = {n: hours_of(day, week.get(day, "")) for n, day in enumerate(DAYS)}
    if not any(hours.values()):
        raise BadCalendar("week", _("On one day of the week at least somebody has to work."))
    return Calendar(zone, hours, frozenset(_date_of(one) for one in holidays))


def hours_of(day: str, text: str) -> tuple[Hours, ...]:
    """`09:00-12:00, 13:00-17:30` as spans in order; empty: nobody works."""
    spans = tuple(_span_of(day, one) for one in text.split(",") if one.strip())
    for (_unused, end), (start, _unused) in pairwise(spans):
        if end == time(0) or start < end:
            raise BadCalendar(
                day,
                _("{strip}: write the hours in order, without overlaps.").format(
                    strip=text.strip()
                ),
            )
    return spans


def in_words(hours: Sequence[Hours]) -> str:
    """The other way round."""
    return ", ".join(f"{a:%H:%M}-{b:%H:%M}" for a, b in hours)


def _span_of(day: str, text: str) -> Hours:
    start, dash, end = (part.strip() for part in text.partition("-"))
    try:
        span = time.fromisoformat(start), time(0) if end == "24:00" else time.fromisoformat(end)
    except ValueError:
        raise BadCalendar(
            day, _("“{strip}”: write hours as 09:00-17:30.").format(strip=text.strip())
        ) from None
    if not dash or any(one.tzinfo for one in span):
        raise BadCalendar(
            day, _("“{strip}”: write hours as 09:00-17:30.").format(strip=text.strip())
        )
    if span[1] != time(0) and span[1] <= span[0]:
        raise BadCalendar(
            day, _("“{strip}”: the end lies before the beginning.").format(strip=text.strip())
        )
    return span


def _date_of(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadCalendar(
            "holidays",
            _("“{strip}” is no date: write it as 2026-12-25.").format(strip=text.strip()),
        ) from None
