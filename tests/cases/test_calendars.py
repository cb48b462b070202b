"""Business time: weekends, holidays, pauses, time zones, and the two nights when clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.calendars import (
    DAYS,
    BadCalendar,
    Calendar,
    NeverOpen,
    add_business_time,
    business_time_between,
    is_working,
    opens,
    read,
)
from cases.deadlines import business_deadline, filing_days, forecast, regulatory_deadline

NINE_TO_FIVE = dict.fromkeys(DAYS[:5], "09:00-17:00")
BERLIN = read("Europe/Berlin", NINE_TO_FIVE, ["2026-12-25", "2026-12-26", "2027-01-01"])
NEW_YORK = read("America/New_York", NINE_TO_FIVE, ["2026-11-26"])
KATHMANDU = read("Asia/Kathmandu", dict.fromkeys(DAYS[:5], "10:00-13:00, 14:00-18:00"), [])
NIGHTS = read("Europe/Berlin", dict.fromkeys(DAYS, "00:00-06:00, 22:00-24:00"), [])


def at(calendar: Calendar, text: str) -> datetime:
    """A local time of the house."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(calendar.zone))


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


@pytest.mark.parametrize(
    "calendar, start, length, end",
    [
        (BERLIN, "2026-11-20T09:00", 2, "2026-11-20T11:00"),  # within a day
        (BERLIN, "2026-11-20T16:00", 2, "2026-11-23T10:00"),  # over a weekend
        (BERLIN, "2026-11-20T16:00", 1, "2026-11-20T17:00"),  # to the last minute of a day
        (BERLIN, "2026-11-20T03:00", 1, "2026-11-20T10:00"),  # begun at night
        (BERLIN, "2026-11-21T12:00", 8, "2026-11-23T17:00"),  # begun on a Saturday
        (BERLIN, "2026-12-24T16:00", 2, "2026-12-28T10:00"),  # over Christmas and a weekend
        (BERLIN, "2026-12-31T16:30", 1, "2027-01-04T09:30"),  # over New Year
        (BERLIN, "2026-11-20T10:00", 0, "2026-11-20T10:00"),  # nothing has to pass
        (BERLIN, "2026-03-27T16:00", 2, "2026-03-30T10:00"),  # clocks go forward on the Sunday
        (BERLIN, "2026-10-23T16:00", 2, "2026-10-26T10:00"),  # and back
        (NEW_YORK, "2026-11-25T16:00", 2, "2026-11-27T10:00"),  # over Thanksgiving
        (KATHMANDU, "2026-11-20T12:30", 1, "2026-11-20T14:30"),  # over a lunch, UTC+05:45
        (NIGHTS, "2026-11-20T23:00", 3, "2026-11-21T02:00"),  # over midnight
        (NIGHTS, "2026-03-29T01:00", 2, "2026-03-29T04:00"),  # an hour that does not exist
        (NIGHTS, "2026-10-25T01:00", 3, "2026-10-25T03:00"),  # an hour that is there twice
        (BERLIN, "2026-11-20T09:00", 40, "2026-11-26T17:00"),  # a week
    ],
)
def test_so_much_business_time_later(calendar, start, length, end):
    begun = at(calendar, start)
    assert add_business_time(calendar, begun, hours(length)) == at(calendar, end)
    assert business_time_between(calendar, begun, at(calendar, end)) == hours(length)


@pytest.mark.parametrize(
    "calendar, start, end, passed",
    [
        (BERLIN, "2026-11-21T08:00", "2026-11-22T20:00", 0),
        (BERLIN, "2026-11-20T16:00", "2026-11-23T10:00", 2),
        (BERLIN, "2026-11-23T10:00", "2026-11-20T16:00", -2),
        (BERLIN, "2026-12-21T00:00", "2027-01-02T00:00", 8 * 8),
        (NIGHTS, "2026-03-28T12:00", "2026-03-29T12:00", 7),  # 23 hours this day
        (NIGHTS, "2026-10-24T12:00", "2026-10-25T12:00", 9),  # 25
    ],
)
def test_business_time_that_passed(calendar, start, end, passed):
    found = business_time_between(calendar, at(calendar, start), at(calendar, end))
    assert found == hours(passed)


def test_somebody_is_at_work_from_nine_until_before_five():
    assert is_working(BERLIN, at(BERLIN, "2026-11-20T09:00"))
    assert not is_working(BERLIN, at(BERLIN, "2026-11-20T17:00"))
    assert not is_working(BERLIN, at(BERLIN, "2026-12-25T10:00"))
    assert opens(BERLIN, at(BERLIN, "2026-12-25T10:00")) == at(BERLIN, "2026-12-28T09:00")
    assert opens(BERLIN, at(BERLIN, "2026-11-20T10:00")) == at(BERLIN, "2026-11-20T10:00")


moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))


@settings(max_examples=60, deadline=None)
@given(
    calendar=st.sampled_from([BERLIN, NEW_YORK, KATHMANDU, NIGHTS]),
    start=moments,
    minutes=st.integers(1, 20_000),
    more=st.integers(0, 5_000),
)
def test_adding_and_counting_agree(calendar, start, minutes, more):
    length, further = timedelta(minutes=minutes), timedelta(minutes=more)
    end = add_business_time(calendar, start, length)
    assert business_time_between(calendar, start, end) == length
    assert add_business_time(calendar, end, further) == add_business_time(
        calendar, start, length + further
    )


