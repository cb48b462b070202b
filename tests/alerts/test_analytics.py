"""Pages of figures: right numbers, the reader's own queues, few queries, each table as a file."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from django.utils.translation import override

from alerts import triage
from alerts.analytics import TABS
from alerts.analytics.section import Section, words
from alerts.analytics.window import window_of
from alerts.models import Alert
from anomalyshield.audit.models import AuditEvent
from anomalyshield.exports import Column
from scoring import cost_changes, labels
from scoring.engine.costs import Costs
from scoring.models import CostModel
from tests.alerts import making
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
FRAUD, GENUINE = "TRUE_POSITIVE_FRAUD", "FALSE_POSITIVE"


def of(tab: str, user, last: str = "") -> dict[str, Section]:
    one = TABS[tab]
    window = window_of(user, last or one.usual, zone="UTC")
    return {part.key: part for part in one.make(window)}


def row(section: Section, first: str) -> dict[str, object]:
    found = next(row for row in section.rows if row[0] == first)
    return dict(zip([column.title for column in section.columns], found, strict=True))


@pytest.fixture
def day(cards, ana):
    """Three alerts of Ana's queue, two of them decided; a fraud that passed; quiet payments."""
    found = making.alert(
        cards, amount="100", country="FR", location="Paris", latitude=48.9, longitude=2.4,
        merchant_category="jewellery", merchant_name="Ring & Co",
    )  # fmt: skip
    wrong = making.alert(cards, amount="40", country="FR", merchant_category="groceries")
    waiting = making.alert(cards, amount="300", country="US")
    for one in (found, wrong):
        triage.claim(by=ana, alert=one)
    triage.decide(by=ana, alert=found, disposition=FRAUD)
    triage.decide(by=ana, alert=wrong, disposition=GENUINE)
    for _ in range(7):
        quiet = {"outcome": "APPROVE", "reviewable": False, "level": "LOW", "score": 0.1}
        making.decision(making.payment(country="US", merchant_category="groceries"), **quiet)
    passed = making.payment(amount="80", country="NG")
    making.decision(passed, outcome="APPROVE", reviewable=False, level="LOW", score=0.1)
    labels.give(by="worker", transaction=passed, value="TRUE_FRAUD", origin="API")
    return {"found": found, "wrong": wrong, "waiting": waiting, "passed": passed}


def test_money_is_what_was_stopped_missed_reviewed_and_held(day, ana):
    whole = of("money", ana)["money"]
    assert row(whole, "Loss prevented") == {"What": "Loss prevented", "Number": 1, "Money": 120}
    assert row(whole, "Missed: known frauds that passed")["Money"] == 100
    assert row(whole, "Reviews")["Money"] == 10
    assert row(whole, "Friction: genuine payments held")["Money"] == 2
    assert row(whole, "Saved against doing nothing")["Money"] == 108
    assert row(whole, "For each alert decided")["Money"] == 6
    assert row(whole, "For each fraud found")["Money"] == 12
    days = of("money", ana)["by-day"].rows
    assert sum(one[1] for one in days) == 120


def test_money_is_reckoned_by_the_cost_model_of_its_time(day, ana, mona, otto):
    asked = cost_changes.ask(by=mona, wanted=Costs(review_cost=50.0), reason="Payroll.")
    cost_changes.approve(by=otto, request=asked)
    assert row(of("money", ana)["money"], "Reviews")["Money"] == 10
    CostModel.objects.filter(version=2).update(created_at=timezone.now() - timedelta(days=2))
    assert row(of("money", ana)["money"], "Reviews")["Money"] == 100


def test_what_was_let_go_again_is_missed(day, ana):
    triage.undo(by=ana, alert=day["found"])
    triage.decide(by=ana, alert=Alert.objects.get(pk=day["found"].pk), disposition=GENUINE)
    whole = of("money", ana)["money"]
    assert row(whole, "Loss prevented")["Number"] == 0


def test_places_categories_and_hours_count_all_payments(day, ana):
    countries = of("places", ana)["countries"]
    assert row(countries, "FR")["Anomalies"] == 2
    assert row(countries, "US") == {
        "Country": "US", "Payments": 8, "Anomalies": 1, "Anomaly rate": 0.125,
        "Known frauds": 0, "Genuine, held": 0, "Amount held": Decimal(300),
    }  # fmt: skip
    assert "Paris" in of("places", ana)["places"].chart
    parts = of("merchants", ana)
    assert row(parts["categories"], "groceries")["Payments"] == 8
    assert row(parts["merchants"], "Ring & Co")["Known frauds"] == 1
    assert sum(sum(one[1:]) for one in parts["hours"].rows) == 3


def test_trends_count_rates_and_mark_what_may_still_turn(day, ana):
    parts = of("trends", ana)
    rates = parts["rates"]
    [*_, today] = [one for one in rates.rows if one[1]]
    assert sum(one[1] for one in rates.rows) == 11
    assert rates.faint, "labels of today are still to come"
    wrong = parts["wrong"]
    assert sum(one[2] for one in wrong.rows) == 2
    assert wrong.rows[-1][5] == 0.5
    assert today[3] is not None


def test_a_queue_shows_what_came_what_went_and_what_waits(day, ana, cards):
    parts = of("queues", ana)
    found = row(parts["queues"], cards.name)
    assert (found["Came"], found["Decided"], found["Wait"], found["Overdue"]) == (3, 2, 1, 0)
    assert (found["Frauds"], found["Decisions an hour"]) == (0.5, 2.0)
    assert parts["flow"].rows[-1][1:4] == (3, 2, 1)


