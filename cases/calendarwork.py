"""Calendars of the house: new ones, and changes."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from anomalyshield.audit.record import record
from cases.calendars import DAYS, BadCalendar, hours_of, in_words, read
from cases.clocks import rederive
from cases.models import BusinessCalendar

MOST_HOLIDAYS = 1000


@transaction.atomic
def save_calendar(
    *,
    by: Any,
    calendar: BusinessCalendar | None,
    name: str,
    zone: str,
    week: Mapping[str, str],
    holidays: Sequence[tuple[str, str]],
    is_default: bool = False,
) -> BusinessCalendar:
    """Make one, or change it; what runs by it is due at its new moment with the same commit.

    Raises BadCalendar with the field that is wrong, and a sentence. The default stays the default
    until another one becomes it.
    """
    kept = _checked(zone, week, holidays)
    found = calendar or BusinessCalendar()
    before = told(found) if calendar else None
    if is_default:
        BusinessCalendar.objects.filter(is_default=True).exclude(pk=found.pk).update(
            is_default=False
        )
    found.name, found.zone, found.week, found.holidays = name, zone, *kept
    found.is_default = found.is_default or is_default
    found.save()
    after = {**told(found), "clocks": rederive(found) if calendar else 0}
    record(by=by, action="calendar.saved", object=found, before=before, after=after)
    return found


def told(calendar: BusinessCalendar) -> dict[str, Any]:
    """As the trail and programs read it."""
    return {
        "name": calendar.name,
        "zone": calendar.zone,
        "week": calendar.week,
        "holidays": calendar.holidays,
        "is_default": calendar.is_default,
    }


def holidays_in(text: str) -> list[tuple[str, str]]:
    """One a line, as `2026-12-25 Christmas`; empty lines are passed by."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [(day, name.strip()) for day, _unused, name in (line.partition(" ") for line in lines)]


def _checked(
    zone: str, week: Mapping[str, str], holidays: Sequence[tuple[str, str]]
) -> tuple[dict[str, str], list[list[str]]]:
    """As it is kept: hours written alike, days in order, each once."""
    if len(holidays) > MOST_HOLIDAYS:
        raise BadCalendar(
            "holidays",
            _("At most {most_holidays} days, and {holidays} are here.").format(
                most_holidays=MOST_HOLIDAYS, holidays=len(holidays)
            ),
        )
    calendar = read(zone, week, [day for day, _unused in holidays])
    names = {day.strip(): name[:80] for day, name in holidays}
    days = sorted(calendar.holidays)
    hours = {day: in_words(hours_of(day, week.get(day, ""))) for day in DAYS}
    return hours, [[str(day), names.get(str(day), "")] for day in days]
