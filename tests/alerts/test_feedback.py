"""What models ask people about: the promised functions, the mix of questions, the figures."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from alerts import feedback, triage
from alerts.feedback import add_to_review_queue, get_review_metrics, submit_review
from alerts.models import Alert, Feedback, ReviewPolicy
from anomalyshield.audit.models import AuditEvent
from scoring.models import Label
from tests.alerts import making
from tests.conftest import client_of, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def analyst(cards):
    """The one that the documents name."""
    one = person("analyst_001", "analyst")
    making.queue("cards", one)
    return one


def passed(score: float, user: str = "customer-0042"):
    """A payment that raised nothing."""
    made = making.payment(user)
    return making.decision(made, score=score, level="LOW", outcome="APPROVE", reviewable=False)


# --- the promises ---------------------------------------------------------------------------------
def test_the_calls_of_the_documents(analyst):
    paid = making.payment()
    transaction_id, transaction_data = paid.external_id, {"amount": 250.0, "user_id": "u"}
    asked = add_to_review_queue(
        transaction_id, transaction_data, anomaly_score=0.85, model_prediction=1
    )
    assert (asked.transaction, asked.score, asked.prediction) == (paid, 0.85, 1)
    assert asked.data == {}  # the payment itself is stored
    answered = submit_review(
        transaction_id, human_label=1, reviewer_id="analyst_001", notes="Suspected card fraud"
    )
    label = Label.objects.get(transaction=paid)
    assert (label.value, label.origin, label.labeller) == ("TRUE_FRAUD", "FEEDBACK", analyst)
    assert (answered.label, answered.notes) == (label, "Suspected card fraud")
    metrics = get_review_metrics()
    assert (metrics["reviewed"], metrics["agreement"], metrics["precision"]) == (1, 1.0, 1.0)
    trail = AuditEvent.objects.filter(action__startswith="feedback.").order_by("pk")
    assert [event.actor for event in trail] == ["worker", "analyst_001"]


def test_the_figures_of_a_set_made_by_hand(analyst):
    """3 × fraud and fraud, 1 × fraud and not, 4 × not and not, 2 × not and fraud."""
    pairs = [(1, 1)] * 3 + [(1, 0)] + [(0, 0)] * 4 + [(0, 1)] * 2
    now = timezone.now()
    for number, (prediction, human) in enumerate(pairs):
        Feedback.objects.create(
            external_id=f"t{number}", score=0.5, prediction=prediction, human_label=human,
            reviewer=analyst, added_at=now - timedelta(minutes=10), why="RANDOM",
            reviewed_at=now - timedelta(minutes=10) + timedelta(seconds=10 * (number + 1)),
        )  # fmt: skip
    Feedback.objects.create(external_id="waits", score=0.9, prediction=1)
    found = get_review_metrics()
    assert (found["total"], found["pending"], found["reviewed"]) == (11, 1, 10)
    assert found["agreement"] == pytest.approx(0.7)
    # By chance: 0.4 × 0.5 + 0.6 × 0.5.
    assert found["kappa"] == pytest.approx(0.4)
    low, high = found["kappa_interval"]
    assert low < 0 < 0.4 < high < 1
    assert found["precision"] == 0.5
    assert found["precision_of_predictions"] == pytest.approx(3 / 4)
    assert found["label_rates"] == {"1": 0.5, "0": 0.5}
    assert found["median_seconds"] == pytest.approx(55)
    assert found["by_reason"]["RANDOM"] == 10


def test_with_nothing_answered_nothing_is_claimed(db):
    found = get_review_metrics()
    assert (found["reviewed"], found["agreement"], found["kappa"]) == (0, None, None)


def test_a_payment_nobody_stored_is_asked_with_its_data_and_labels_nothing(analyst):
    asked = add_to_review_queue("elsewhere-1", {"amount": 5}, 0.4, 0)
    assert (asked.transaction, asked.data) == (None, {"amount": 5})
    assert submit_review("elsewhere-1", 0, "analyst_001").label is None
    assert not Label.objects.exists()


def test_asked_twice_it_is_one_question_and_answered_it_may_be_asked_again(analyst):
    first = add_to_review_queue("t1", {}, 0.4, 0)
    assert add_to_review_queue("t1", {}, 0.9, 1) == first
    submit_review("t1", 0, "analyst_001")
    with pytest.raises(feedback.Refused, match="has answered"):
        submit_review("t1", 1, "analyst_001")
    assert add_to_review_queue("t1", {}, 0.4, 0) != first


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("", {}, 0.5, 1), "transaction_id"),
        (("x" * 129, {}, 0.5, 1), "transaction_id"),
        (("t", [], 0.5, 1), "is an object"),
        (("t", {"a": float("nan")}, 0.5, 1), "no JSON"),
        (("t", {"a": "x" * 20_000}, 0.5, 1), "at most"),
        (("t", {"a": "\x00"}, 0.5, 1), "NUL"),
        (("t", {}, 1.5, 1), "0 to 1"),
        (("t", {}, float("nan"), 1), "0 to 1"),
        (("t", {}, 0.5, 2), "model_prediction"),
        (("t", {}, 0.5, True), "model_prediction"),
    ],
)
def test_what_is_no_question_is_refused_by_name(db, given, words):
    with pytest.raises(feedback.Refused, match=words):
        add_to_review_queue(*given)
    assert not Feedback.objects.exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("t1", 2, "analyst_001"), "human label"),
        (("t1", 1, "nobody"), "No analyst is called nobody"),
        (("t1", 1, "mona"), "No analyst"),
        (("t2", 1, "analyst_001"), "Nobody has asked about t2"),
    ],
)
def test_what_is_no_answer_is_refused(analyst, mona, given, words):
    add_to_review_queue("t1", {}, 0.4, 0)
    with pytest.raises(feedback.Refused, match=words):
        submit_review(*given)
    with pytest.raises(IntegrityError, match="answered_with_0_or_1"):
        Feedback.objects.update(human_label=3, reviewer=analyst, reviewed_at=timezone.now())


def test_a_label_that_stands_is_not_changed_by_an_answer(ana, analyst, cards):
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition="TRUE_POSITIVE_FRAUD")
    name = alert.transaction.external_id
    add_to_review_queue(name, {}, 0.9, 1)
    assert submit_review(name, 0, "analyst_001").label is None
    assert Label.objects.filter(transaction=alert.transaction).standing().get().labeller == ana


def test_a_payment_of_a_foreign_queue_is_not_theirs_to_answer(analyst, loans):
    name = making.alert(loans).transaction.external_id
    add_to_review_queue(name, {}, 0.9, 1)
    with pytest.raises(feedback.Refused, match="another queue"):
        submit_review(name, 1, "analyst_001")


# --- what is asked --------------------------------------------------------------------------------
def test_half_is_uncertain_a_quarter_at_random_and_a_quarter_high(cards):
    for hundredth in range(70):
        passed(hundredth / 100, f"c-{hundredth}")
    made = feedback.fill(budget=16)
    by_why = {
        why: sorted(one.score for one in made if one.why == why)
        for why in ("UNCERTAIN", "RANDOM", "HIGH")
    }
    assert {why: len(scores) for why, scores in by_why.items()} == {
        "UNCERTAIN": 8, "RANDOM": 4, "HIGH": 4,
    }  # fmt: skip
    assert by_why["HIGH"] == [0.66, 0.67, 0.68, 0.69]
    assert min(by_why["UNCERTAIN"]) >= 0.54  # the cut is at 0.7
    assert min(by_why["RANDOM"]) < 0.5
    assert len({one.external_id for one in made}) == 16
    assert {one.prediction for one in made} == {0}
    again = feedback.fill(budget=16)
    assert not {one.pk for one in made} & {one.pk for one in again}


def test_what_is_known_or_at_work_is_not_asked(ana, cards):
    making.alert(cards)  # somebody is about to decide it
    decided = triage.decide(by=ana, alert=making.alert(cards), disposition="FALSE_POSITIVE")
    assert decided.disposition
    free = passed(0.3)
    assert [one.transaction for one in feedback.fill(budget=8)] == [free.transaction]


def test_the_job_asks_only_as_much_as_a_lead_allows(cards):
    for n in range(6):
        passed(0.3, f"c-{n}")
    feedback.daily()
    ReviewPolicy.objects.create(random_share=1)
    feedback.daily()
    assert not Feedback.objects.exists()
    ReviewPolicy.objects.create(model_budget=4)
    feedback.daily()
    assert Feedback.objects.count() == 4


def test_it_is_a_queue_of_its_own(cards):
    passed(0.3)
    feedback.fill(budget=4)
    assert Feedback.objects.count() == 1
    assert not Alert.objects.exists()


# --- pages and programs ---------------------------------------------------------------------------
def test_the_page_asks_one_after_the_other(ana, cards, django_assert_max_num_queries):
    for n in range(3):
        passed(0.3 + n / 10, f"c-{n}")
    feedback.fill(budget=4)
    browser = client_of(ana)
    with django_assert_max_num_queries(12):
        assert "3 wait" in browser.get("/reviews/questions/").content.decode()
    first = Feedback.objects.waiting().order_by("pk").first()
    with django_assert_max_num_queries(12):
        assert browser.get(f"/reviews/questions/{first.pk}/").status_code == 200
    score = f">{first.score:.2f}<"
    assert score not in browser.get(f"/reviews/questions/{first.pk}/").content.decode()
    answer = browser.post(f"/reviews/questions/{first.pk}/answer/", {"human_label": "1"})
    assert answer.url == f"/reviews/questions/{first.pk + 1}/"
    assert (
        browser.post(f"/reviews/questions/{first.pk}/answer/", {"human_label": "1"}).status_code
        == 409
    )
    assert browser.post(f"/reviews/questions/{first.pk + 1}/answer/", {}).status_code == 400
    assert Feedback.objects.get(pk=first.pk).human_label == 1


def test_programs_ask_answer_and_read_the_figures(ana, mona, cards):
    paid = passed(0.3).transaction
    said = {"transaction_id": paid.external_id, "anomaly_score": 0.85, "model_prediction": 1}
    browser = client_of(mona)
    sent = browser.post("/api/v1/questions", said, content_type="application/json")
    assert sent.status_code == 201
    number = sent.json()["id"]
    told = client_of(ana).post(
        f"/api/v1/questions/{number}/answer",
        {"human_label": 1, "notes": "Hm"},
        content_type="application/json",
    )
    assert (told.status_code, told.json()["reviewer"]) == (200, "ana")
    assert browser.get("/api/v1/questions/metrics").json()["agreement"] == 1.0
    bad = {**said, "anomaly_score": 3}
    assert (
        browser.post("/api/v1/questions", bad, content_type="application/json").status_code == 400
    )
