"""Whether values have moved: the same bars for both times, and an index that is none by chance."""

import numpy as np
import pytest

from scoring.engine import moving


def index(before: np.ndarray, now: np.ndarray) -> float:
    kept = moving.reference(before[:, None], ("x",))
    return moving.moved(kept, now[:, None], ("x",))["x"]


def drawn(seed: int, rows: int = 4_000) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(2, 1, rows)


def test_the_same_distribution_is_stable_and_another_is_not():
    assert index(drawn(1), drawn(2)) < 0.01
    assert 0.1 < index(drawn(1), drawn(2) * 1.5) < 0.25
    assert index(drawn(1), drawn(2) * 3) > 0.25


@pytest.mark.parametrize("usual", [0.0, 1.0])
def test_a_column_of_two_values_is_parted_between_them(usual):
    rare = np.full(1_000, usual)
    rare[:20] = 1 - usual
    often = rare.copy()
    often[:300] = 1 - usual
    assert index(rare, rare.copy()) == 0
    assert index(rare, often) > 0.25
    assert index(often, rare) > 0.25


def test_what_becomes_unknown_has_moved():
    gone = drawn(2)
    gone[: len(gone) // 2] = np.nan
    assert index(drawn(1), gone) > 0.25
    assert index(np.full(10, np.nan), np.full(500, np.nan)) == 0
    assert index(np.full(10, np.nan), drawn(1)) > 0.25


def test_every_row_is_counted_once():
    values = np.concatenate([drawn(3, 500), [np.nan, np.inf, -np.inf, 0.0]])
    edges = moving.bars(drawn(1))
    assert edges == sorted(set(edges))
    assert sum(moving.counted(values, edges)) == len(values)
    assert moving.counted(values, edges)[-1] == 3


def test_a_reference_is_made_of_a_bounded_number_of_rows():
    kept = moving.reference(drawn(1, 50_000)[:, None], ("x",))
    assert sum(kept["x"]["rows"]) == moving.ROWS
    assert moving.moved({}, drawn(1)[:, None], ("x",)) == {}


def test_an_index_has_its_words():
    words = [moving.in_words(index) for index in (0.0, 0.1, 0.11, 0.25, 0.26)]
    assert words == ["stable", "stable", "moved", "moved", "moved much"]
