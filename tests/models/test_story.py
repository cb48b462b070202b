"""The demo's sixty days: the same dice tell the same story, and no trick finds every thief."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from scoring.demo.frauds import TYPOLOGIES
from scoring.demo.story import Story
from scoring.engine import features, rules
from scoring.engine.decision import Policy
from scoring.engine.evaluation import average_precision
from scoring.engine.history import EVENT, History
from scoring.engine.transaction import Defaults, event_of, parse

UNTIL = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def story() -> Story:
    return Story(until=UNTIL)


@pytest.fixture(scope="module")
def seen(story):
    """Its payments as events and vectors, and which of them are fraud."""
    defaults = Defaults("USD", "USD", "UTC", received_at=UNTIL)
    parsed = [parse(line, defaults=defaults) for line in story.lines(0, story.days)]
    events = np.array([event_of(one, number) for number, one in enumerate(parsed, 1)], EVENT)
    fraud = np.array([kind != "" for kind in story.typology_of().values()])
    return events, features.compute(events, History.of(events)), fraud


def test_the_same_seed_and_moment_give_the_same_bytes(story):
    assert Story(until=UNTIL).csv() == story.csv()


def test_another_seed_tells_another_story(story):
    assert Story(until=UNTIL, seed=8).csv() != story.csv()


def test_another_day_at_the_same_hour_has_the_same_dice(story):
    later = Story(until=UNTIL + timedelta(days=30))
    assert later.typology_of() == story.typology_of()


@pytest.mark.parametrize("seed", range(20, 26))
@pytest.mark.parametrize("hour", [0, 4, 23])
def test_nothing_happens_after_its_end_or_is_reported_before_it_happens(seed, hour):
    told = Story(until=UNTIL.replace(hour=hour, minute=7), seed=seed, rows=1_000)
    assert len(told.payments) == 1_000
    assert all(0 <= one.day < told.days for one in told.payments)
    assert all(one.reported > one.day for one in told.payments if one.reported is not None)


def test_every_typology_is_there_and_frauds_are_few(story):
    kinds = Counter(kind for kind in story.typology_of().values() if kind)
    assert set(kinds) == {name for name, _, _ in TYPOLOGIES}
    assert min(kinds.values()) >= 15
    assert 0.04 <= sum(kinds.values()) / len(story.payments) <= 0.07


def test_enough_frauds_are_reported_for_a_model_to_learn_from(story):
    known = [one.day for one in story.payments if one.reported and one.reported <= story.days]
    assert len(known) >= 250
    assert sum(day < 0.75 * (story.days - 14) for day in known) >= 200


def test_no_rule_alone_finds_sixty_percent_of_the_frauds(seen):
    events, vectors, fraud = seen
    found = rules.hits(events, vectors, Policy())
    for rule in rules.RULES:
        fired = np.array([any(hit.code == rule.code for hit in hits) for hits in found])
        assert fired[fraud].any(), f"{rule.code} has nothing to find"
        assert fired[fraud].mean() < 0.6, f"{rule.code} finds too much"


def test_no_feature_alone_ranks_the_frauds(seen):
    _, vectors, fraud = seen
    labels = fraud.astype(float)
    for column, name in enumerate(features.NAMES):
        values = np.nan_to_num(vectors[:, column], nan=-1.0)
        best = max(average_precision(labels, sign * values) for sign in (1, -1))
        assert best < 0.6, f"{name} alone reaches {best:.2f}"


def test_honest_people_do_what_thieves_do(story, seen):
    events, vectors, fraud = seen
    at = {name: column for column, name in enumerate(features.NAMES)}
    far = vectors[:, at["location_distance_km"]] > 1_000
    assert far[~fraud].sum() > 20, "nobody travels"
    assert sum(one.amount > 5_000 for one in story.payments if not one.typology) > 3
    night = rules.local_hours(events)
    assert ((night >= 2) & (night < 5))[~fraud].sum() > 20, "nobody lives at night"
