"""The sample below the line: drawn once a day, replayable, answered by one, and what it says."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts import recall, sampling, triage
from alerts.models import Alert, ReviewPolicy, Sample, SampleDraw
from anomalyshield.audit.models import AuditEvent
from scoring import labels
from scoring.models import Decision, Label, ModelVersion, Transaction
from tests.alerts import making
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
NOW = timedelta(0)
FRAUD, LEGITIMATE = "TRUE_POSITIVE_FRAUD", "FALSE_POSITIVE"


def approved(score: float = 0.05, many: int = 1) -> list[Transaction]:
    """Payments that raised nothing."""
    made = [making.payment(f"c-{n}") for n in range(many)]
    for paid in made:
        making.decision(paid, score=score, level="LOW", outcome="APPROVE", reviewable=False)
    Decision.objects.update(decided_at=timezone.now() - timedelta(hours=2))
    return made


@pytest.fixture
def drawn(db) -> SampleDraw:
    """Four of each of two bands: 40 of low score, 10 of middling."""
    approved(0.05, 40)
    approved(0.4, 10)
    return sampling.draw(budget=12)


# --- drawing --------------------------------------------------------------------------------------
def test_each_row_keeps_the_chance_it_was_drawn_with(drawn):
    assert [one["population"] for one in drawn.strata] == [40, 0, 10, 0]
    for band, size in ((0, 40), (2, 10)):
        rows = list(drawn.samples.filter(band=band))
        assert {row.chance for row in rows} == {len(rows) / size}
    assert drawn.samples.count() == 12


def test_a_day_is_drawn_once_and_the_next_begins_where_it_ended(drawn):
    assert sampling.draw(budget=12) is None
    approved(0.2, 5)
    tomorrow = drawn.day + timedelta(days=1)
    later = sampling.draw(budget=12, day=tomorrow)
    assert later.after == drawn.until
    assert [one["population"] for one in later.strata] == [0, 5, 0, 0]


def test_drawing_again_comes_to_the_same_unless_somebody_changed_it(drawn, settings):
    assert sampling.redrawn(drawn)
    one = drawn.samples.first()
    other = Transaction.objects.exclude(sample__draw=drawn).first()
    Sample.objects.filter(pk=one.pk).update(transaction=other)
    assert not sampling.redrawn(drawn)
    settings.SECRET_KEY = "a new one"
    with pytest.raises(ValueError, match="SECRET_KEY was changed"):
        sampling.redrawn(drawn)


def test_what_raised_an_alert_and_what_may_still_commit_is_not_drawn_of(cards):
    approved(many=3)
    making.alert(cards)
    Decision.objects.filter(reviewable=True).update(decided_at=timezone.now() - timedelta(hours=2))
    fresh = making.payment()
    making.decision(fresh, score=0.1, level="LOW", outcome="APPROVE", reviewable=False)
    found = sampling.draw(budget=50)
    assert sum(one["population"] for one in found.strata) == 3
    assert not Sample.objects.filter(transaction=fresh).exists()


def test_the_job_draws_only_what_a_lead_has_allowed(lena):
    approved(many=30)
    sampling.daily()
    ReviewPolicy.objects.create(random_share=1)
    sampling.daily()
    assert not SampleDraw.objects.exists()
    ReviewPolicy.objects.create(sample_budget=5)
    sampling.daily()
    assert Sample.objects.count() == 5
    assert AuditEvent.objects.get(action="sample.drawn").actor == "draw"


def test_an_empty_day_draws_nothing(db):
    assert sampling.draw(budget=5) is None


# --- answering ------------------------------------------------------------------------------------
def test_an_answer_labels_the_payment_and_says_where_it_is_from(ana, drawn):
    one = sampling.answer(
        by=ana, sample=drawn.samples.first(), disposition=FRAUD, typology="CARD_TESTING"
    )
    label = Label.objects.get(transaction=one.transaction)
    assert (label.value, label.origin, label.labeller) == ("TRUE_FRAUD", "SAMPLE", ana)
    assert (one.label, label.typology) == (label, "CARD_TESTING")
    assert not Alert.objects.exists()


def test_two_people_are_never_given_the_same_and_who_comes_back_has_theirs(ana, lena, drawn):
    first, second = sampling.take_next(by=ana), sampling.take_next(by=lena)
    assert first != second
    assert sampling.take_next(by=ana) == first
    with pytest.raises(sampling.Refused, match="Ana is looking at"):
        sampling.answer(by=lena, sample=first, disposition=FRAUD)
    sampling.answer(by=ana, sample=first, disposition=LEGITIMATE)
    with pytest.raises(sampling.Refused, match="has answered"):
        sampling.answer(by=ana, sample=first, disposition=FRAUD)


def test_a_label_that_stands_is_left_and_the_last_word_is_what_counts(ana, drawn):
    one = drawn.samples.filter(band=0).first()
    known = timezone.now() - timedelta(minutes=1)
    labels.give(
        by="worker", transaction=one.transaction, value="TRUE_FRAUD", origin="FILE", known_at=known
    )
    answered = sampling.answer(by=ana, sample=one, disposition=LEGITIMATE)
    assert answered.label is None
    assert recall.measured().bands[0].found == 1


# --- what it says ---------------------------------------------------------------------------------
def test_the_frauds_missed_are_those_found_each_for_as_many_as_it_stands_for(ana, cards, drawn):
    raised = making.alert(cards)
    triage.decide(by=ana, alert=raised, disposition=FRAUD)
    SampleDraw.objects.update(until=raised.decision_id)
    frauds = {0: 1, 2: 2}  # found per band
    for one in drawn.samples.order_by("pk"):
        left = frauds[one.band]
        frauds[one.band] = max(left - 1, 0)
        said = FRAUD if left else LEGITIMATE
        sampling.answer(by=ana, sample=one, disposition=said)
    found = recall.measured()
    low, middling = found.bands[0], found.bands[2]
    expected = 40 / low.drawn + 2 * 10 / middling.drawn
    assert found.missed.total == pytest.approx(expected)
    assert found.missed.low < expected < found.missed.high <= 50
    assert (found.caught, found.reported, found.open) == (1, 3, 0)
    assert found.recall[0] == pytest.approx(1 / (1 + expected))
    assert found.naive == pytest.approx(1 / 4)  # too good: 3 of them are known, not all
    assert found.naive > found.recall[0]


def test_an_inconclusive_answer_is_no_answer(ana, drawn):
    for one in drawn.samples.filter(band=0):
        sampling.answer(by=ana, sample=one, disposition="INCONCLUSIVE")
    found = recall.measured()
    assert (found.bands[0].answered, found.bands[0].undecided > 0) == (0, True)
    assert found.missed is None


def test_pages_and_twins_say_the_same(ana, mona, drawn, django_assert_max_num_queries):
    browser = client_of(ana)
    taken = browser.post("/reviews/samples/next/")
    one = Sample.objects.get(holder=ana)
    assert taken.url == f"/reviews/samples/{one.pk}/"
    with django_assert_max_num_queries(12):
        assert "drawn by chance" in browser.get(taken.url).content.decode()
    answer = browser.post(f"/reviews/samples/{one.pk}/answer/", {"disposition": FRAUD})
    assert answer.url != taken.url
    for asker in (browser, client_of(mona)):
        with django_assert_max_num_queries(12):
            assert asker.get("/reviews/samples/").status_code == 200
    told = browser.get("/api/v1/samples/recall").json()
    assert told["bands"][one.band]["found"] == 1
    assert told["missed"]["total"] > 0
    [row] = browser.get("/api/v1/samples?waiting=false").json()["results"]
    assert (row["said"], row["chance"]) == (FRAUD, one.chance)
    hidden = client_of(mona).get("/api/v1/samples").json()["results"][0]
    assert "…" in hidden["user_id"]


def test_nonsense_is_refused(as_ana, drawn):
    one = drawn.samples.first()
    for said in ({}, {"disposition": "MAYBE"}, {"disposition": FRAUD, "typology": "NO"}):
        assert as_ana.post(f"/reviews/samples/{one.pk}/answer/", said).status_code == 400
    assert not Sample.objects.answered().exists()


# --- on the page of the version ------------------------------------------------------------------
@pytest.fixture
def version(db) -> ModelVersion:
    return ModelVersion.objects.create(
        number=1, folder="nowhere", sha256="0" * 64, kind="warm", cutoff=timezone.now(),
        metrics={"budget": 0.005},
    )  # fmt: skip


def test_a_version_tells_what_it_misses_and_how_that_was_drawn(version, ana, otto, drawn):
    Decision.objects.update(model=version)
    found = recall.of_version(version)
    assert (found.draws, found.population, found.drawn) == (1, 50, 12)
    assert (found.answered, found.missed, found.recall) == (0, None, None)
    for place, one in enumerate(drawn.samples.order_by("pk")):
        sampling.answer(by=ana, sample=one, disposition=LEGITIMATE if place else FRAUD)
    told = recall.of_version(version)
    value, low, high = told.recall
    assert (told.answered, told.caught) == (12, 0)
    assert told.missed.low < told.missed.total < told.missed.high
    assert low <= value <= high
    page = client_of(otto).get(f"/models/{version.pk}/").content.decode()
    assert "What it misses" in page
    assert "12 were drawn: by bands" in page
    read = client_of(otto).get(f"/api/v1/models/{version.pk}").json()["below"]
    assert read["recall"] == list(told.recall)
    assert read["missed"]["total"] == told.missed.total


def test_days_on_which_another_version_decided_too_say_nothing_of_either(version, drawn):
    assert recall.of_version(version) is None, "it decided none of them"
    Decision.objects.update(model=version)
    first = Decision.objects.order_by("pk").first()
    Decision.objects.filter(pk=first.pk).update(model=None)
    assert recall.of_version(version) is None
