"""Has every kernel compiled, or read from the cache, before somebody waits for a score."""

import numpy as np

from scoring.engine import features
from scoring.engine.calibration import RiskMap
from scoring.engine.detectors import shapley
from scoring.engine.detectors.trees import FEW, TYPES, Trees
from scoring.engine.history import EVENT, History, Rows
from scoring.engine.rates import Rates
from scoring.engine.reading import Reading
from scoring.engine.spreads import Spreads

# One question, two answers: feature 0 below 0 is -1, else 1.
STUMP = {
    "roots": [0],
    "feature": [0, -1, -1],
    "threshold": [0, 0, 0],
    "left": [1, -1, -1],
    "right": [2, -1, -1],
    "missing": [2, -1, -1],
    "value": [0, -1, 1],
    "cover": [2, 1, 1],
    "base": [0],
}


def sample() -> Rows:
    """One event of a user whom nobody knows."""
    event = np.zeros(1, EVENT)
    event["user"] = 1
    return event


def compile_kernels() -> None:
    """Call each kernel once. A process forked afterwards has them too.

    The first time on a machine this takes many seconds, later a fraction of one; see `compiled`.
    """
    event = sample()
    vectors = features.compute(event, History.of(event))
    arrays = {name: np.array(STUMP[name], kind) for name, kind in TYPES.items()}
    stump = Trees.of(arrays, features=vectors.shape[1])
    stump.raw(vectors)
    stump.raw(np.repeat(vectors, FEW, axis=0))
    shapley.shares(stump, vectors)
    one = np.ones(1)
    Reading(Rates((0,), (one,), (one,), True), Spreads(one, one, one)).apply(vectors)
    RiskMap((-1.0, 0.0, 1.0), (0.3, 0.2, 0.1))(stump.raw(vectors))
