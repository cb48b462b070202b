"""The arithmetic of the pages of figures, beside counting it the plain way."""

import itertools
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.analytics import arithmetic, calendar
from alerts.analytics.arithmetic import Day
from alerts.analytics.drawing import LETTER, TALL, Spot, Step, shades, steps, world
from scoring.engine.costs import Costs, Counted, cost_of

BERLIN = ZoneInfo("Europe/Berlin")


# --- labels come late -----------------------------------------------------------------------------
def late_labels(chance: Random, count: int = 20_000) -> Counter[tuple[int, int]]:
    """Labels that have come by now: a third on the first day, the rest evenly in four weeks."""
    seen: Counter[tuple[int, int]] = Counter()
    for _ in range(count):
        age = chance.randrange(0, 60)
        delay = 0 if chance.random() < 1 / 3 else chance.randrange(1, 29)
        if delay <= age:
            seen[delay, age] += 1
    return seen


def test_how_late_labels_come_is_told_without_the_hope_of_the_young():
    seen = late_labels(Random(3))
    shares = arithmetic.arrival((*where, count) for where, count in seen.items())
    whole = sum(seen.values())
    naive = sum(count for (delay, _), count in seen.items() if delay <= 7) / whole
    truth = 1 / 3 + (2 / 3) * 7 / 28
    assert shares[7] == pytest.approx(truth, abs=0.015)
    assert naive > truth + 0.03, "the plain shares are too hopeful"
    assert shares[28] == 1
    assert arithmetic.days_until_ripe(shares) in (23, 24, 25)


def test_where_everything_is_old_the_plain_shares_are_right():
    delays = [(0, 50, 6), (3, 50, 3), (9, 50, 1)]
    shares = arithmetic.arrival(delays)
    assert [round(shares[day], 9) for day in (0, 2, 3, 8, 9)] == [0.6, 0.6, 0.9, 0.9, 1.0]


def test_one_late_label_of_one_old_payment_does_not_say_that_all_are_late():
    seen = late_labels(Random(3))
    usual = arithmetic.arrival((*where, count) for where, count in seen.items())
    seen[170, 171] += 1  # no other payment is that old
    shares = arithmetic.arrival((*where, count) for where, count in seen.items())
    assert shares[:29] == pytest.approx(usual[:29])
    assert arithmetic.days_until_ripe(shares) in (23, 24, 25)
    few = [(0, 20, 6), (3, 20, 3), (19, 20, 1), (58, 59, 1)]
    assert arithmetic.arrival(few)[3] == pytest.approx(0.9)
    assert arithmetic.arrival([(5, 9, 40)]) == [0.0] * 5 + [1.0]


def test_without_a_label_nothing_is_ripe():
    assert arithmetic.arrival([]) == []
    assert arithmetic.ripeness([], 100) is None
    assert not arithmetic.is_ripe([], 100)
    assert arithmetic.days_until_ripe([]) is None


def test_a_day_is_ripe_by_its_youngest_payment():
    shares = [0.5, 0.8, 0.95, 1.0]
    assert [arithmetic.is_ripe(shares, age) for age in (-1, 0.5, 1.9, 2, 30)] == [
        False, False, False, True, True,
    ]  # fmt: skip


# --- queues ---------------------------------------------------------------------------------------
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 20)), max_size=40))
def test_backlogs_are_what_counting_at_each_end_gives(spans):
    """Alerts come in step `start` and go `length` later, or are open still."""
    last, now = 7, 10
    lives = [(start, start + length) for start, length in spans]
    came = Counter(start for start, _ in lives)
    went = Counter(end for _, end in lives if end < now)
    found = arithmetic.backlogs(
        sum(end >= now for _, end in lives),
        [(came[step], went[step]) for step in range(last + 1)],
        (sum(came[s] for s in range(last + 1, now)), sum(went[s] for s in range(last + 1, now))),
    )
    assert found == [sum(start <= end and stop > end for start, stop in lives) for end in range(8)]


def test_no_step_no_backlog():
    assert arithmetic.backlogs(5, [], (0, 0)) == []


# --- money ----------------------------------------------------------------------------------------
CHEAP, DEAR = Costs(review_cost=1, missed_fee=0), Costs(review_cost=10, missed_fee=0)


