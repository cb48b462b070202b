"""Intervals hold what they promise, and pairs decide what two intervals alone could not."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from scoring.engine import evaluation
from scoring.engine.evaluation_intervals import (
    Interval,
    Ranked,
    Sample,
    interval,
    resampled,
    verdict,
)
from scoring.engine.evaluation_tables import (
    confusion,
    foretold_over_found,
    parts,
    recall_at_false_alarms,
    too_good,
)


def a_test(seed: int, *, noise: float = 0.0, rows: int = 4_000) -> Sample:
    """Two scores of the same rows: one, and the same with noise on top."""
    random = np.random.default_rng(seed)
    labels = (random.random(rows) < 0.05).astype(float)
    users = random.integers(0, 600, rows)
    score = np.round(labels * 1.5 + random.normal(size=rows), 2)
    return Sample(labels, users, [score, score + noise * random.normal(size=rows)])


def test_rows_drawn_twice_count_twice_as_scikit_learn_weighs_them():
    test = a_test(1)
    weights = np.random.default_rng(2).integers(0, 4, 600).astype(float)
    found = Ranked.by(test.scores[0], test.labels, test.users).measured(weights)
    drawn = weights[test.users]
    assert found[0] == pytest.approx(
        average_precision_score(test.labels, test.scores[0], sample_weight=drawn)
    )
    assert found[1] == pytest.approx(
        roc_auc_score(test.labels, test.scores[0], sample_weight=drawn)
    )


def test_the_first_row_of_the_draws_is_the_measure_itself():
    test = a_test(3)
    draws = resampled([test], rounds=5)
    assert draws[0, 0, 0] == pytest.approx(
        evaluation.average_precision(test.labels, test.scores[0])
    )
    assert draws[0, 0, 1] == pytest.approx(evaluation.roc_auc(test.labels, test.scores[0]))


def test_the_same_seed_draws_the_same():
    once, again = (resampled([a_test(3)], rounds=10) for _ in range(2))
    assert np.array_equal(once, again)


def test_an_interval_holds_the_truth_about_as_often_as_it_says():
    truth = np.mean([resampled([a_test(seed, rows=40_000)], rounds=0)[0, 0, 0] for seed in (1, 2)])
    inside = 0
    for seed in range(30):
        found = interval(resampled([a_test(100 + seed, rows=2_000)], rounds=60)[:, 0, 0])
        inside += found.low <= truth <= found.high
    assert inside >= 24


def test_a_pair_decides_what_two_intervals_leave_open():
    test = a_test(5, noise=0.5)
    draws = resampled([test])
    one, other = (interval(draws[:, at, 0]) for at in (0, 1))
    assert other.high > one.low  # alone they overlap
    assert verdict(interval(draws[:, 0, 0] - draws[:, 1, 0])) == "better"
    assert verdict(interval(draws[:, 1, 0] - draws[:, 0, 0])) == "worse"


def test_a_score_against_itself_is_not_worse():
    draws = resampled([a_test(6)])
    assert verdict(interval(draws[:, 0, 0] - draws[:, 0, 0])) == "not worse"


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.001, 0.02, "better"),
        (-0.009, 0.02, "not worse"),
        (-0.009, -0.001, "not worse"),
        (-0.03, -0.02, "worse"),
        (-0.03, 0.02, "undecided"),
        (float("nan"), float("nan"), "undecided"),
    ],
)
def test_the_words_of_a_difference(low, high, word):
    assert verdict(Interval((low + high) / 2, low, high)) == word


def test_weeks_are_averaged_and_share_their_draws():
    weeks = [a_test(7), a_test(8)]
    whole, first, second = (resampled(tests, rounds=0) for tests in (weeks, weeks[:1], weeks[1:]))
    assert whole[0] == pytest.approx((first[0] + second[0]) / 2)


def test_without_a_fraud_there_is_no_interval():
    none = Sample(np.zeros(10), np.arange(10), [np.arange(10.0)])
    assert np.isnan(interval(resampled([none], rounds=5)[:, 0, 0]).low)


def test_recall_while_few_genuine_rows_are_raised():
    labels = np.array([1.0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    scores = -np.arange(12.0)
    assert recall_at_false_alarms(labels, scores, 0.0) == pytest.approx(1 / 3)
    assert recall_at_false_alarms(labels, scores, 0.12) == pytest.approx(2 / 3)


def test_counts_and_parts():
    labels, raised = np.array([1.0, 0, 1, 0]), np.array([True, True, False, False])
    assert confusion(labels, raised) == {"true": 1, "false": 1, "missed": 1, "quiet": 1}
    named = {"online": np.array([True, True, False, False]), "nobody": np.zeros(4, bool)}
    (online,) = parts(named, labels, labels, np.full(4, 10.0), raised)
    assert (online["frauds"], online["found"], online["alerts"], online["ap"]) == (1, 1, 2, None)
    assert foretold_over_found(labels, np.full(4, 0.25)) == pytest.approx(0.5)


def test_what_is_too_good_is_said():
    assert not list(too_good(0.80, {"the champion": 0.71}))
    assert "jumped from 0.690 (the champion)" in next(iter(too_good(0.80, {"the champion": 0.69})))
    assert "above 0.98" in next(iter(too_good(0.99, {})))
