"""The sample below the line: drawn with known chances, and what follows from it about the rest."""

import numpy as np
import pytest

from scoring.engine import sampling
from scoring.engine.sampling import Stratum, allocated, estimated, recall

KEY = b"k" * 32


def test_what_is_drawn_follows_from_key_and_name_alone():
    names = list(range(1000))
    drawn = sampling.lowest(KEY, names, 50)
    assert sampling.lowest(KEY, reversed(names), 50) == drawn
    assert len(set(drawn)) == 50
    assert sampling.lowest(b"q" * 32, names, 50) != drawn
    assert sampling.lowest(KEY, names, 0) == []


def test_each_is_drawn_as_often_as_any_other():
    counts = np.zeros(20)
    for day in range(2000):
        key = day.to_bytes(32)
        counts[sampling.lowest(key, range(20), 5)] += 1
    assert np.abs(counts / 2000 - 0.25).max() < 0.05  # five standard errors


def test_shares_are_spread_evenly():
    found = [sampling.share(KEY, str(n)) for n in range(20_000)]
    counts, _ = np.histogram(found, bins=20, range=(0, 1))
    assert np.abs(counts - 1000).max() < 150


def test_the_budget_is_kept_and_no_band_is_forgotten():
    assert allocated([10_000, 400, 100, 4], 60) == [45, 9, 4, 2]
    assert allocated([10, 0, 1], 60) == [10, 0, 1]
    assert allocated([5000, 5000], 1) == [2, 2]  # less than two of each would say nothing


@pytest.mark.parametrize(
    ("score", "band"), [(0.0, 0), (0.099, 0), (0.1, 1), (0.29, 1), (0.69, 3), (0.99, 3)]
)
def test_bands_are_half_open(score, band):
    assert sampling.stratum_of(score, (0.1, 0.3, 0.5)) == band


def test_a_total_worked_by_hand():
    # 3 found at a chance of 1/10 and 1 at 1/2: they stand for 32.
    values, chances = [1, 1, 1, 0, 0, 1, 0], [0.1, 0.1, 0.1, 0.1, 0.1, 0.5, 0.5]
    assert sampling.horvitz_thompson(values, chances) == pytest.approx(32)
    assert sampling.hajek(values, chances) == pytest.approx(32 / 54)
    found = estimated([Stratum(50, 5, 3), Stratum(4, 2, 1)])
    assert found is not None
    assert found.total == pytest.approx(32)
    assert found.low < 32 < found.high <= 54


def test_a_band_nobody_looked_at_is_said_and_not_guessed():
    found = estimated([Stratum(1000, 0, 0), Stratum(100, 10, 1), Stratum(0, 0, 0)])
    assert found is not None
    assert (found.covered, found.left) == (100, 1000)
    assert estimated([Stratum(1000, 0, 0)]) is None


def test_where_nothing_was_found_there_may_still_be_something():
    found = estimated([Stratum(10_000, 200, 0)])
    assert found is not None
    assert found.total == found.low == 0
    assert 100 < found.high < 400  # 3.7 / 200 of them


def test_recall_and_its_interval_are_turned_around():
    middle, low, high = recall(60, sampling.Estimate(40, 20, 140, 1000, 0))
    assert (middle, low, high) == (0.6, 0.3, 0.75)


def labelled_world(rng):
    """A day's payments by a score that is good but not perfect; reports of half of the frauds."""
    size = 30_000
    fraud = rng.random(size) < 0.012
    margin = rng.standard_normal(size) + 2.2 * fraud
    score = 1 / (1 + np.exp(-(margin - 2.2) * 1.4))
    return fraud, score, score >= 0.7


def test_the_corrected_recall_covers_the_truth_and_the_naive_one_does_not():
    """A hundred worlds. Only what was raised is looked at, besides a sample of 300 below the line,
    and a part of the missed frauds is reported by customers. Naive: recall among what is labelled.
    """
    covered = naive_covered = 0
    edges = (0.1, 0.3, 0.5)
    for seed in range(100):
        rng = np.random.default_rng(seed)
        fraud, score, raised = labelled_world(rng)
        truth = fraud[raised].sum() / fraud.sum()
        band = np.digitize(score, edges)
        below = [np.flatnonzero(~raised & (band == n)) for n in range(4)]
        strata, found = [], 0
        for ids, many in zip(below, allocated([len(ids) for ids in below], 300), strict=True):
            drawn = sampling.lowest(seed.to_bytes(32), ids.tolist(), many)
            answered = [one for one in drawn if rng.random() < 0.9]  # some are never answered
            found += int(fraud[answered].sum())
            strata.append(Stratum(len(ids), len(answered), int(fraud[answered].sum())))
        estimate = estimated(strata)
        assert estimate is not None
        caught = int(fraud[raised].sum())
        _, low, high = recall(caught, estimate)
        covered += low <= truth <= high
        reported = int((fraud & ~raised & (rng.random(len(fraud)) < 0.3)).sum())
        naive = sampling.wilson(caught, caught + reported + found)
        naive_covered += naive[0] <= truth <= naive[1]
    assert covered >= 90
    assert naive_covered <= 10


def test_a_draw_reads_rows_once_and_in_any_order_comes_to_the_same():
    rng = np.random.default_rng(3)
    rows = list(zip(range(5000), rng.beta(1, 6, 5000).tolist(), strict=True))
    edges = (0.1, 0.3, 0.5)
    drawn = sampling.stratified(iter(rows), edges, 60, KEY)
    assert sampling.stratified(reversed(rows), edges, 60, KEY) == drawn
    assert sum(len(one.ids) for one in drawn) == 60
    assert sum(one.population for one in drawn) == 5000
    scores = dict(rows)
    for band, one in enumerate(drawn):
        theirs = [number for number, score in rows if sampling.stratum_of(score, edges) == band]
        assert one.ids == sampling.lowest(KEY, theirs, len(one.ids))
        assert all(sampling.stratum_of(scores[n], edges) == band for n in one.ids)
    assert sum(len(one.ids) for one in sampling.stratified(rows, edges, 0, KEY)) == 8


def test_days_with_other_chances_stand_for_the_whole_band_together():
    # Two days of one band: 1 of 10 drawn and a fraud, then 5 of 10, none of them.
    answers = [(0, 0.1, True), *[(0, 0.5, False)] * 5]
    strata = sampling.strata_of({0: 20, 1: 7}, answers)
    assert [(one.population, one.answered) for one in strata] == [(10, 1), (10, 5), (7, 0)]
    found = estimated(strata)
    assert found is not None
    assert (found.total, found.covered, found.left) == (10, 20, 7)
    # Hájek: Σ y/π over Σ 1/π, times the size of the band.
    assert 20 * sampling.hajek([1, 0, 0, 0, 0, 0], [0.1, *[0.5] * 5]) == pytest.approx(10)
