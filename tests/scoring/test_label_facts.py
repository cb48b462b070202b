"""Labels by week and source: unlabelled is never genuine, young weeks say that they are young."""

from datetime import UTC, datetime, timedelta

import pytest

from scoring import labels
from scoring.label_facts import facts
from scoring.models import Label
from tests.alerts.making import payment
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)  # a Wednesday
FRAUD, GENUINE = Label.Value.TRUE_FRAUD, Label.Value.FALSE_POSITIVE


def said(days: float, value: str, *, after: float = 1.0, origin: str = "FILE", by="worker"):
    """A payment of so many days ago, and what was said of it so many days later."""
    at = NOW - timedelta(days=days)
    paid = payment(event_time=at)
    known = at + timedelta(days=after)
    return labels.give(by=by, transaction=paid, value=value, origin=origin, known_at=known)


def week_of(found, days):
    start = (NOW - timedelta(days=days)).date()
    return next(w for w in found.weeks if w.start <= start < w.start + timedelta(days=7))


def test_a_week_says_what_is_known_and_of_how_many_nothing_is(ana):
    for value, origin in ((FRAUD, "FILE"), (GENUINE, "DISPOSITION"), ("INCONCLUSIVE", "SAMPLE")):
        said(30, value, origin=origin, by=ana)
    for _ in range(5):
        payment(event_time=NOW - timedelta(days=30))
    week = week_of(facts(NOW), 30)
    assert (week.payments, week.labelled, week.unlabelled) == (8, 2, 5)
    assert (week.frauds, week.genuine, week.undecided) == (1, 1, 1)
    assert week.share == 0.25
    assert week.by_origin == {"FILE": 1, "DISPOSITION": 1, "SAMPLE": 1}


def test_only_the_last_word_counts(ana, lena):
    first = said(30, FRAUD)
    labels.give(
        by=ana, seconded_by=lena, transaction=first.transaction, value=GENUINE, origin="QA",
        known_at=NOW,
    )  # fmt: skip
    week = week_of(facts(NOW), 30)
    assert (week.frauds, week.genuine, week.by_origin) == (0, 1, {"QA": 1})
    assert facts(NOW).delays == []


@pytest.mark.parametrize(("days", "mature"), [(1, False), (9, False), (13, False), (25, True)])
def test_a_week_is_mature_when_all_of_it_is_two_weeks_old(days, mature):
    payment(event_time=NOW - timedelta(days=days))
    assert week_of(facts(NOW), days).matured is mature


def test_how_late_frauds_are_is_told_by_source(ana):
    for late in (1, 2, 3):
        said(40, FRAUD, after=late)
    said(40, FRAUD, after=0.25, origin="DISPOSITION", by=ana)
    found = {one.origin: one for one in facts(NOW).delays}
    assert (found["FILE"].frauds, found["FILE"].half) == (3, pytest.approx(2))
    assert found["DISPOSITION"].most == pytest.approx(0.25)


def test_the_share_known_by_now_reckons_with_what_is_still_to_come():
    """Half of the frauds are known after a day, half after twenty; the young ones of those are
    missing, and a plain count of what is known would say that hardly any takes twenty days."""
    for days in range(22, 82):
        for late in (1, 20):
            said(days, FRAUD, after=late)
    for days in range(2, 20):
        said(days, FRAUD, after=1)
    found = facts(NOW)
    shares = dict(found.marks)
    assert shares[7] == pytest.approx(0.5, abs=0.02)
    assert shares[30] == pytest.approx(1)
    assert week_of(found, 4).seen == pytest.approx(0.5, abs=0.02)
    assert week_of(found, 60).seen == pytest.approx(1)


def test_of_a_few_frauds_no_curve_is_drawn():
    said(30, FRAUD)
    found = facts(NOW)
    assert found.curve == []
    assert week_of(found, 30).seen is None


def test_the_page_and_its_twin(ana, dana, django_assert_max_num_queries):
    said(30, FRAUD)
    browser = client_of(ana)
    with django_assert_max_num_queries(10):
        shown = browser.get("/reviews/labels/").content.decode()
    assert "unlabelled is not genuine" in shown
    told = browser.get("/api/v1/labels/facts").json()
    assert told["maturity_days"] == 14
    assert client_of(dana).get("/reviews/labels/").status_code == 403
