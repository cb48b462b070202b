"""How far people agree: the figures of a set made by hand, and of whom nothing is said."""

import csv

import pytest

from alerts import agreement, reviews, triage
from alerts.models import Review, ReviewPolicy
from anomalyshield.audit.models import AuditEvent
from tests.alerts import making
from tests.conftest import client_of
from tests.rest.schemas import manual

pytestmark = pytest.mark.django_db
FRAUD, LEGITIMATE = "TRUE_POSITIVE_FRAUD", "FALSE_POSITIVE"


@pytest.fixture
def bert(cards):
    return making.queue_member("bert", cards)


@pytest.fixture
def reviewed(ana, bert, cards):
    """Five reviews of ana's verdicts: 2 × fraud twice, 1 × legitimate twice, 2 × not the same."""
    ReviewPolicy.objects.create(random_share=1, large_share=0, unsure_share=0, release_share=0)
    pairs = [(FRAUD, FRAUD)] * 2 + [(LEGITIMATE, LEGITIMATE)] + [(FRAUD, LEGITIMATE)] * 2
    for first, then in pairs:
        triage.decide(by=ana, alert=making.alert(cards), disposition=first)
        made = Review.objects.latest("pk")
        reviews.answer(by=bert, review=made, disposition=then)
    one = reviews.dispute(by=bert, review=made, reason="Her own card.")
    return reviews.settle(by=ana, review=one, approve=True)


def test_the_figures_of_five_reviews(ana, reviewed):
    found = agreement.figures(ana)
    assert (found.reviews, found.all.cases) == (5, 5)
    assert found.all.observed == pytest.approx(0.6)
    # Said fraud: 4 of 5 first, 2 of 5 then. Chance: 0.8 × 0.4 + 0.2 × 0.6 = 0.44.
    assert found.all.kappa == pytest.approx((0.6 - 0.44) / 0.56)
    assert [counts for _, counts in found.table] == [[2, 2, 0], [0, 1, 0], [0, 0, 0]]
    assert found.overturned[0] == pytest.approx(1 / 4)  # one is still under discussion
    [fraud, legitimate] = found.groups["Disposition"]
    assert (fraud.name, fraud.agreed.found, fraud.agreed.of) == ("Fraud", 2, 4)
    assert (fraud.overturned.found, fraud.overturned.of) == (1, 3)
    assert (legitimate.overturned.found, legitimate.overturned.of) == (0, 1)


def test_each_review_counts_for_as_many_verdicts_as_it_was_drawn_from(ana, reviewed):
    Review.objects.filter(pk=reviewed.pk).update(chance=0.25)
    assert agreement.figures(ana).overturned[0] == pytest.approx(4 / 7)


def test_of_persons_only_leads_read_and_not_of_a_few(ana, lena, cards, reviewed, monkeypatch):
    making.queue("cards", lena)
    assert "Who decided" not in agreement.figures(lena).groups
    assert agreement.figures(lena).hidden == 1
    monkeypatch.setattr(agreement, "LEAST", 5)
    [line] = agreement.figures(lena).groups["Who decided"]
    assert (line.name, line.agreed.of) == ("Ana", 5)
    assert "Who decided" not in agreement.figures(ana).groups


def test_nobody_but_leads_and_admins_reads_a_name_wherever_the_figures_stand(
    ana, lena, mona, adam, cards, reviewed, monkeypatch
):
    making.queue("cards", lena)
    type(ana).objects.filter(pk=ana.pk).update(first_name="Quentin", last_name="Abel")
    monkeypatch.setattr(agreement, "LEAST", 5)
    for asker, named in ((lena, True), (adam, True), (ana, False), (mona, False)):
        client = client_of(asker)
        file = b"".join(client.get("/reviews/agreement.csv")).decode()
        told = client.get("/api/v1/reviews/agreement").content.decode()
        page = client.get("/reviews/agreement/").content.decode().partition("<main")[2]
        assert {"Quentin Abel" in text for text in (file, told, page)} == {named}, asker
        assert "Who decided,ana," not in file


