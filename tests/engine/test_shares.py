"""How much each learner says: alike, unless later labels speak for another mix beyond chance."""

import numpy as np
import pytest

from scoring.engine.calibration import platt
from scoring.engine.shares import shares

ROWS = 6_000
TIMES = np.arange(ROWS)
SEEN = np.ones(ROWS)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.fixture
def labels(random) -> np.ndarray:
    return (random.random(ROWS) < 0.05).astype(float)


def told(labels: np.ndarray, by: float, random: np.random.Generator) -> np.ndarray:
    """Calibrated log-odds that lie so far apart for frauds, with noise of their own."""
    raw = by * labels + random.normal(size=len(labels))
    return platt(raw, labels)(raw)


def test_equals_say_alike(labels, random):
    odds = np.array([told(labels, 2.5, random) for _ in range(2)])
    assert shares(odds, labels, SEEN, TIMES).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("better", [0, 1])
def test_who_is_clearly_worse_says_least_and_stays(labels, random, better):
    whole = told(labels, 4.0, random)
    worse = 0.25 * whole + random.normal(scale=1.5, size=ROWS)  # the same, with noise upon it
    pair = [whole, platt(worse, labels)(worse)]
    odds = np.array(pair if better == 0 else pair[::-1])
    found = shares(odds, labels, SEEN, TIMES)
    assert 0.65 < found[better] < 0.95
    assert found.sum() == pytest.approx(1)


def test_one_wave_in_which_the_other_was_better_decides_nothing(labels, random):
    first, second = (told(labels, 2.5, random) for _ in range(2))
    wave = (TIMES > ROWS * 0.9) & (labels == 1)
    first[wave] -= 1.5
    second[wave] += 1.5
    assert shares(np.array([first, second]), labels, SEEN, TIMES).tolist() == [0.5, 0.5]


def test_three_share_in_equal_parts_and_one_has_all(labels, random):
    odds = np.array([told(labels, 2.5, random) for _ in range(3)])
    assert shares(odds, labels, SEEN, TIMES) == pytest.approx([1 / 3] * 3)
    assert shares(odds[:1], labels, SEEN, TIMES).tolist() == [1.0]


@pytest.mark.parametrize("frauds", [1, 2, 11])
def test_a_handful_of_frauds_is_enough_to_answer(frauds, random):
    few = np.zeros(ROWS)
    few[:: ROWS // frauds] = 1
    odds = random.normal(size=(2, ROWS))
    found = shares(odds, few, SEEN, TIMES)
    assert found.min() >= 0.1
    assert found.sum() == pytest.approx(1)


def test_the_order_of_the_rows_changes_nothing(labels, random):
    whole = told(labels, 3.0, random)
    odds = np.array([whole, 0.3 * whole + random.normal(size=ROWS)])
    mixed = random.permutation(ROWS)
    assert (
        shares(odds, labels, SEEN, TIMES).tolist()
        == shares(odds[:, mixed], labels[mixed], SEEN, TIMES[mixed]).tolist()
    )


def test_a_warm_bundle_says_how_much_each_of_its_learners_says(warm):
    said = [warm.metrics[f"{name}_share"] for name in ("boosting", "extra_trees")]
    assert sum(said) == pytest.approx(1)
    assert said == [one.weight for one in warm.ensemble.members if one.weight]
