"""A second person looks at a verdict without knowing it: drawn, blind, answered, settled."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from alerts import corrections, drawing, reviews, triage
from alerts.models import Alert, Note, Review, ReviewPolicy, Verdict
from anomalyshield.accounts.people import change_user
from anomalyshield.audit.models import AuditEvent
from scoring import lists, resolving
from scoring.models import Label, ListEntry
from tests.alerts import making
from tests.conftest import client_of, person

pytestmark = pytest.mark.django_db
FRAUD, LEGITIMATE = "TRUE_POSITIVE_FRAUD", "FALSE_POSITIVE"
NOTHING = dict.fromkeys(ReviewPolicy.SHARES, 0.0)


@pytest.fixture
def bert(cards):
    """A second analyst of the same queue, and who reviews."""
    return making.queue_member("bert", cards)


@pytest.fixture
def lead(lena, cards):
    making.queue("cards", lena)
    return lena


def drawn(**shares) -> ReviewPolicy:
    """From now on."""
    return ReviewPolicy.objects.create(**{**NOTHING, **shares})


def decided(by, queue, disposition=FRAUD, *, more=None, **about) -> Alert:
    alert = making.alert(queue, **about)
    return triage.decide(by=by, alert=alert, disposition=disposition, **(more or {}))


@pytest.fixture
def waiting(ana, bert, cards) -> Review:
    """A review of ana's verdict that waits for bert."""
    type(ana).objects.filter(pk=ana.pk).update(first_name="Quentin")
    drawn(random_share=1)
    alert = decided(ana, cards, more={"note": "She rang and denies it.", "typology": "SCAM"})
    Review.objects.update(reviewer=bert)
    return Review.objects.get(alert=alert)


def label_of(alert: Alert) -> Label:
    return Label.objects.filter(transaction=alert.transaction_id).standing().get()


# --- what is drawn --------------------------------------------------------------------------------
def test_nothing_is_drawn_before_a_lead_has_said_how_much(ana, bert, cards):
    decided(ana, cards)
    assert not Review.objects.exists()


@pytest.mark.parametrize(
    ("shares", "disposition", "about", "more", "risks"),
    [
        ({"large_share": 1}, FRAUD, {"amount": "2000"}, {}, ["LARGE"]),
        ({"large_share": 1}, FRAUD, {"amount": "20"}, {}, None),
        ({"unsure_share": 1}, FRAUD, {}, {"confidence": "UNSURE"}, ["UNSURE"]),
        ({"unsure_share": 1}, FRAUD, {}, {"confidence": "FAIRLY"}, None),
        ({"release_share": 1}, LEGITIMATE, {"outcome": "BLOCK"}, {}, ["RELEASE"]),
        ({"release_share": 1}, LEGITIMATE, {"outcome": "REVIEW"}, {}, None),
        ({"release_share": 1}, FRAUD, {"outcome": "BLOCK"}, {}, None),
    ],
)
def test_what_would_be_dear_or_is_unsure_is_drawn_by_risk(
    ana, bert, cards, shares, disposition, about, more, risks
):
    drawn(**shares)
    decided(ana, cards, disposition, more=more, **about)
    found = Review.objects.first()
    assert (found and (found.why, found.risks, found.chance)) == (risks and ("RISK", risks, 1))


def test_the_chance_is_kept_and_drawing_again_comes_to_the_same(ana, bert, cards):
    shares = drawn(random_share=0.5, large_share=0.5, large_amount=1)
    verdicts = [decided(ana, cards).verdicts.get() for _ in range(8)]
    found = {review.verdict_id: review for review in Review.objects.all()}
    assert {review.chance for review in found.values()} == {0.75}
    again = {one.pk for one in verdicts if drawing._why(one, shares.random_share, 0.5)}
    assert again == set(found)


def test_other_installations_draw_others_and_each_its_share(settings):
    verdicts = [Verdict(pk=number) for number in range(1000)]
    here = [drawing._why(one, 0.3, 0.5) for one in verdicts]
    assert abs(here.count("RANDOM") - 300) < 60
    assert abs(here.count(None) - 350) < 60
    settings.SECRET_KEY = "another one"
    assert [drawing._why(one, 0.3, 0.5) for one in verdicts] != here


def test_never_to_who_decided_and_to_whom_has_the_fewest(ana, bert, cards):
    carl = making.queue_member("carl", cards)
    drawn(random_share=1)
    for _ in range(4):
        decided(ana, cards)
    given = list(Review.objects.values_list("reviewer__username", flat=True))
    assert sorted(given) == ["bert", "bert", "carl", "carl"]
    assert carl.reviews.count() == 2
    with pytest.raises(IntegrityError, match="reviewed_by_a_second_person"):
        Review.objects.update(reviewer=ana)


