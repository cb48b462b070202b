"""Folds by hand: who is learnt from, who is measured on, and what was known when."""

import numpy as np
import pytest

from scoring.engine.evaluation_cards import (
    episode_recall,
    episodes,
    first_fraud_recall,
    looked_at,
    user_recall,
    value_recall,
)
from scoring.engine.folds import DAY, Outcomes, Protocol, fold, weekly
from scoring.engine.history import FOREVER

START = 100 * DAY
NOON = DAY // 2


def outcomes(*rows: tuple[float, int, float, float | None]) -> Outcomes:
    """Rows of (day, user, label, day it became known or None); day 0 is the start of the test."""
    times, users, labels, known = zip(*rows, strict=True)
    return Outcomes(
        times=np.array([START + int(day * DAY) for day in times]),
        users=np.array(users),
        labels=np.array(labels, float),
        known=np.array([FOREVER if at is None else START + int(at * DAY) for at in known]),
    )


def test_a_fraud_reported_after_the_week_began_is_learnt_as_nobody_knew_better():
    said = outcomes((-10, 1, 1, -1), (-10, 2, 1, 1), (1, 3, 0, None))
    found = fold(said, Protocol(window=7, maturity=7), START)
    assert list(found.train) == [0, 1]
    assert list(found.labels) == [1, 0]


def test_younger_rows_than_the_maturity_wait_even_if_reported():
    said = outcomes((-3, 1, 1, -2), (-10, 2, 0, None), (1, 3, 0, None))
    assert list(fold(said, Protocol(window=7, maturity=7), START).train) == [1]


def test_the_window_ends_where_the_maturity_begins():
    said = outcomes((-15, 1, 0, None), (-13, 1, 0, None), (-8, 1, 0, None), (-6, 1, 0, None))
    assert list(fold(said, Protocol(window=7, maturity=7), START).train) == [1, 2]
    assert list(fold(said, Protocol(window=None, maturity=7), START).train) == [0, 1, 2]


def test_what_nobody_can_say_is_neither_learnt_nor_measured():
    said = outcomes((-10, 1, np.nan, -9), (1, 1, np.nan, 2), (1, 2, 0, None))
    found = fold(said, Protocol(), START)
    assert not len(found.train)
    assert list(found.test) == [2]


def test_a_user_leaves_the_test_from_the_day_after_the_fraud_was_known():
    said = outcomes((-9, 1, 1, -2), (-4, 2, 1, 2.5), (1, 1, 0, None), (2, 2, 0, None), (3, 2, 1, 9))
    found = fold(said, Protocol(window=7, maturity=7), START)
    assert list(found.test) == [3]
    assert found.compromised == 2
    everybody = fold(said, Protocol(window=7, maturity=7, without_known=False), START)
    assert list(everybody.test) == [2, 3, 4]


def test_a_fraud_before_the_window_is_forgotten_as_the_handbook_does():
    said = outcomes((-20, 1, 1, -13), (1, 1, 0, None))
    assert list(fold(said, Protocol(window=7, maturity=7), START).test) == [1]
    assert not len(fold(said, Protocol(window=None, maturity=7), START).test)


def test_weeks_follow_each_other_and_end_when_told():
    said = outcomes((-1, 1, 0, None))
    starts = [week.start for week in weekly(said, Protocol(), until=START, weeks=3)]
    assert starts == [START - 21 * DAY, START - 14 * DAY, START - 7 * DAY]


def test_card_precision_takes_found_cards_out_of_the_following_days():
    times = START + np.array([0, 0, 0, DAY, DAY, DAY]) + NOON
    users = np.array([1, 2, 3, 1, 2, 3])
    labels = np.array([1.0, 0, 0, 1, 0, 1])
    scores = np.array([0.9, 0.8, 0.1, 0.9, 0.8, 0.7])
    found = looked_at(times, users, labels, scores, per_day=1, start=START)
    assert found.precision == pytest.approx(0.5)  # user 1 on the first day, then user 2
    assert found.most == pytest.approx(1.0)
    assert list(found.found) == [True, False, False, True, False, False]  # user 1 is blocked
    assert list(found.looked) == [True, False, False, False, True, False]


def test_an_episode_ends_after_a_quiet_day():
    times = START + np.array([0, DAY // 2, 2 * DAY, 0])
    users, labels = np.array([1, 1, 1, 2]), np.array([1.0, 1, 1, 1])
    of = episodes(times, users, labels)
    assert of[0] == of[1]
    assert len(set(of[1:])) == 3
    caught = np.array([False, True, False, True])
    assert episode_recall(of, caught) == pytest.approx(2 / 3)
    assert first_fraud_recall(times, of, caught) == pytest.approx(1 / 3)
    assert user_recall(users, labels, caught) == 1
    assert value_recall(np.array([10.0, 20, 30, 40]), labels, caught) == pytest.approx(0.6)


def test_nobody_looked_at_finds_nothing():
    nothing = np.empty(0)
    none = looked_at(nothing.astype(int), nothing.astype(int), nothing, nothing, per_day=5, start=0)
    assert np.isnan(none.precision)
    assert np.isnan(episode_recall(np.array([-1]), np.array([True])))
