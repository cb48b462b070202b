"""Places counted by day are those of the payments, however far the counting has come."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from alerts.analytics import geography
from alerts.analytics.payments import Counts, counted
from alerts.analytics.window import Window, window_of
from scoring import daycounts, labels, place_days
from scoring.models import CountedThrough, Decision, Label, PlaceDay, Transaction
from tests.alerts.making import decision, payment

pytestmark = pytest.mark.django_db
CITIES = [("DE", "Köln", 50.9, 7.0), ("IN", "Pune", 18.5, 73.9), ("PE", "", None, None),
          ("", "", None, None)]  # fmt: skip
LENGTHS = [("7d", "UTC"), ("30d", "Asia/Kolkata"), ("90d", "America/Lima"), ("90d", "UTC")]


def paid(dice: random.Random, now: datetime) -> Transaction:
    country, location, latitude, longitude = dice.choice(CITIES)
    return payment(
        amount=str(dice.randint(1, 900)), country=country, location=location, latitude=latitude,
        longitude=longitude, event_time=now - timedelta(minutes=dice.randint(1, 120 * 1440)),
    )  # fmt: skip


def rounded(rows: list) -> list:
    """Means of floats are sums in any order."""
    return [(*row[:2], *(None if at is None else round(at, 6) for at in row[2:4]), *row[4:])
            for row in rows]  # fmt: skip


def by_payment(window: Window) -> list:
    rows = counted(geography.PLACES, geography.BY_PLACE, window)
    return rounded([(*row[:4], row[4]) for row in rows])


def by_day(window: Window) -> list:
    rows = place_days.by_place(window.since, window.until, most=geography.MOST_PLACES)
    assert rows is not None
    return rounded([(*row[:4], Counts(*row[4:])) for row in rows])


def test_counts_by_day_are_those_of_the_payments_at_any_moment(ana, lena):
    now, dice = timezone.now(), random.Random(11)
    waiting = [paid(dice, now) for _ in range(160)]
    everything = list(waiting)
    for turn in range(240):
        if turn % 2 and waiting:
            decision(waiting.pop(), reviewable=dice.random() < 0.4)
        else:
            labels.give(
                by=ana, seconded_by=lena, transaction=dice.choice(everything), origin="QA",
                value=dice.choice(Label.Value.values), known_at=now,
            )  # fmt: skip
        if turn % 11 == 5:
            daycounts.count()
        if turn % 4 == 0:
            last, zone = LENGTHS[turn // 4 % len(LENGTHS)]
            window = window_of(ana, last, zone=zone)
            assert by_day(window) == by_payment(window)
    window = window_of(ana, "90d", zone="UTC")
    assert sum(row[4].payments for row in by_day(window)) > 60
    assert sum(row[4].frauds + row[4].genuine for row in by_day(window)) > 10
    daycounts.count()
    daycounts.count()
    rows = PlaceDay.objects.values_list("payments", "frauds")
    assert sum(row[0] for row in rows) == Decision.objects.count()
    told = Label.objects.standing().filter(value="TRUE_FRAUD", transaction__decision__pk__gt=0)
    assert sum(row[1] for row in rows) == told.count()
    assert by_day(window) == by_payment(window)


def test_a_time_within_one_day_and_the_ends_of_days(ana):
    noon = datetime(2026, 7, 15, 12, tzinfo=UTC)
    edges = [noon.replace(hour=0), noon, noon.replace(hour=23, minute=59), noon + timedelta(days=1)]
    for at in edges:
        decision(payment(event_time=at, country="PE"))
    daycounts.count()
    daycounts.count()
    ends = [*edges, *(at + timedelta(microseconds=1) for at in edges), noon - timedelta(days=9)]
    for since in ends:
        for until in (one for one in ends if one > since):
            window = Window(since, until, noon, ())
            assert by_day(window) == by_payment(window)


@pytest.mark.django_db(transaction=True)
def test_a_verdict_and_a_decision_that_do_not_see_each_other_count_together(ana):
    """Two transactions at once: one decides the payment, one labels it, neither sees the other."""
    one = payment(country="PE")
    window = window_of(ana, "7d", zone="UTC")
    params = connection.get_connection_params()
    ready = decision(payment(country="PE"))
    columns = "policy_id, risk_score, level, outcome, reason_codes, hits, degraded, reviewable"
    with psycopg.connect(**params) as deciding, psycopg.connect(**params) as labelling:
        deciding.execute(
            f"""INSERT INTO scoring_decision (transaction_id, {columns}, known_at)
            SELECT %s, {columns}, known_at FROM scoring_decision WHERE id = %s""",
            [one.pk, ready.pk],
        )
        labelling.execute(
            """INSERT INTO scoring_label
            (transaction_id, event_time, value, origin, known_at, typology, note)
            VALUES (%s, %s, 'FALSE_POSITIVE', 'FILE', now(), '', '')""",
            [one.pk, one.event_time],
        )
        for session in (labelling, deciding):
            daycounts.count()
            assert by_day(window) == by_payment(window)
            session.commit()
            daycounts.count()
            assert by_day(window) == by_payment(window)
    for _ in range(3):
        daycounts.count()
    assert by_day(window) == by_payment(window)
    assert PlaceDay.objects.get().genuine == 1
    assert PlaceDay.objects.get().payments == 2


@pytest.mark.django_db(transaction=True)
def test_many_who_decide_and_label_at_once_and_counters_between_them(ana):
    dice, now = random.Random(3), timezone.now()
    everything = [paid(dice, now) for _ in range(40)]
    window = window_of(ana, "90d", zone="UTC")

    def decide(one: Transaction) -> None:
        decision(one)
        daycounts.count()
        connection.close()

    def label(one: Transaction) -> None:
        labels.give(by=ana, transaction=one, value="FALSE_POSITIVE", origin="API")
        daycounts.count()
        connection.close()

    with ThreadPoolExecutor(6) as pool:
        for one in everything:
            pool.submit(decide, one)
            pool.submit(label, one)
    for _ in range(3):
        daycounts.count()
    assert sum(PlaceDay.objects.values_list("payments", flat=True)) == 40
    assert sum(PlaceDay.objects.values_list("genuine", flat=True)) == 40
    assert by_day(window) == by_payment(window)


def test_while_much_is_uncounted_the_payments_themselves_are_counted(ana, monkeypatch):
    decision(payment(country="PE"))
    window = window_of(ana, "7d", zone="UTC")
    told = geography.sections(window)
    monkeypatch.setattr(place_days, "BEHIND", 0)
    latest = Decision.objects.latest("pk").pk
    assert not CountedThrough.objects.filter(through=latest).exists()
    assert place_days.by_place(window.since, window.until, most=9) is None
    assert [one.rows for one in geography.sections(window)] == [one.rows for one in told]
    daycounts.count()
    daycounts.count()
    assert place_days.by_place(window.since, window.until, most=9)
    assert [one.rows for one in geography.sections(window)] == [one.rows for one in told]
