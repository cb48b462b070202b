"""Metrics are scikit-learn's, and hand-made cases say what the rest means."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from scoring.engine.evaluation import (
    at_share,
    at_top,
    average_precision,
    brier,
    calibration_error,
    metrics,
    roc_auc,
)

CASES = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=60)


@settings(deadline=None)
@given(CASES)
def test_ranking_metrics_equal_scikit_learns_with_ties(rows):
    labels, scores = (np.array(column, float) for column in zip(*rows, strict=True))
    if 0 < labels.sum() < len(labels):
        assert average_precision(labels, scores) == pytest.approx(
            average_precision_score(labels, scores)
        )
        assert roc_auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))
        assert brier(labels, scores / 6) == pytest.approx(brier_score_loss(labels, scores / 6))


def test_without_frauds_or_without_genuine_rows_there_is_no_ranking():
    assert np.isnan(average_precision(np.zeros(3), np.arange(3.0)))
    assert np.isnan(roc_auc(np.ones(3), np.arange(3.0)))
    assert np.isnan(average_precision(np.empty(0), np.empty(0)))


def test_precision_and_recall_at_five_percent_by_hand():
    scores = np.arange(100.0)
    labels = np.zeros(100)
    labels[[99, 98, 97, 50, 10]] = 1
    found = at_share(labels, scores)
    assert found["precision"] == pytest.approx(3 / 5)
    assert found["recall"] == pytest.approx(3 / 5)
    assert found["f1"] == pytest.approx(3 / 5)


def test_more_asked_for_than_there_is():
    assert at_top(np.array([1.0, 0.0]), np.array([0.5, 0.1]), 100)["precision"] == 0.5


def test_calibration_error_by_hand():
    labels = np.array([0.0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    assert calibration_error(labels, labels) == 0
    assert calibration_error(labels, np.full(10, 0.5), bins=1) == 0
    assert calibration_error(labels, np.full(10, 0.9), bins=1) == pytest.approx(0.4)


def test_what_cannot_be_computed_is_left_out():
    found = metrics(np.zeros(10), np.arange(10.0), np.full(10, 0.1))
    assert "average_precision" not in found
    assert all(np.isfinite(value) for value in found.values())