def test_nobody_who_reads_the_whole_trail_and_nobody_of_another_queue(ana, cards, loans):
    both = person("both", "analyst")
    both.groups.add(*person("other-admin", "admin").groups.all())
    making.queue("cards", both)
    making.queue_member("far", loans)
    drawn(random_share=1)
    decided(ana, cards)
    assert Review.objects.get().reviewer is None


def test_who_decided_is_not_told(ana, bert, cards, as_ana, waiting):
    assert str(waiting) not in as_ana.get("/reviews/").content.decode()
    assert as_ana.get(f"/reviews/{waiting.pk}/").status_code == 404
    assert AuditEvent.objects.get(action="review.drawn").actor == "draw"


def test_what_a_case_stands_behind_was_seen_by_two(ana, bert, cards):
    drawn(random_share=1)
    triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD, why="C-1 is closed")
    assert not Review.objects.exists()


# --- blind ----------------------------------------------------------------------------------------
def blind_places(alert: Alert) -> list[str]:
    paid = alert.transaction_id
    return [
        f"/alerts/{alert.pk}/",
        "/alerts/?status=closed",
        "/alerts/?status=all",
        f"/transactions/{paid}/",
        f"/entities/user/{alert.user_id}/",
        "/corrections/",
        f"/api/v1/alerts/{alert.pk}",
        "/api/v1/alerts?status=closed",
        f"/api/v1/transactions/{paid}",
        f"/api/v1/decisions/{alert.decision_id}",
        f"/api/v1/labels?transaction={paid}",
        f"/api/v1/labels/{label_of(alert).pk}",
        f"/api/v1/entities/user/{alert.user_id}",
    ]


TELLING = (
    "TRUE_FRAUD",
    "TRUE_POSITIVE_FRAUD",
    "denies it",
    "DECLINED",
    "Quentin",
    "ana<",
    ">ana",
    '"ana"',
)


def test_the_reviewer_reads_nothing_of_the_verdict_anywhere(bert, waiting):
    browser, alert = client_of(bert), waiting.alert
    for place in (f"/reviews/{waiting.pk}/", f"/api/v1/reviews/{waiting.pk}", "/reviews/"):
        answer = browser.get(place)
        assert answer.status_code == 200
        text = answer.content.decode().replace('value="TRUE_POSITIVE_FRAUD"', "")
        assert [word for word in TELLING if word in text] == [], place
    for place in blind_places(alert):
        answer = browser.get(place)
        assert answer.status_code in {200, 302, 404}, place
        text = answer.content.decode()
        found = [word for word in TELLING if word in text]
        assert found == [], f"{place}: {found}"
        if not place.startswith("/transactions/"):  # which says in which alert it is, and no more
            assert f"A-{alert.pk}<" not in text, place
    assert browser.get(f"/alerts/{alert.pk}/").url == f"/reviews/{waiting.pk}/"


def test_others_and_the_reviewer_afterwards_read_all_of_it(ana, bert, lead, waiting):
    alert = waiting.alert
    shown = client_of(lead).get(f"/alerts/{alert.pk}/").content.decode()
    assert "denies it" in shown
    reviews.answer(by=bert, review=waiting, disposition=FRAUD)
    assert "denies it" in client_of(bert).get(f"/alerts/{alert.pk}/").content.decode()
    assert client_of(ana).get(f"/reviews/{waiting.pk}/").status_code == 200


def test_what_was_noted_before_is_shown_without_its_author(ana, bert, cards):
    drawn(random_share=1)
    alert = making.alert(cards)
    triage.comment(by=ana, alert=alert, text="Rang twice, nobody there.")
    Note.objects.update(at=timezone.now() - timedelta(minutes=5))
    triage.decide(by=ana, alert=alert, disposition=FRAUD, note="Denied by letter.")
    review = Review.objects.get()
    triage.comment(by=ana, alert=alert, text="The card is blocked now.")
    shown = client_of(bert).get(f"/reviews/{review.pk}/").content.decode()
    assert "Rang twice" in shown
    assert "Ana<" not in shown
    assert "by letter" not in shown
    assert "blocked now" not in shown


def test_a_verdict_taken_back_is_reviewed_by_nobody(ana, bert, waiting):
    triage.undo(by=ana, alert=waiting.alert)
    assert client_of(bert).get(f"/reviews/{waiting.pk}/").status_code == 404
    assert client_of(bert).get(f"/alerts/{waiting.alert_id}/").status_code == 200
    with pytest.raises(reviews.Refused, match="taken back"):
        reviews.answer(by=bert, review=waiting, disposition=FRAUD)


# --- answered -------------------------------------------------------------------------------------
def test_whoever_agrees_upholds_it_and_goes_on_to_the_next(ana, bert, cards, waiting):
    decided(ana, cards)
    following = Review.objects.latest("pk")
    answer = client_of(bert).post(f"/reviews/{waiting.pk}/answer/", {"disposition": FRAUD})
    assert answer.url == f"/reviews/{following.pk}/"
    waiting.refresh_from_db()
    assert (waiting.agreed, waiting.outcome, waiting.settled_by) == (True, "UPHELD", bert)