def test_each_day_is_reckoned_by_the_costs_of_its_time():
    days = [
        Day(date(2026, 11, 1), 0, Counted(alerts=3), 3, 1),
        Day(date(2026, 11, 1), 1, Counted(alerts=2, stopped=1, stopped_amount=50), 2, 1),
        Day(date(2026, 11, 9), 1, Counted(missed=1, missed_amount=70), 0, 0),
    ]
    total = arithmetic.sum_of(days, [CHEAP, DEAR])
    assert (total.bill.review, total.bill.prevented, total.bill.missed) == (23, 50, 70)
    assert (total.per_alert, total.per_fraud) == (23 / 5, 23 / 2)
    assert total.stopped_share == pytest.approx(50 / 120)
    weeks = arithmetic.by_step(days, [CHEAP, DEAR], [date(2026, 10, 26), date(2026, 11, 2)])
    assert [(start, one.bill.total) for start, one in weeks] == [
        (date(2026, 10, 26), 23),
        (date(2026, 11, 2), 70),
    ]


def test_days_together_cost_what_they_cost_one_by_one():
    chance = Random(5)
    days = [
        Day(
            date(2026, 11, 1) + timedelta(days=n % 6),
            chance.randrange(2),
            Counted(*(chance.randrange(9) for _ in range(7))),
        )
        for n in range(30)
    ]
    naive = sum(cost_of([CHEAP, DEAR][one.era], one.counted).total for one in days)
    assert arithmetic.sum_of(days, [CHEAP, DEAR]).bill.total == pytest.approx(naive)
    nothing = arithmetic.sum_of([], [CHEAP])
    assert (nothing.per_alert, nothing.stopped_share, nothing.bill.total) == (None, None, 0)


# --- when reports are due -------------------------------------------------------------------------
@pytest.mark.parametrize(
    "cadence, moment, due",
    [
        ("DAILY", "2026-11-21T06:59+01:00", "2026-11-21T07:00+01:00"),
        ("DAILY", "2026-11-21T07:00+01:00", "2026-11-22T07:00+01:00"),
        ("WEEKLY", "2026-11-21T12:00+01:00", "2026-11-23T07:00+01:00"),
        ("MONTHLY", "2026-11-21T12:00+01:00", "2026-12-01T07:00+01:00"),
        ("DAILY", "2026-03-28T12:00+01:00", "2026-03-29T07:00+02:00"),
    ],
)
def test_a_report_is_due_on_the_clocks_of_its_owner(cadence, moment, due):
    found = calendar.next_after(datetime.fromisoformat(moment), cadence, 7, BERLIN)
    assert found == datetime.fromisoformat(due)


def test_an_hour_that_summer_time_skips_is_the_one_after_it():
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    found = calendar.next_after(before, "DAILY", 2, BERLIN)
    assert found.astimezone(UTC) == datetime(2026, 3, 29, 1, tzinfo=UTC)


# --- drawings -------------------------------------------------------------------------------------
def test_drawings_say_what_they_show_and_take_no_words_for_markup():
    drawn = steps([Step("<b>", 2.0, "<i>two"), Step("end", None, "none", True)], "Two")
    assert "&lt;i&gt;two" in drawn
    assert "<i>" not in drawn
    assert 'class="young"' in drawn
    assert steps([], "None") == steps([Step("a", 0.0, "zero")], "Zero") == ""
    assert "&lt;b&gt;" in world([Spot(1, 2, 3, "<b>")], "One")
    assert "style=" not in drawn


def test_names_of_places_side_by_side_do_not_lie_on_each_other_nor_on_circles():
    near = [("Toronto", 43.7, -79.4), ("Chicago", 41.9, -87.6), ("New York", 40.7, -74.0)]
    drawn = world([Spot(lat, lon, 9, name, name) for name, lat, lon in near], "Three")
    places = {
        name: (float(x), float(y))
        for x, y, name in re.findall(r'<text x="([\d.]+)" y="([\d.]+)">([^<]+)</text>', drawn)
    }
    assert places.keys() == {"Toronto", "Chicago", "New York"}
    for one, other in itertools.combinations(places, 2):
        beside = abs(places[one][0] - places[other][0]) >= LETTER * (len(one) + len(other)) / 2
        assert beside or abs(places[one][1] - places[other][1]) >= TALL


def test_a_name_without_room_is_left_to_the_table():
    crowd = [Spot(50.0, 10.0, 9, "Same", f"Place {n}") for n in range(12)]
    assert 1 <= world(crowd, "Twelve").count("<text") < 12


def test_shades_are_shares_of_the_largest():
    assert shades([[0.0, 1.0], [None, 2.0]]) == [[0, 4], [0, 9]]
    assert shades([[0.0]]) == [[0]]
