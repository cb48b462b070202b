"""Rows that go down a forest in step come to the bits of a row that goes alone."""

from dataclasses import replace

import numpy as np
import pytest

from scoring.engine.detectors import marching
from scoring.engine.detectors.trees import TYPES, Trees, joined

COLUMNS = 7
ODD = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-42, -1e-42, 1e300, -1e300, 3.4e38, 1.5])


def grown(chance: np.random.Generator, leaves: int) -> dict[str, np.ndarray]:
    """A tree of random questions in a random shape, each node before its children."""
    count = 2 * leaves - 1
    left, right = np.full(count, -1), np.full(count, -1)
    waiting, free = [0], 1
    while free < count:
        node = waiting.pop(chance.integers(len(waiting)))
        left[node], right[node] = free, free + 1
        waiting += [free, free + 1]
        free += 2
    inner = left >= 0
    with np.errstate(over="ignore"):
        asked = np.where(
            chance.random(count) < 0.3, chance.choice(ODD, count), chance.normal(size=count)
        )
        threshold = np.nan_to_num(asked.astype(np.float32))
    return {
        "feature": np.where(inner, chance.integers(0, COLUMNS, count), -1),
        "threshold": np.where(inner, threshold, 0),
        "left": left,
        "right": right,
        "missing": np.where(chance.random(count) < 0.5, left, right),
        "value": np.where(inner, 0.0, chance.normal(size=count)),
        "cover": np.ones(count),
    }


def forest(seed: int) -> Trees:
    chance = np.random.default_rng(seed)
    parts = [grown(chance, int(leaves)) for leaves in chance.integers(1, 60, 25)]
    typed = [{name: np.asarray(part[name], TYPES[name]) for name in part} for part in parts]
    return joined(typed, base=0.25)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [1, 63, 64, 65, 300])
def test_odd_values_in_any_number_of_rows_take_the_same_ways(seed, count):
    chance, trees = np.random.default_rng(seed + 100), forest(seed)
    rows = np.where(
        chance.random((count, COLUMNS)) < 0.4,
        chance.choice(ODD, (count, COLUMNS)),
        chance.normal(size=(count, COLUMNS)),
    )
    assert trees._march is not None
    with np.errstate(over="ignore"):
        together = trees._march.raw(rows.astype(np.float32), 0.25)
    alone = np.concatenate([trees.raw(rows[at : at + 1]) for at in range(count)])
    assert together.tobytes() == alone.tobytes()


def test_two_ways_to_one_node_are_walked_by_each_row_alone():
    trees = forest(1)
    top = int(trees.roots[np.diff(trees.roots, append=len(trees.feature)).argmax()])
    right = trees.right.copy()
    right[top] = trees.left[top]
    shared = replace(trees, right=right, missing=np.where(trees.feature >= 0, trees.left, -1))
    shared.check(COLUMNS)
    rows = np.random.default_rng(3).normal(size=(40, COLUMNS))
    alone = np.concatenate([shared.raw(rows[at : at + 1]) for at in range(40)])
    assert shared.raw(rows).tobytes() == alone.tobytes()


def test_a_forest_that_asks_more_columns_than_fit_into_a_word_is_walked_by_each_row_alone(
    monkeypatch,
):
    monkeypatch.setattr(marching, "MOST_COLUMNS", 3)
    trees = forest(2)
    assert trees._march is None
    rows = np.random.default_rng(4).normal(size=(40, COLUMNS))
    assert np.isfinite(trees.raw(rows)).all()
