"""Frauds not yet reported: the delays of those that were say how many are missing."""

import numpy as np
import pytest

from scoring.engine.calibration import platt, probability
from scoring.engine.history import FOREVER
from scoring.engine.reporting import FLOOR, observed

DAY = 86_400_000_000
NOW = 90


def reported(
    frauds: int = 4_000, seed: int = 3
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Frauds of 80 days with delays around nine days, as they stand on day 90; and all delays."""
    random = np.random.default_rng(seed)
    times = (random.uniform(0, 80, frauds) * DAY).astype(np.int64)
    delays = (np.exp(random.normal(np.log(9), 0.8, frauds)) * DAY).astype(np.int64)
    told = times + delays <= NOW * DAY
    return times, told.astype(float), np.where(told, times + delays, FOREVER), delays


def test_delays_are_found_again_though_long_ones_are_missing():
    times, labels, known, delays = reported()
    found, until = observed(times, labels, known)
    assert until == pytest.approx(NOW * DAY, rel=0.01)
    for age in (8, 12, 20, 40):
        truth = np.mean(delays <= age * DAY)
        assert found.seen(np.array([age * DAY]))[0] == pytest.approx(truth, abs=0.03)
    naive = np.mean(delays[labels == 1] <= 12 * DAY)
    assert naive > np.mean(delays <= 12 * DAY) + 0.03


def test_a_fixed_delay_leaves_nothing_to_reckon_with():
    times = np.arange(100) * DAY
    found, until = observed(times, np.ones(100), times + 7 * DAY)
    assert found.seen(until - times).tolist() == [1.0] * 100


def test_young_frauds_stand_for_no_more_than_four_and_nothing_known_changes_nothing():
    times, labels, known, _ = reported()
    found, _ = observed(times, labels, known)
    assert found.seen(np.array([0, DAY // 2])).tolist() == [FLOOR, FLOOR]
    few, _ = observed(times[:20], labels[:20], known[:20])
    silent, _ = observed(times, np.zeros(len(times)), np.full(len(times), FOREVER))
    assert few.seen(times).min() == silent.seen(times).min() == 1.0


def test_a_probability_foretells_the_frauds_that_will_be_reported_too():
    random = np.random.default_rng(8)
    raw = random.normal(-3, 1.5, 60_000)
    fraud = random.random(60_000) < probability(raw)
    seen = random.choice([0.4, 0.7, 1.0], 60_000)
    told = (fraud & (random.random(60_000) < seen)).astype(float)
    blind, aware = platt(raw, told), platt(raw, told, seen)
    assert probability(blind(raw)).mean() < 0.8 * fraud.mean()
    assert probability(aware(raw)).mean() == pytest.approx(fraud.mean(), rel=0.05)
