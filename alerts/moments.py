"""When a snoozed alert comes back, as people say it: in an hour, tomorrow morning, on Monday."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

MORNING = time(8)
HOUR, TOMORROW, MONDAY, DATE = "hour", "tomorrow", "monday", "date"
CHOICES = [
    (HOUR, _("for an hour")),
    (TOMORROW, _("until tomorrow morning")),
    (MONDAY, _("until Monday morning")),
    (DATE, _("until the morning of …")),
]


def moment_of(choice: str, *, now: datetime, zone: str, day: date | None = None) -> datetime:
    """The moment that is meant, on the clocks of `zone`; mornings begin at eight.

    Where a clock is put forward over eight it is the moment that hour would have been.
    """
    there = _zone(zone)
    here = now.astimezone(there)
    if choice == HOUR:
        return now + timedelta(hours=1)
    if choice == TOMORROW:
        day = here.date() + timedelta(days=1)
    elif choice == MONDAY:
        day = here.date() + timedelta(days=7 - here.weekday())
    if day is None:
        raise ValueError("no day was said")
    return datetime.combine(day, MORNING, there).astimezone(UTC)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # one this machine does not know (any more)
        return UTC
