"""Curves, thresholds and exchanges are the numbers the trade's own library gives."""

import numpy as np
import pytest
from sklearn import metrics as trade

from scoring import curves, exchange, operating
from scoring.dataset import Dataset

BUDGET = 0.05


@pytest.fixture(scope="module")
def scored() -> tuple[Dataset, np.ndarray]:
    """Two thousand rows of ten days, one in twenty a fraud, which score higher on average."""
    chance = np.random.default_rng(5)
    labels = (chance.random(2000) < 0.05).astype(float)
    scores = np.clip(chance.normal(0.35 + 0.3 * labels, 0.15), 0, 1).round(2)  # with many ties
    test = Dataset(
        ids=np.arange(2000),
        times=np.linspace(0, 10 * 86_400, 2000),
        users=np.arange(2000) % 50,
        amounts=np.exp(chance.normal(4, 2, 2000)).round(2),
        vectors=np.zeros((2000, 1)),
        labels=labels,
        reviewed=np.ones(2000, bool),
    )
    return test, scores


def points_of(scored) -> list[operating.Point]:
    test, scores = scored
    return operating.points({"curves": curves.curves(test, scores, None)})


@pytest.mark.parametrize("cut", [0.0, 0.3, 0.5, 0.7, 0.99, 1.0])
def test_the_confusion_matrix_at_any_threshold_is_the_trades(scored, cut):
    test, scores = scored
    at = operating.nearest(points_of(scored), cut)
    quiet, false, missed, true = trade.confusion_matrix(test.labels, scores > cut).ravel()
    assert (at.true, at.false, at.missed, at.quiet) == (true, false, missed, quiet)


@pytest.mark.parametrize("cut", [0.3, 0.5, 0.7])
def test_the_figures_of_a_threshold_are_the_trades(scored, cut):
    test, scores = scored
    at, raised = operating.nearest(points_of(scored), cut), scores > cut
    assert at.precision == pytest.approx(trade.precision_score(test.labels, raised))
    assert at.recall == pytest.approx(trade.recall_score(test.labels, raised))
    assert at.f1 == pytest.approx(trade.f1_score(test.labels, raised))
    stolen = test.amounts * test.labels
    assert at.money == pytest.approx(stolen[raised].sum() / stolen.sum(), abs=1e-6)
    assert at.per_day == pytest.approx(raised.sum() / 10)


def test_every_kept_point_of_the_roc_lies_on_the_trades_curve(scored):
    test, scores = scored
    false, true, _ = trade.roc_curve(test.labels, scores, drop_intermediate=False)
    known = {(round(x, 5), round(y, 5)) for x, y in zip(false, true, strict=True)}
    kept = [tuple(point) for point in curves.roc(test.labels, scores)]
    assert set(kept) <= known
    assert kept[0] == (0, 0)
    assert kept[-1] == (1, 1)
    assert len(kept) > 10


def test_a_threshold_above_everything_has_no_precision_and_finds_nothing(scored):
    at = operating.nearest(points_of(scored), 1.0)
    assert at.alerts == 0
    assert at.precision is None
    assert at.recall == 0


def test_without_frauds_there_is_nothing_to_draw(scored):
    test, scores = scored
    innocent = test.where(test.labels == 0)
    assert curves.curves(innocent, scores[test.labels == 0], None) == {}
    assert curves.roc(innocent.labels, scores[test.labels == 0]) == []
    assert operating.points({}) == []
    assert operating.nearest([], 0.5) is None


def test_an_exchange_loses_no_row_and_both_raise_as_many_alerts(scored):
    test, own = scored
    theirs = own[::-1].copy()
    parts = exchange.exchanged(test, own, theirs, BUDGET)
    assert sum(part["frauds"] for part in parts.values()) == test.frauds
    assert sum(sum((p["frauds"], p["genuine"])) for p in parts.values()) == len(test)
    raised = [
        sum(parts[name][kind] for name in ("both", side) for kind in ("frauds", "genuine"))
        for side in ("own", "theirs")
    ]
    assert raised == [100, 100]
    bands = exchange.by_amount(test, own, theirs, BUDGET)
    assert sum(band["frauds"] for band in bands) == test.frauds
    assert sum(band["own"] for band in bands) == parts["both"]["frauds"] + parts["own"]["frauds"]


def test_a_version_exchanged_for_itself_changes_nothing(scored):
    test, own = scored
    parts = exchange.exchanged(test, own, own, BUDGET)
    assert parts["own"]["frauds"] == parts["theirs"]["frauds"] == 0
    assert exchange.overlap(own, own, 100) == 1.0
    assert exchange.overlap(own, own, 0) == 0.0