def test_another_word_for_the_same_label_is_agreement(ana, bert, cards):
    drawn(random_share=1)
    decided(ana, cards, LEGITIMATE)
    found = reviews.answer(by=bert, review=Review.objects.get(), disposition="BENIGN_POSITIVE")
    assert (found.agreed, found.outcome) == (True, "UPHELD")


def test_only_the_person_asked_answers_and_once(ana, bert, lead, waiting):
    for other in (ana, lead):
        with pytest.raises(reviews.Refused):
            reviews.answer(by=other, review=waiting, disposition=FRAUD)
    reviews.answer(by=bert, review=waiting, disposition=FRAUD)
    with pytest.raises(reviews.Refused, match="has answered"):
        reviews.answer(by=bert, review=waiting, disposition=LEGITIMATE)


@pytest.mark.parametrize(
    "said", [{}, {"disposition": "MAYBE"}, {"disposition": FRAUD, "typology": "X"}]
)
def test_nonsense_is_refused_and_tells_nothing(bert, waiting, said):
    answer = client_of(bert).post(f"/reviews/{waiting.pk}/answer/", said)
    assert answer.status_code == 400
    assert "denies it" not in answer.content.decode()
    waiting.refresh_from_db()
    assert waiting.is_open


# --- settled --------------------------------------------------------------------------------------
@pytest.fixture
def disputed(bert, waiting) -> Review:
    """Bert says legitimate where ana said fraud, and proposes it."""
    found = reviews.answer(by=bert, review=waiting, disposition=LEGITIMATE)
    assert (found.agreed, found.outcome) == (False, "DISCUSS")
    return reviews.dispute(by=bert, review=found, reason="Her daughter paid.")


def test_an_overturn_takes_a_second_person_and_changes_label_and_payment(ana, bert, disputed):
    alert = disputed.alert
    with pytest.raises(corrections.Refused, match="second person"):
        reviews.settle(by=bert, review=disputed, approve=True)
    assert label_of(alert).value == "TRUE_FRAUD"
    found = reviews.settle(by=ana, review=disputed, approve=True)
    assert (found.outcome, found.settled_by) == ("OVERTURNED", ana)
    label = label_of(alert)
    assert (label.value, label.origin, label.supersedes.value) == (
        "FALSE_POSITIVE",
        "QA",
        "TRUE_FRAUD",
    )
    assert resolving.standing(alert.decision).state == "RELEASED"


def test_refused_or_withdrawn_the_first_verdict_stands(ana, bert, disputed):
    found = reviews.settle(by=ana, review=disputed, approve=False, words="She lives alone.")
    assert (found.outcome, found.agreed) == ("UPHELD", False)
    assert label_of(disputed.alert).value == "TRUE_FRAUD"


def test_answered_on_the_page_of_corrections_it_is_settled_too(ana, disputed):
    corrections.approve(by=ana, correction=disputed.corrections.get())
    disputed.refresh_from_db()
    assert disputed.outcome == "OVERTURNED"


def test_having_talked_they_let_it_stand_with_a_reason(ana, bert, waiting):
    found = reviews.answer(by=bert, review=waiting, disposition="INCONCLUSIVE")
    with pytest.raises(reviews.Refused, match="Say why"):
        reviews.let_stand(by=ana, review=found, words=" ")
    found = reviews.let_stand(by=ana, review=found, words="He had not seen the letter.")
    assert (found.outcome, found.settled_by) == ("UPHELD", ana)
    with pytest.raises(reviews.Refused, match="not under discussion"):
        reviews.dispute(by=bert, review=found, reason="Still.")


def test_every_payment_of_a_group_is_corrected_at_once(ana, bert, cards):
    drawn(random_share=1)
    alert = making.alert(cards)
    joined = making.decision(making.payment())
    alert.hits.create(
        decision=joined, transaction=joined.transaction, user_id="x", score=0.8, amount=1
    )
    Alert.objects.filter(pk=alert.pk).update(hit_count=2)
    triage.decide(by=ana, alert=alert, disposition=FRAUD)
    found = reviews.answer(by=bert, review=Review.objects.get(), disposition=LEGITIMATE)
    found = reviews.dispute(by=bert, review=found, reason="Both were hers.")
    assert found.corrections.count() == 2
    assert reviews.settle(by=ana, review=found, approve=True).outcome == "OVERTURNED"
    assert set(Label.objects.standing().values_list("value", flat=True)) == {"FALSE_POSITIVE"}


