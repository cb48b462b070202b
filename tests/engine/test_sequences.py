"""What is only wrong in its order: a network that reads in order finds it, a forest does not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.engine.detectors import isolation_forest, kind, lstm
from scoring.engine.evaluation import roc_auc
from scoring.engine.features import compute
from scoring.engine.history import History, Rows
from scoring.engine.transaction import UNITS
from tests.engine.streams import HOUR, START, crowd

USERS, EACH = 100, 48
RUN = 6  # payments of a fraud, each larger than the one before
BETTER = 0.05  # of the area under the ROC curve


def ordered(seed: int = 3) -> tuple[Rows, NDArray[np.float64]]:
    """Users with amounts in any order, and frauds that put a run of the same amounts into order.

    The last payment of such a run is the fraud. Its amounts, pauses, places and counts are what
    the user has anyway; one genuine run of six in 720 is in order by chance.
    """
    random = np.random.default_rng(seed)
    rows = crowd(USERS * EACH, seed=seed)
    rows["user"] = np.repeat(np.arange(1, USERS + 1), EACH)
    pauses = random.exponential(9 * HOUR, (USERS, EACH)).astype(np.int64) + 1
    rows["time"] = START + np.cumsum(pauses, axis=1).ravel()
    amounts = random.lognormal(3.5, 0.6, (USERS, EACH))
    labels = np.zeros((USERS, EACH))
    for user in range(USERS):
        for end in range(12 + user % 5, EACH, 11):
            run = slice(end - RUN + 1, end + 1)
            amounts[user, run] = np.sort(amounts[user, run])
            labels[user, end] = 1
    rows["units"] = (amounts.ravel() * UNITS).astype(np.int64)
    order = np.argsort(rows["time"], kind="stable")
    return rows[order], labels.ravel()[order]


def test_a_network_that_reads_in_order_beats_an_isolation_forest_on_sequences():
    if missing := kind("lstm").missing():
        pytest.skip(missing)
    rows, labels = ordered()
    vectors = compute(rows, History.of(rows))
    learnt, later = np.split(np.arange(len(rows)), [int(len(rows) * 0.6)])
    settings = lstm.Settings(hidden=8, epochs=25, batch=128)
    network = lstm.train(vectors[learnt], labels[learnt], settings=settings)
    forest = isolation_forest.train(vectors[learnt])
    by_order, by_rarity = (
        roc_auc(labels[later], one.raw(vectors[later])) for one in (network, forest)
    )
    assert by_order >= by_rarity + BETTER
    assert by_order > 0.9


def test_such_frauds_are_as_ordinary_as_the_rest_but_for_their_order():
    rows, labels = ordered()
    largest = np.quantile(rows["units"], 0.9)
    assert 0.03 < labels.mean() < 0.1
    assert np.mean(rows["units"][labels == 1] > largest) < 0.5