def test_the_live_page_shows_what_came_with_its_alert(day, ana):
    parts = of("live", ana)
    assert sum(one[1] for one in parts["stream"].rows) >= 3
    assert str(day["waiting"]) in [one[0] for one in parts["latest"].rows]


def test_of_alerts_one_sees_ones_own_queues_alone(day, loans):
    other = making.queue_member("omar", loans)
    assert not of("live", other)["latest"].rows
    assert [one[0] for one in of("queues", other)["queues"].rows] == [loans.name]
    whole = of("money", other)["money"]
    assert row(whole, "Reviews")["Money"] == 0
    assert row(whole, "Loss prevented")["Number"] == 0
    assert row(whole, "Missed: known frauds that passed")["Number"] == 1, "in no queue: anybody's"


def test_an_installation_of_old_payments_looks_at_their_time(ana):
    old = timezone.now() - timedelta(days=400)
    making.decision(making.payment(event_time=old))
    assert sum(one[1] for one in of("trends", ana)["rates"].rows) == 1
    page = client_of(ana).get("/analytics/trends/").content.decode()
    assert "No payment is newer" in page


@pytest.mark.parametrize("tab", list(TABS))
def test_a_page_takes_few_queries_and_stands_without_any_data(
    tab, day, ana, django_assert_max_num_queries
):
    browser = client_of(ana)
    with django_assert_max_num_queries(12):
        answer = browser.get(f"/analytics/{tab}/")
    assert answer.status_code == 200
    assert "As a table" in answer.content.decode() or tab == "merchants"
    assert client_of(ana).get(f"/analytics/{tab}/?last=nonsense").status_code == 200


@pytest.mark.parametrize("tab", list(TABS))
def test_a_page_of_nothing_says_so(tab, ana, cards):
    assert client_of(ana).get(f"/analytics/{tab}/").status_code == 200


def test_customers_are_masked_for_who_works_no_alerts_on_pages_and_in_files(day, ana, mona):
    for user, seen in ((ana, True), (mona, False)):
        page = client_of(user).get("/analytics/live/").content.decode()
        file = client_of(user).get("/analytics/live/latest.csv")
        text = b"".join(file.streaming_content).decode()
        assert ("customer-0042" in page) is ("customer-0042" in text) is seen
    event = AuditEvent.objects.filter(action="data.exported", actor="mona").get()
    assert event.after["masked"] is True
    assert event.after["filters"]["page"] == "live"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_every_table_is_a_file(kind, day, ana):
    browser = client_of(ana)
    for tab in TABS:
        for key in of(tab, ana):
            answer = browser.get(f"/analytics/{tab}/{key}.{kind}")
            assert answer.status_code == 200, (tab, key)
            assert len(b"".join(answer.streaming_content)) > 10


@pytest.mark.parametrize(
    "address", ["nothing/", "money/nothing.csv", "money/money.pdf", "nothing/money.csv"]
)
def test_what_there_is_not_is_not_found(address, ana):
    assert client_of(ana).get(f"/analytics/{address}").status_code == 404


def test_the_live_part_alone_comes_again(day, ana):
    part = client_of(ana).get("/analytics/live/", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="live"')
    assert "<html" not in part


# --- words ----------------------------------------------------------------------------------------
def test_money_says_its_currency_unless_its_rows_do(day, ana):
    heads = of("places", ana)["countries"].heads
    assert ("Amount held, USD", True) in heads
    assert ("Country", False) in heads
    assert ("Amount", True) in of("live", ana)["latest"].heads


def test_figures_are_whole_german_for_whoever_reads_german(day, ana):
    with override("de"):
        assert "höchster Wert: " in (of("money", ana)["by-day"].chart or "")
        assert of("merchants", ana)["merchants"].heads[0] == ("Händler", False)
        assert of("money", ana)["money"].meaning.startswith("Letzte 30 Tage, ")
        assert words(1234.5, Column("", "number")) == "1.234,5"


def test_countries_are_named_for_people_and_coded_for_programs(day, ana):
    browser = client_of(ana)
    shown = browser.get("/analytics/places/").content.decode()
    assert "France (FR)" in shown
    assert "Nigeria (NG)" in shown
    for address in ("/analytics/places/countries.csv", "/api/v1/analytics/places"):
        answer = browser.get(address)
        told = b"".join(answer).decode()
        assert "FR" in told
        assert "France" not in told
    with override("de"):
        rows = [line.first.text for line in of("places", ana)["countries"].lines(hidden=False)]
    assert {"Frankreich (FR)", "Vereinigte Staaten (US)"} <= set(rows)


def test_a_payment_s_page_says_its_country_and_channel_in_words(cards, ana):
    till = making.alert(cards, country="PE", channel="pos")
    odd = making.alert(cards, country="ZZ", channel="carrier pigeon")
    shown = client_of(ana).get(f"/alerts/{till.pk}/").content.decode()
    assert "Peru (PE)" in shown
    assert "card terminal" in shown
    assert ">pos<" not in shown
    shown = client_of(ana).get(f"/alerts/{odd.pk}/").content.decode()
    assert "ZZ" in shown
    assert "carrier pigeon" in shown