# --- the team -------------------------------------------------------------------------------------
def test_a_lead_hands_over_and_a_colleague_takes_what_nobody_had(ana, bert, lead, cards, waiting):
    carl = making.queue_member("carl", cards)
    with pytest.raises(reviews.Refused, match="lead"):
        reviews.hand_over(by=bert, review=waiting, to=carl)
    with pytest.raises(reviews.Refused, match="second person"):
        reviews.hand_over(by=lead, review=waiting, to=ana)
    assert reviews.hand_over(by=lead, review=waiting, to=carl).reviewer == carl
    Review.objects.update(reviewer=None)
    assert reviews.take(by=bert, review=waiting).reviewer == bert
    with pytest.raises(reviews.Refused, match="somebody else"):
        reviews.take(by=carl, review=waiting)


def test_reviews_of_a_suspended_person_go_on(adam, ana, bert, cards, waiting):
    carl = making.queue_member("carl", cards)
    change_user(by=adam, user=bert, is_active=False, roles=["analyst"])
    waiting.refresh_from_db()
    assert waiting.reviewer == carl


def test_leads_set_shares_with_a_reason_and_others_do_not(as_ana, lead):
    said = {**NOTHING, "random_share": 0.1, "large_amount": 500, "due_hours": 24}
    said |= {"reason": "Try.", "sample_budget": 5, "model_budget": 4}
    assert as_ana.post("/reviews/shares/", said).status_code == 409
    browser = client_of(lead)
    assert browser.post("/reviews/shares/", {**said, "random_share": 7}).status_code == 400
    assert browser.post("/reviews/shares/", {**said, "reason": ""}).status_code == 400
    assert browser.post("/reviews/shares/", said).status_code == 302
    found = drawing.policy()
    assert (found.random_share, found.made_by, found.due_hours) == (0.1, lead, 24)
    with pytest.raises(IntegrityError, match="random_share_is_one"):
        ReviewPolicy.objects.create(random_share=1.5)


@pytest.mark.parametrize(
    "amount, status",
    [
        (500, 200),
        ("500.00", 200),
        (12.5, 200),
        ("5\n", 400),
        ("1e3", 400),
        ("５", 400),
        (True, 400),
    ],
)
def test_a_large_amount_is_a_number_or_the_digits_of_an_answer(lead, amount, status):
    said = {name: value for name, value in NOTHING.items() if name != "large_amount"}
    said |= {"large_amount": amount, "due_hours": 24, "reason": "Try."}
    answer = client_of(lead).post("/api/v1/reviews/shares", said, content_type="application/json")
    assert answer.status_code == status, answer.content


def test_pages_cost_the_same_for_many(ana, bert, cards, waiting, django_assert_max_num_queries):
    for _ in range(5):
        decided(ana, cards)
    browser = client_of(bert)
    for address in ("/reviews/", "/reviews/?show=answered", f"/reviews/{waiting.pk}/"):
        with django_assert_max_num_queries(12):
            assert browser.get(address).status_code == 200


def test_a_verdict_is_drawn_within_two_statements_more(ana, bert, cards):
    assert Verdict.objects.count() == 0
    drawn(random_share=1)
    decided(ana, cards)
    assert Review.objects.get().due_at > timezone.now() + timedelta(hours=71)


def test_programs_read_that_nothing_is_drawn_yet(lead):
    told = client_of(lead).get("/api/v1/reviews/shares").json()
    assert (told["random_share"], told["made_at"], told["made_by"]) == (0, None, None)


# --- whom the first person put on a list ----------------------------------------------------------
def test_who_was_listed_with_the_verdict_is_withheld_until_the_answer(ana, lena, bert, cards):
    drawn(random_share=1)
    wish = lists.Wish("DENY", "user", "customer-0042", "Her account is taken over.")
    alert = decided(ana, cards, user="customer-0042", more={"put": [wish]})
    other = making.alert(cards, user="customer-0042")
    entry = ListEntry.objects.get()
    review = Review.objects.get(alert=alert)
    pages = ["/lists/", "/lists/?q=customer-0042", f"/alerts/{other.pk}/"]
    pages += ["/entities/user/customer-0042/"]
    client, api = client_of(bert), f"/api/v1/lists/{entry.pk}"
    for page in pages:
        told = client.get(page).content.decode()
        assert "taken over" not in told, page
        assert f"/lists/{entry.pk}/" not in told, page
        assert "list-DENY" not in told, page
    assert client.get(f"/lists/{entry.pk}/").status_code == 404
    assert client.get(api).status_code == 404
    assert client.get("/api/v1/lists").json()["results"] == []
    assert client.post(f"/lists/{entry.pk}/end/", {"reason": "No."}).status_code == 404
    assert "taken over" in client_of(ana).get("/lists/").content.decode()
    reviews.answer(by=bert, review=review, disposition=LEGITIMATE)
    assert "taken over" in client.get("/lists/").content.decode()
    assert client.get(api).status_code == 200
