"""Past weeks measured with models of their own, and what of it stops a hasty promotion."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.urls import reverse

from anomalyshield.audit.models import AuditEvent
from scoring import card, comparison, dataset, doubts, evaluated, judging, registry, weekly
from scoring.dataset import Dataset, Split
from scoring.engine import training as learning
from scoring.engine.features import NAMES, column
from scoring.registry import Loaded
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
CUTOFF = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DAYS, A_DAY = 63, 60
RECIPE = weekly.Recipe(budget=0.05, weeks=2, window=28, maturity=timedelta(days=7))


@pytest.fixture(scope="module")
def data() -> Dataset:
    """Nine weeks; one payment in seven a fraud, told by a lonely device, reported soon."""
    random = np.random.default_rng(4)
    rows = DAYS * A_DAY
    vectors = np.zeros((rows, len(NAMES)))
    frauds = random.random(rows) < 0.15
    vectors[:, column("device_distinct_users_30d")] = random.normal(size=rows) - 2.0 * frauds
    vectors[:, column("is_online")] = random.integers(0, 2, rows)
    vectors[:, column("history_days")] = random.integers(0, 30, rows)
    start = (CUTOFF - timedelta(days=DAYS)).timestamp()
    times = start + np.sort(random.random(rows)) * DAYS * 86_400
    late = times > (CUTOFF - timedelta(days=7)).timestamp()
    known = np.where(frauds, times + random.uniform(1, 6, rows) * 86_400, np.inf)
    return Dataset(
        ids=np.arange(rows),
        times=times,
        users=random.integers(1, 3_000, rows),
        amounts=np.round(np.exp(random.normal(4, 1, rows)), 2),
        vectors=vectors,
        labels=np.where(late & ~frauds, np.nan, frauds.astype(float)),
        reviewed=frauds,
        known=known,
        typologies=np.where(frauds, random.choice(["card testing", "stolen card"], rows), ""),
    )


@pytest.fixture(scope="module")
def found(data: Dataset, django_db_setup, django_db_blocker) -> dict:
    """Measured once: it only reads that nobody has decided anything."""
    with django_db_blocker.unblock():
        return weekly.measure(data, CUTOFF, RECIPE)


def test_the_latest_matured_weeks_are_measured_each_with_its_own_model(found):
    assert [(week["from"], week["until"]) for week in found["weeks"]] == [
        ("2026-02-09", "2026-02-15"),
        ("2026-02-16", "2026-02-22"),
    ]
    for week in found["weeks"]:
        assert 0.8 * 28 * A_DAY < week["trained_rows"] < 1.2 * 28 * A_DAY
        assert week["compromised"] > 0
        low, high = week["intervals"]["ap"][1:]
        assert low < week["measured"]["ap"] < high
    aps = [week["measured"]["ap"] for week in found["weeks"]]
    assert found["mean"]["ap"] == pytest.approx(np.mean(aps), abs=1e-5)
    assert found["intervals"]["ap"][0] == pytest.approx(found["mean"]["ap"], abs=1e-4)
    assert 3 < found["delays"]["median"] < 4 < found["delays"]["most"] < 6
    json.dumps(found, allow_nan=False)


def test_kinds_and_segments_are_told_of_all_weeks_together(found):
    assert {one["name"] for one in found["typologies"]} == {"card testing", "stolen card"}
    parts = {one["name"]: one for one in found["segments"]}
    whole = sum(week["rows"] for week in found["weeks"])
    assert parts["online"]["rows"] + parts["in person"]["rows"] == whole
    assert (
        parts["users of less than 7 days"]["rows"] + parts["users known for longer"]["rows"]
        == whole
    )
    assert sum(rows for _, _, rows in found["reliability"]) == whole


def test_weeks_before_anything_happened_are_refused_with_the_reason(data):
    with pytest.raises(weekly.Unmeasurable, match="In none of the 2 weeks"):
        weekly.measure(data, CUTOFF - timedelta(days=70), RECIPE)


def test_what_is_kept_is_shown_on_page_card_and_api(found, champion, mona, ana):
    weekly.keep(by=mona, version=champion, found=found)
    assert AuditEvent.objects.filter(action="model.measured", actor="mona").exists()
    shown = client_of(ana).get(reverse("model", args=[champion.pk])).content.decode()
    for words in ("Week by week", "2026-02-16", "card testing", "users known for longer"):
        assert words in shown
    champion.refresh_from_db()
    written = card.markdown(champion)
    assert "2 weeks, each met by a model of the days before" in written
    assert evaluated.lines(found)[-1] in written
    told = client_of(ana).get(f"/api/v1/models/{champion.pk}").json()
    assert len(told["metrics"]["weekly"]["weeks"]) == 2
    assert evaluated.lines(found)[-1].strip().startswith("mean")


def halves(data: Dataset) -> Split:
    return dataset.split(data, CUTOFF, timedelta(days=7))


def test_two_versions_are_compared_on_the_same_draws(data, champion):
    part, bundle = halves(data), registry.load(champion)
    warm = learning.fit(
        part.train.vectors, part.train.labels, dataset.clock(part.train), budget=0.05
    )
    found = comparison.report(part, warm, Loaded(champion, bundle), budget=0.05)
    assert found["champion"]["paired"]["verdict"] == "better"
    champion.metrics = found
    assert "Extra trees: many trees" in card.markdown(champion)  # how it finds, in its own words
    assert found["suspicions"] == []  # a champion without labels is no measure
    assert doubts.doubts(found) == []
    back = comparison.report(part, bundle, Loaded(champion, warm), budget=0.05)
    assert back["champion"]["paired"]["verdict"] == "worse"
    assert doubts.doubts(back)[0].startswith("Worse than v1")
    json.dumps([found, back], allow_nan=False)


def test_a_doubt_is_seen_before_a_promotion_is_asked_for(mona, champion, versions):
    versions[1].metrics = {
        "budget": 0.05,
        "kind": "warm",
        "measured": {"ap": 0.80},
        "champion": {
            "pk": champion.pk, "number": 1, "kind": "warm", "measured": {"ap": 0.60}, "overlap": 0,
            "paired": {"value": 0.2, "low": -0.1, "high": 0.5, "verdict": "undecided"},
        },
    }  # fmt: skip
    versions[1].metrics["suspicions"] = doubts.suspicions(versions[1].metrics)
    versions[1].save()
    at = reverse("model-ask", args=[versions[1].pk])
    answer = client_of(mona).post(at, {"reason": "It finds more."})
    assert answer.status_code == 409
    shown = answer.content.decode()
    assert "Check for a leak: average precision jumped from 0.600 (v1) to 0.800" in shown
    assert "Undecided against v1" in shown
    assert client_of(mona).post(at, {"reason": "Seen.", "despite": "1"}).status_code == 302
    event = AuditEvent.objects.get(action="model.promotion_asked")
    assert len(event.after["in_spite_of"]) == 2


def test_a_team_sees_as_many_cards_as_decisions_wanted_a_person(data):
    week = data.where(data.times < data.times[0] + 7 * 86_400)
    assert judging.alerts_a_day(week, 0.05) == pytest.approx(0.05 * A_DAY, abs=1)