def test_a_calendar_without_work_is_refused_and_not_walked_for_ever():
    with pytest.raises(BadCalendar, match="somebody has to work"):
        read("UTC", {}, [])
    with pytest.raises(NeverOpen):
        add_business_time(Calendar(), datetime(2026, 1, 1, tzinfo=UTC), hours(1))


@pytest.mark.parametrize(
    "zone, week, holidays, field, sentence",
    [
        ("Mars/Olympus", NINE_TO_FIVE, [], "zone", "no time zone"),
        ("../etc/passwd", NINE_TO_FIVE, [], "zone", "no time zone"),
        ("", NINE_TO_FIVE, [], "zone", "no time zone"),
        ("UTC", {"mon": "nine to five"}, [], "mon", "write hours as"),
        ("UTC", {"mon": "09:00"}, [], "mon", "write hours as"),
        ("UTC", {"mon": "17:00-09:00"}, [], "mon", "before the beginning"),
        ("UTC", {"tue": "09:00-12:00, 11:00-15:00"}, [], "tue", "without overlaps"),
        ("UTC", {"tue": "20:00-24:00, 01:00-02:00"}, [], "tue", "without overlaps"),
        ("UTC", {"someday": "09:00-12:00"}, [], "week", "no weekday"),
        ("UTC", NINE_TO_FIVE, ["Christmas"], "holidays", "no date"),
        ("UTC", NINE_TO_FIVE, ["2026-02-30"], "holidays", "no date"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused_at_its_field(
    zone, week, holidays, field, sentence
):
    with pytest.raises(BadCalendar, match=sentence) as refused:
        read(zone, week, holidays)
    assert refused.value.field == field


# --- deadlines
def test_a_pause_moves_the_deadline_by_the_business_time_it_lasted():
    start = at(BERLIN, "2026-11-23T09:00")
    pause = (at(BERLIN, "2026-11-23T11:00"), at(BERLIN, "2026-11-25T11:00"))
    assert business_deadline(BERLIN, start, hours(8)) == at(BERLIN, "2026-11-23T17:00")
    assert business_deadline(BERLIN, start, hours(8), [pause]) == at(BERLIN, "2026-11-25T17:00")
    again = (at(BERLIN, "2026-11-25T12:00"), at(BERLIN, "2026-11-25T13:00"))
    both = business_deadline(BERLIN, start, hours(8), [pause, again])
    assert both == at(BERLIN, "2026-11-26T10:00")


def test_while_it_is_paused_nothing_is_due():
    start = at(BERLIN, "2026-11-23T09:00")
    assert business_deadline(BERLIN, start, hours(8), [(start + hours(1), None)]) is None


def test_a_pause_out_of_hours_moves_nothing():
    start = at(BERLIN, "2026-11-20T09:00")
    weekend = (at(BERLIN, "2026-11-21T08:00"), at(BERLIN, "2026-11-22T20:00"))
    end = at(BERLIN, "2026-11-23T17:00")
    assert business_deadline(BERLIN, start, hours(16), [weekend]) == end


def test_a_pause_after_the_deadline_heals_nothing():
    start = at(BERLIN, "2026-11-23T09:00")
    late = (at(BERLIN, "2026-11-24T12:00"), None)
    assert business_deadline(BERLIN, start, hours(4), [late]) == at(BERLIN, "2026-11-23T13:00")


@pytest.mark.parametrize(
    "on, days, zone, due",
    [
        (date(2026, 11, 2), 30, "UTC", "2026-12-03T00:00:00+00:00"),
        (date(2026, 11, 2), 60, "UTC", "2027-01-02T00:00:00+00:00"),
        (date(2026, 11, 2), 120, "UTC", "2027-03-03T00:00:00+00:00"),
        (date(2026, 3, 1), 30, "Europe/Berlin", "2026-04-01T00:00:00+02:00"),  # over the change
        (date(2028, 2, 1), 30, "America/New_York", "2028-03-03T00:00:00-05:00"),  # a leap year
    ],
)
def test_the_regulators_days_are_calendar_days_to_the_end_of_the_last(on, days, zone, due):
    assert regulatory_deadline(on, days, zone) == datetime.fromisoformat(due)


def test_without_a_known_subject_there_are_sixty_days():
    assert (filing_days(True), filing_days(False)) == (30, 60)


# --- the forecast
NOW = at(BERLIN, "2026-11-23T09:00")


def due_in(*business: float) -> list[tuple[int, datetime]]:
    return [(n, add_business_time(BERLIN, NOW, hours(h))) for n, h in enumerate(business, 1)]


def test_a_forecast_names_what_this_pace_does_not_reach():
    waiting = due_in(5, 9, 11, 100)  # one case every four hours: 4, 8, 12, 16
    told = forecast(waiting, now=NOW, calendar=BERLIN, closed=10, worked=hours(40))
    assert (told.late, told.breaches, told.each) == ([], [3], hours(4))


def test_late_ones_take_their_turn_first():
    waiting = [(7, NOW - hours(1)), *due_in(5)]
    told = forecast(waiting, now=NOW, calendar=BERLIN, closed=10, worked=hours(40))
    assert (told.late, told.breaches) == ([7], [1])


def test_without_a_pace_nothing_is_foretold():
    told = forecast(due_in(1), now=NOW, calendar=BERLIN, closed=0, worked=hours(40))
    assert (told.breaches, told.each) == ([], None)
