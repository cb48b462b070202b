"""Counts by day: whoever writes, and however far the counting has come, they are the rows' own."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from scoring import daycounts, label_days, labels
from scoring.accepting import Sent, accept
from scoring.label_facts import facts
from scoring.models import CountedThrough, Label, LabelDay
from scoring.sourcing import make_source
from tests.alerts.making import payment

pytestmark = pytest.mark.django_db
FRAUD, GENUINE = Label.Value.TRUE_FRAUD, Label.Value.FALSE_POSITIVE
DAY = timedelta(days=1)


def rows(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def told() -> Counter:
    """What readers are told, by day, source and word."""
    found: Counter = Counter()
    for day, origin, value, count in rows(label_days.LABELS):
        found[day, origin, value] += count
    return Counter({key: count for key, count in found.items() if count})


def standing() -> Counter:
    return Counter(
        (one.transaction.event_time.astimezone(UTC).date(), one.origin, one.value)
        for one in Label.objects.standing().select_related("transaction")
    )


def kept() -> int:
    return sum(LabelDay.objects.values_list("count", flat=True))


def counted_all() -> None:
    """Marked, then counted up to the mark."""
    daycounts.count()
    daycounts.count()


def test_whatever_verb_writes_labels_the_counts_are_the_labels(ana, lena, dana):
    now, dice = timezone.now(), random.Random(5)
    paid = [payment(event_time=now - n % 40 * DAY - timedelta(minutes=7 * n)) for n in range(80)]
    bank = make_source(by=dana, name="bank", kind="kafka", about=["till"])
    till = paid[0].source

    def opinion(one):
        give = {"transaction": one, "value": dice.choice(Label.Value.values), "origin": "QA"}
        labels.give(by=ana, seconded_by=lena, known_at=now, **give)

    def several(one):
        few = dice.sample(paid, 5)
        labels.give_all(by=ana, transactions=few, value=FRAUD, origin="DISPOSITION")

    def file(one):
        few = [(p.external_id, dice.choice([FRAUD, GENUINE]), now) for p in dice.sample(paid, 9)]
        labels.from_file(few, source=till)

    def chargeback(one):
        accept(
            source=bank, door="kafka",
            sent=[Sent({"notice_id": f"n{dice.random()}", "transaction_id": one.external_id})],
        )  # fmt: skip

    def undone(one):
        last = Label.objects.filter(transaction=one).standing().first()
        if last:
            labels.take_back(by=ana, label=last)

    verbs = [opinion, several, file, chargeback, undone]
    for turn in range(120):
        verbs[turn % len(verbs)](dice.choice(paid))
        if turn % 7 == 3:
            daycounts.count()
        assert told() == standing()
    assert {one.origin for one in Label.objects.all()} == {
        "QA", "DISPOSITION", "FILE", "CHARGEBACK"
    }  # fmt: skip
    assert Label.objects.exclude(supersedes=None).count() > 20
    assert not Label.objects.exclude(event_time=F("transaction__event_time")).exists()
    counted_all()
    assert kept() == Label.objects.standing().count() == standing().total()
    assert told() == standing()


def test_a_week_on_the_page_is_the_same_before_and_after_counting(ana):
    now = datetime(2026, 7, 15, 12, tzinfo=UTC)
    for days in range(50):
        paid = payment(event_time=now - days * DAY)
        labels.give(
            by=ana, transaction=paid, value=FRAUD if days % 3 else GENUINE, origin="FILE",
            known_at=now,
        )  # fmt: skip
    before = facts(now)
    assert sum(week.labelled for week in before.weeks) == 50
    counted_all()
    assert kept() == 50
    assert facts(now) == before


def test_many_are_counted_portion_by_portion(monkeypatch, ana):
    monkeypatch.setattr(daycounts, "AT_ONCE", 3)
    for _ in range(10):
        labels.give(by=ana, transaction=payment(), value=FRAUD, origin="API")
    counted_all()
    assert kept() == 10
    monkeypatch.setattr(daycounts, "SECONDS", 0)  # one portion, and no more
    for _ in range(10):
        labels.give(by=ana, transaction=payment(), value=FRAUD, origin="API")
    counted_all()
    assert kept() == 13
    assert sum(told().values()) == 20


@pytest.mark.django_db(transaction=True)
def test_what_is_committed_late_under_an_early_id_is_counted_too(ana):
    """The id is given when a row is written: one that is written first may be seen last."""
    early, late = payment(), payment()
    say = """INSERT INTO scoring_label
        (transaction_id, event_time, value, origin, known_at, typology, note)
        VALUES (%s, %s, 'TRUE_FRAUD', 'FILE', now(), '', '')"""
    with psycopg.connect(**connection.get_connection_params()) as slow:
        slow.execute(say, [early.pk, early.event_time])
        labels.give(by=ana, transaction=late, value=FRAUD, origin="API")
        for _ in range(3):
            daycounts.count()
        assert kept() == 0  # the mark waits for whoever was under way
        assert told() == standing()
        assert standing().total() == 1
    for _ in range(3):
        daycounts.count()
    assert kept() == 2
    assert told() == standing()
    assert standing().total() == 2
    assert (
        CountedThrough.objects.get(table="scoring_label").through == Label.objects.latest("pk").pk
    )


@pytest.mark.django_db(transaction=True)
def test_people_who_label_at_once_and_a_counter_between_them(ana):
    from concurrent.futures import ThreadPoolExecutor

    paid = [payment(event_time=timezone.now() - n % 5 * DAY) for n in range(60)]

    def say(one):
        labels.give(by=ana, transaction=one, value=FRAUD, origin="API")
        daycounts.count()
        same = told(), standing()
        connection.close()
        return same

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(say, paid))
    for _ in range(3):
        daycounts.count()
    assert kept() == 60
    assert told() == standing()