def test_persons_stand_by_name_whatever_their_figures_and_two_of_one_name_apart(ana, cards):
    people = [making.queue_member(name, cards) for name in ("zoe", "carl", "dora", "carla")]
    type(ana).objects.filter(username="carla").update(first_name="Carl")
    names = agreement.names_of([one.pk for one in people])
    rows = [
        agreement.Row("RANDOM", 1, FRAUD, said, "UPHELD", "", "cards", one.pk)
        for one, said in zip(people, (FRAUD, LEGITIMATE, FRAUD, FRAUD), strict=True)
    ]
    told = [line.name for line in agreement.lines(rows, lambda row: names[row.person])]
    assert told == ["Carl (carl)", "Carl (carla)", "Dora", "Zoe"]


def test_foreign_queues_count_for_nobody(loans, reviewed):
    other = making.queue_member("far", loans)
    assert agreement.figures(other).reviews == 0


def test_the_page_and_its_twin_say_the_same(ana, mona, reviewed, django_assert_max_num_queries):
    browser = client_of(ana)
    with django_assert_max_num_queries(12):
        shown = browser.get("/reviews/agreement/").content.decode()
    assert "0.29" in shown
    told = browser.get("/api/v1/reviews/agreement").json()
    assert told["all"]["kappa"] == pytest.approx(0.2857, abs=1e-4)
    assert told["table"]["fraud"] == {"fraud": 2, "legitimate": 2, "inconclusive": 0}
    assert client_of(mona).get("/reviews/agreement/").status_code == 200


def test_with_nothing_to_tell_it_says_so(as_ana, cards):
    assert "No review was answered" in as_ana.get("/reviews/agreement/").content.decode()
    told = as_ana.get("/api/v1/reviews/agreement").json()
    assert told["all"]["kappa"] is None


def test_the_figures_come_as_a_file_with_their_intervals(ana, reviewed):
    answer = client_of(ana).get("/reviews/agreement.csv?days=30")
    head, *lines = list(csv.reader(b"".join(answer).decode().splitlines()))
    assert head == ["Figure", "By", "Of", "Value", "95 % from", "95 % to", "Reviews"]
    told = {tuple(line[:3]): line[3:] for line in lines}
    assert float(told["Kappa", "", "All reviews"][0]) == pytest.approx((0.6 - 0.44) / 0.56)
    value, low, high, of = told["Overturned", "Disposition", "Fraud"]
    assert (float(value), of) == (pytest.approx(1 / 3), "3")
    assert float(low) < 1 / 3 < float(high)
    assert told["First fraud, then legitimate", "", "All reviews"] == ["", "", "", "2"]
    event = AuditEvent.objects.get(action="data.exported")
    assert event.after["filters"] == {"page": "agreement", "days": 30}


def test_a_file_takes_the_same_time_as_its_figures_and_guesses_none(ana, reviewed):
    client = client_of(ana)
    for wrong in ("days=nonsense", "days=0", "day=30"):
        refused = {client.get(f"/api/v1/reviews/agreement{end}?{wrong}") for end in ("", ".csv")}
        assert {answer.status_code for answer in refused} == {400}, wrong
    assert client.get("/api/v1/reviews/agreement.csv?days=45").status_code == 200
    assert AuditEvent.objects.get(action="data.exported").after["filters"]["days"] == 45
    for wrong in ("last=nonsense", "lats=30d"):
        for address in ("trends", "trends/level.csv"):
            answer = client.get(f"/api/v1/analytics/{address}?{wrong}")
            assert answer.status_code == 400, (address, wrong)


def test_the_figures_come_as_a_workbook_and_as_nothing_else(ana, otto, dana, reviewed):
    client = client_of(ana)
    answer = client.get("/api/v1/reviews/agreement.xlsx")
    assert b"".join(answer)[:2] == b"PK"
    said = manual()["paths"]["/api/v1/reviews/agreement.{kind}"]["get"]["responses"]["200"]
    assert answer["Content-Type"] in said["content"]
    assert client.get("/reviews/agreement.pdf").status_code == 404
    assert client_of(dana).get("/reviews/agreement.csv").status_code == 403
    page = client.get("/reviews/agreement/?days=30").content.decode()
    assert "/reviews/agreement.xlsx?days=30" in page
