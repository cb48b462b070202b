"""Labels dealt out by chance teach nothing: whoever finds them again has looked ahead."""

import numpy as np
import pytest

from scoring.engine.detectors import boosting
from scoring.engine.evaluation import roc_auc
from scoring.engine.features import compute
from scoring.engine.history import History, Rows
from tests.engine.streams import DAY, HOUR, crowd, frauds_of

LEARNT = 3_000  # rows, the earlier ones; the other 6,000 are judged: by chance 0.500 ± 0.008


@pytest.fixture(scope="module")
def dealt() -> tuple[Rows, np.ndarray, Rows]:
    """Payments, labels that have nothing to do with them, and what became known of whom when."""
    random = np.random.default_rng(11)
    rows = crowd(9_000, seed=8)
    labels = random.permutation(np.arange(len(rows)) % 2).astype(float)
    delays = random.integers(HOUR, 3 * DAY, len(rows))
    said = [(label == 1, delay, None, 1.0) for label, delay in zip(labels, delays, strict=True)]
    return rows, labels, frauds_of(rows, said)


def reached(rows: Rows, labels: np.ndarray, frauds: Rows) -> float:
    """ROC-AUC of boosted trees on later rows, from features over payments and known frauds."""
    vectors = compute(rows, History.of(rows, frauds))
    settings = boosting.Settings(rounds=40)
    learnt = boosting.train(vectors[:LEARNT], labels[:LEARNT], settings=settings)
    return roc_auc(labels[LEARNT:], learnt.raw(vectors[LEARNT:]))


def test_shuffled_labels_are_not_found_again(dealt):
    assert reached(*dealt) == pytest.approx(0.5, abs=0.02)


def test_a_label_that_reaches_its_own_payment_would_be_noticed(dealt):
    rows, labels, frauds = dealt
    early = frauds.copy()
    early["time"] -= 1  # as if the payment lay just before itself …
    early["known"] = early["time"]  # … and had been judged by then
    assert reached(rows, labels, early) > 0.6
