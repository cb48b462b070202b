"""Questions, second looks and samples: the next one is one's own, and nobody else's."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from alerts import feedback, reviews, sampling, triage
from alerts.models import Feedback, Review, ReviewPolicy, Sample
from anomalyshield.audit.models import AuditEvent
from tests.alerts import making
from tests.conftest import client_of
from tests.rest.asking import post

pytestmark = pytest.mark.django_db
LEGITIMATE = "FALSE_POSITIVE"
KINDS = ("question", "review", "sample")
TAKE: dict[str, Any] = {
    "question": feedback.take_next,
    "review": reviews.take_next,
    "sample": sampling.take_next,
}
PAGES = {"question": "/reviews/questions/", "review": "/reviews/", "sample": "/reviews/samples/"}
OPERATIONS = {"question": "questions", "review": "reviews", "sample": "samples"}


def questions(many: int) -> list[Any]:
    paid = [making.payment() for _ in range(many)]
    return [feedback.add_to_review_queue(one.external_id, {}, 0.8, 1) for one in paid]


def second_looks(many: int, cards: Any) -> list[Any]:
    """Of verdicts of somebody else, drawn when nobody was free to look at them."""
    zoe = making.queue_member("zoe", cards)
    ReviewPolicy.objects.create(random_share=1)
    for _ in range(many):
        triage.decide(by=zoe, alert=making.alert(cards), disposition=LEGITIMATE)
    Review.objects.update(reviewer=None)
    return list(Review.objects.order_by("due_at", "pk"))


def samples(many: int) -> list[Any]:
    for _ in range(many):
        making.decision(
            making.payment(), score=0.1, level="LOW", outcome="APPROVE", reviewable=False
        )
    sampling.draw(budget=many, settled=timedelta(minutes=-5))
    return list(Sample.objects.order_by("pk"))


def waiting(kind: str, many: int, cards: Any) -> list[Any]:
    """Rows that wait for anybody, in the order in which they are given."""
    if kind == "review":
        return second_looks(many, cards)
    return questions(many) if kind == "question" else samples(many)


def answer(kind: str, by: Any, row: Any) -> Any:
    if kind == "question":
        return feedback.submit_review(row.external_id, 0, by.get_username())
    verb = reviews.answer if kind == "review" else sampling.answer
    return verb(by=by, **{kind: row}, disposition=LEGITIMATE)


def run_out() -> None:
    for model in (Feedback, Review, Sample):
        held = model.objects.exclude(held_until=None)
        held.update(held_until=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def ines(cards):
    return making.queue_member("ines", cards)


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def rows(kind, cards):
    """Three of a kind."""
    return waiting(kind, 3, cards)


def test_two_people_are_given_different_ones_and_who_comes_back_theirs(ana, ines, kind, rows):
    assert TAKE[kind](by=ana) == rows[0]
    assert TAKE[kind](by=ines) == rows[1]
    assert TAKE[kind](by=ana) == rows[0]


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_nobody_is_given_what_another_has(cards, kind):
    people = [making.queue_member(f"member{n}", cards) for n in range(4)]
    waiting(kind, 5, cards)
    start = Barrier(len(people))

    def take(somebody) -> int | None:
        try:
            start.wait()
            given = TAKE[kind](by=somebody)
            return given.pk if given else None
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        given = list(pool.map(take, people))
    assert None not in given
    assert len(set(given)) == len(people)


@pytest.mark.django_db(transaction=True)
def test_one_whose_row_is_locked_is_passed_by_not_waited_for(ana, ines, cards, kind):
    first, second = waiting(kind, 2, cards)

    def take():
        try:
            return TAKE[kind](by=ines)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        assert TAKE[kind](by=ana) == first
        assert pool.submit(take).result(timeout=20) == second


def test_run_out_it_comes_back(ana, ines, kind, rows):
    TAKE[kind](by=ana)
    run_out()
    assert TAKE[kind](by=ines) == rows[0]
    assert TAKE[kind](by=ana) == rows[1]


def test_going_on_leaves_it_to_others_and_comes_round_to_the_top(ana, ines, kind, rows):
    assert TAKE[kind](by=ana) == rows[0]
    assert TAKE[kind](by=ana, behind=rows[0]) == rows[1]
    assert TAKE[kind](by=ines) == rows[0]
    assert TAKE[kind](by=ana, behind=rows[2]) == rows[1]


def test_ones_own_is_answered_and_another_s_is_not(ana, ines, kind, rows):
    TAKE[kind](by=ana)
    with pytest.raises(feedback.Refused, match="Ana is looking at"):
        answer(kind, ines, rows[0])
    assert answer(kind, ana, rows[0]).held_until is None
    assert answer(kind, ines, rows[1]), "what nobody looks at is anybody's"
    assert TAKE[kind](by=ana) == rows[2]


def test_one_s_own_is_answered_though_the_time_has_run_out(ana, kind, rows):
    TAKE[kind](by=ana)
    run_out()
    assert answer(kind, ana, rows[0])


def test_nothing_left_is_none(ana, ines, kind, rows):
    for row in rows[1:]:
        answer(kind, ines, row)
    TAKE[kind](by=ines)
    assert TAKE[kind](by=ana) is None


def test_pages_and_programs_are_given_the_same(ana, ines, kind, rows):
    given = client_of(ana).post(f"{PAGES[kind]}next/")
    assert given["Location"] == f"{PAGES[kind]}{rows[0].pk}/"
    theirs = client_of(ines).get(given["Location"]).content.decode()
    assert "Ana is looking at it" in theirs or "Ana looks at it" in theirs
    address = f"{OPERATIONS[kind]}/next"
    assert post(ines, address)["id"] == rows[1].pk
    assert post(ana, address, {"behind": rows[1].pk})["id"] == rows[2].pk
    post(ana, address, {"behind": 10**9}, 404)


# --- of each kind ---------------------------------------------------------------------------------
def test_a_question_about_an_alert_of_another_queue_is_given_to_nobody_else(ana, cards, loans):
    other = making.alert(loans)
    feedback.add_to_review_queue(other.transaction.external_id, {}, 0.8, 1)
    assert feedback.take_next(by=ana) is None
    assert feedback.take_next(by=making.queue_member("lars", loans))


def test_what_was_drawn_for_somebody_is_nobody_else_s_next(ana, ines, cards):
    rows = second_looks(3, cards)
    Review.objects.filter(pk=rows[0].pk).update(reviewer=ines)
    assert reviews.take_next(by=ana) == rows[1]
    assert reviews.take_next(by=ines) == rows[0]
    given = AuditEvent.objects.filter(action="review.given")
    assert [event.actor for event in given] == ["ana"]


def test_nobody_is_given_a_second_look_at_their_own_verdict(ines, cards):
    second_looks(1, cards)
    zoe = Review.objects.get().decided_by
    assert reviews.take_next(by=zoe) is None


def test_a_second_look_given_is_blind_until_a_colleague_is_given_it(ana, ines, cards):
    [row] = second_looks(1, cards)
    alert = f"/alerts/{row.alert_id}/"
    reviews.take_next(by=ana)
    run_out()
    blind, seeing = client_of(ana), client_of(ines)
    assert blind.get(alert)["Location"] == f"/reviews/{row.pk}/"
    assert "Decide it as if nobody had" in blind.get(f"/reviews/{row.pk}/").content.decode()
    assert seeing.get(alert).status_code == 200
    reviews.take_next(by=ines)
    assert blind.get(alert).status_code == 200
    assert seeing.get(alert).status_code == 302


def test_a_lead_hands_over_what_somebody_looks_at(ana, ines, lena, cards):
    [row] = second_looks(1, cards)
    making.queue("cards", lena)
    reviews.take_next(by=ana)
    reviews.hand_over(by=lena, review=row, to=ines)
    assert reviews.take_next(by=ines) == row
    assert reviews.take_next(by=ana) is None
