"""One crowd with frauds in it, and a cold and a warm bundle learnt from it, made once."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.engine.bundle import Bundle
from scoring.engine.features import compute
from scoring.engine.history import History, Rows
from scoring.engine.training import fit
from scoring.engine.transaction import UNITS
from tests.engine.streams import crowd
from tests.quick import quicken

BUDGET = 0.02


@dataclass(frozen=True)
class World:
    """Events, their history and vectors, and what became known of them."""

    events: Rows
    history: History
    vectors: NDArray[np.float64]
    labels: NDArray[np.float64]


@pytest.fixture(scope="session")
def world() -> World:
    """Frauds are large for their user and on a device many use; a few genuine rows look alike."""
    random = np.random.default_rng(5)
    rows = crowd(9_000, seed=2)
    frauds = random.random(len(rows)) < 0.05
    rows["units"][frauds] = (random.uniform(150, 900, frauds.sum()) * UNITS).astype(np.int64)
    rows["device"][frauds] = random.integers(900, 905, frauds.sum())
    history = History.of(rows)
    labels = frauds.astype(np.float64)
    labels[random.random(len(rows)) < 0.1] = np.nan
    return World(rows, history, compute(rows, history), labels)


@pytest.fixture(scope="session")
def cold(world: World) -> Bundle:
    """Learnt without any label."""
    return fit(world.vectors, None, world.events["time"], budget=BUDGET)


@pytest.fixture(scope="session")
def warm(world: World) -> Bundle:
    """Learnt from more than 200 frauds, with few trees: nobody asks how good it is."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        quicken(monkeypatch, rounds=150, trees=80)
        return fit(world.vectors, world.labels, world.events["time"], budget=BUDGET)


@pytest.fixture(params=["cold", "warm"])
def bundle(request: pytest.FixtureRequest) -> Bundle:
    """Either of the two."""
    made: Bundle = request.getfixturevalue(request.param)
    return made
