"""Calendars of the house, for programs of admins."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Flag, Listed, Strict, Text, page
from cases.calendars import DAYS, BadCalendar
from cases.calendarwork import MOST_HOLIDAYS, save_calendar, told
from cases.models import BusinessCalendar


class WeekIn(Strict):
    """Working hours of each day, like `09:00-12:00, 13:00-17:30`; empty: nobody works."""

    mon = Text(max_length=100, required=False, allow_blank=True)
    tue = Text(max_length=100, required=False, allow_blank=True)
    wed = Text(max_length=100, required=False, allow_blank=True)
    thu = Text(max_length=100, required=False, allow_blank=True)
    fri = Text(max_length=100, required=False, allow_blank=True)
    sat = Text(max_length=100, required=False, allow_blank=True)
    sun = Text(max_length=100, required=False, allow_blank=True)


class HolidayIn(Strict):
    """A day on which nobody works."""

    day = Text(max_length=10, help_text="2026-12-25")
    name = Text(max_length=80, required=False, allow_blank=True)


class CalendarChangeIn(Strict):
    """What changes; what is not named stays. `week` and `holidays` are said whole."""

    name = Text(max_length=80, required=False)
    zone = Text(max_length=64, required=False, help_text="Like Europe/Berlin")
    week = WeekIn(required=False)
    holidays = HolidayIn(many=True, required=False, max_length=MOST_HOLIDAYS)
    is_default = Flag(required=False, help_text="For every queue whose terms name no other")


class CalendarIn(CalendarChangeIn):
    """When the house works."""

    name = Text(max_length=80)
    zone = Text(max_length=64, help_text="Like Europe/Berlin")
    week = WeekIn()


class HolidayOut(s.Serializer):
    """A day on which nobody works."""

    day = s.DateField()
    name = s.CharField()


class WeekOut(s.Serializer):
    """Working hours of each day."""

    mon = s.CharField()
    tue = s.CharField()
    wed = s.CharField()
    thu = s.CharField()
    fri = s.CharField()
    sat = s.CharField()
    sun = s.CharField()


class CalendarOut(s.Serializer):
    """When the house works."""

    id = s.IntegerField()
    name = s.CharField()
    zone = s.CharField()
    week = WeekOut()
    holidays = HolidayOut(many=True)
    is_default = s.BooleanField()

    def to_representation(self, calendar: BusinessCalendar) -> dict[str, Any]:
        week = {day: calendar.week.get(day, "") for day in DAYS}
        days = [{"day": day, "name": name} for day, name in calendar.holidays]
        return {"id": calendar.pk, **told(calendar), "week": week, "holidays": days}


class AboutCalendar(Resource):
    """One calendar."""

    def one(self, request: Request, pk: int) -> BusinessCalendar:
        return self.found(BusinessCalendar.objects.all(), pk)

    def saved(
        self, request: Request, known: BusinessCalendar | None, said: dict[str, Any]
    ) -> BusinessCalendar:
        same = BusinessCalendar.objects.filter(name__iexact=said["name"])
        if same.exclude(pk=known and known.pk).exists():
            sentence = f"There is a calendar called {said['name']} already."
            raise Problem(409, "taken", sentence, pointer="/name")
        try:
            return save_calendar(by=request.user, calendar=known, **said)
        except BadCalendar as wrong:
            place = f"/week/{wrong.field}" if wrong.field in DAYS else f"/{wrong.field}"
            raise Problem(400, "invalid", str(wrong), pointer=place) from None


class Calendars(AboutCalendar):
    """The calendars."""

    @does("listCalendars", "user.manage", page(CalendarOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """The calendars by which clocks run, latest first."""
        return latest_first(BusinessCalendar.objects.all(), asked)

    @does("makeCalendar", "user.manage", CalendarOut, body=CalendarIn, status=201, refused=(409,))
    def post(self, request: Request, given: dict[str, Any]) -> BusinessCalendar:
        """Make a calendar. Nothing runs by it until terms name it or it is the default."""
        return self.saved(request, None, {"holidays": [], **_plain(given)})


class OneCalendar(AboutCalendar):
    @does(
        "changeCalendar", "user.manage", CalendarOut, body=CalendarChangeIn, versioned=True,
        refused=(409,),
    )  # fmt: skip
    def patch(self, request: Request, pk: int, given: dict[str, Any]) -> BusinessCalendar:
        """Change a calendar; what runs by it is due at its new moment at once."""
        known = self.one(request, pk)
        return self.saved(request, known, {**told(known), **_plain(given)})


def _plain(given: dict[str, Any]) -> dict[str, Any]:
    if "holidays" in given:
        given["holidays"] = [(one["day"], one.get("name", "")) for one in given["holidays"]]
    if "week" in given:
        given["week"] = dict(given["week"])
    return given
