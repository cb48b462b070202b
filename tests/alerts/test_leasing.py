"""The next alert: the most urgent that nobody has, for five minutes, and never for two people."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.utils import timezone

from alerts import leasing, triage
from alerts.models import Alert, AlertLease
from tests.alerts import making
from tests.conftest import client_of
from tests.rest.asking import post

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines(cards):
    return making.queue_member("ines", cards)


@pytest.fixture
def pile(cards):
    """Three alerts, most urgent first."""
    return [making.alert(cards, amount=str(900 - n), location=f"city {n}") for n in range(3)]


def run_out() -> None:
    AlertLease.objects.update(until=timezone.now() - timedelta(seconds=1))


def test_two_people_are_given_different_alerts_in_the_order_of_the_queue(ana, ines, pile):
    assert leasing.take_next(by=ana, asked={}) == pile[0]
    assert leasing.take_next(by=ines, asked={}) == pile[1]
    assert leasing.take_next(by=ana, asked={}) == pile[0]  # theirs already


def test_behind_the_one_they_stand_on_and_then_from_the_top_again(ana, ines, pile):
    first = leasing.take_next(by=ana, asked={})
    second = leasing.take_next(by=ana, asked={}, behind=first)
    assert [first, second] == pile[:2]
    assert leasing.take_next(by=ines, asked={}) == pile[0]  # given up by going on
    assert leasing.take_next(by=ana, asked={}, behind=pile[2]) == pile[1]
    assert AlertLease.objects.filter(person=ana).count() == 1


def test_nothing_left_is_none(ana, ines, pile):
    triage.claim(by=ines, alert=pile[0])
    triage.escalate(by=ines, alert=pile[1], why="C-1")
    assert leasing.take_next(by=ana, asked={}) == pile[2]
    assert leasing.take_next(by=ines, asked={"q": 'place:"city 2"'}) is None
    assert leasing.take_next(by=ana, asked={}, behind=pile[2]) is None
    assert not AlertLease.objects.exists()


def test_the_filters_and_the_search_hold(ana, pile, loans):
    making.alert(loans, amount="9999")
    assert leasing.take_next(by=ana, asked={"q": 'place:"city 2"'}) == pile[2]
    assert leasing.take_next(by=ana, asked={"level": "LOW"}) is None


def test_run_out_it_is_anybodys(ana, ines, pile):
    leasing.take_next(by=ana, asked={})
    run_out()
    assert leasing.take_next(by=ines, asked={}) == pile[0]
    assert leasing.renew(by=ana, alert=pile[0]) is None
    assert AlertLease.objects.get().person == ines


def test_renewed_it_stays_theirs(ana, ines, pile):
    leasing.take_next(by=ana, asked={})
    run_out()
    assert leasing.renew(by=ana, alert=pile[0]).until > timezone.now() + timedelta(minutes=4)
    assert leasing.take_next(by=ines, asked={}) == pile[1]


def test_left_it_is_free_at_once(ana, ines, pile):
    leasing.take_next(by=ana, asked={})
    leasing.leave(by=ines, alert=pile[0])  # not hers to leave
    assert leasing.take_next(by=ines, asked={}) == pile[1]
    leasing.leave(by=ana, alert=pile[0])
    assert leasing.take_next(by=ines, asked={}) == pile[0]


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_nobody_is_given_what_another_has(cards):
    people = [making.queue_member(f"member{n}", cards) for n in range(4)]
    for number in range(5):
        making.alert(cards, amount=str(900 - number))
    start = Barrier(len(people))

    def take(person) -> int | None:
        try:
            start.wait()
            given = leasing.take_next(by=person, asked={})
            return given.pk if given else None
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        given = list(pool.map(take, people))
    assert None not in given
    assert len(set(given)) == len(people) == AlertLease.objects.count()


@pytest.mark.django_db(transaction=True)
def test_one_whose_row_is_locked_is_passed_by_not_waited_for(ana, ines, cards):
    first, second = (making.alert(cards, amount=amount) for amount in ("900", "800"))

    def take():
        try:
            return leasing.take_next(by=ines, asked={})
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        assert leasing.take_next(by=ana, asked={}) == first
        assert pool.submit(take).result(timeout=20) == second


# --- on the pages ---------------------------------------------------------------------------------
def test_next_on_the_page_gives_one_and_says_who_has_it_to_others(as_ana, ines, pile):
    answer = as_ana.post("/alerts/next/?level=HIGH")
    assert answer["Location"] == f"/alerts/{pile[0].pk}/?level=HIGH"
    words = "Ana is looking at it, 5 min left"
    assert words not in as_ana.get(f"/alerts/{pile[0].pk}/").content.decode()
    theirs = client_of(ines)
    assert words in theirs.get(f"/alerts/{pile[0].pk}/").content.decode()
    assert "Ana is looking at it" in theirs.get("/alerts/").content.decode()
    assert theirs.post("/alerts/next/")["Location"] == f"/alerts/{pile[1].pk}/"
    run_out()
    assert words not in theirs.get(f"/alerts/{pile[0].pk}/").content.decode()


def test_deciding_gives_the_next_one(as_ana, ines, pile):
    leasing.take_next(by=ines, asked={"q": 'place:"city 1"'})
    answer = as_ana.post(f"/alerts/{pile[0].pk}/decide/", {"disposition": "INCONCLUSIVE"})
    assert answer["Location"] == f"/alerts/{pile[2].pk}/"
    assert set(AlertLease.objects.values_list("alert", flat=True)) == {pile[1].pk, pile[2].pk}


def test_nothing_left_leads_back_to_the_queue(as_ana, cards):
    answer = as_ana.post("/alerts/next/", {"behind": "x"}, follow=True)
    assert answer.redirect_chain[-1][0] == "/alerts/?"
    assert "Nothing else waits here" in answer.content.decode()


def test_a_page_renews_and_leaves_its_own(as_ana, ines, pile):
    as_ana.post("/alerts/next/")
    address = f"/alerts/{pile[0].pk}"
    assert as_ana.post(f"{address}/renew/").status_code == 204
    assert client_of(ines).post(f"{address}/renew/").status_code == 409
    assert as_ana.post(f"{address}/leave/").status_code == 204
    assert not AlertLease.objects.exists()


def test_a_program_is_given_its_own(ana, ines, pile):
    assert post(ana, "alerts/next")["id"] == pile[0].pk
    assert post(ines, "alerts/next", {"q": "amount>1"})["id"] == pile[1].pk
    assert post(ana, f"alerts/{pile[0].pk}/renew")["person"] == "ana"
    post(ana, f"alerts/{pile[0].pk}/leave", None, 204)
    assert Alert.objects.filter(lease=None).count() == 2
