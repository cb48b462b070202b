"""Our arrays say what the libraries say they came from, and shap, whatever is asked."""

import json

import numpy as np
import pytest

from benchmarks.peers import explainer_of, shap_values
from scoring.engine.detectors import (
    boosting,
    extra_trees,
    forest,
    hist_gradient_boosting,
    isolation_forest,
    logistic,
    one_class_svm,
    one_sided,
    random_forest,
    sampling,
)
from scoring.engine.detectors.sampling import Drawn
from scoring.engine.detectors.trees import Malformed, Trees
from scoring.engine.evaluation import roc_auc
from scoring.engine.features import FEATURES, NAMES, column
from tests.engine.conftest import World
from tests.engine.test_detectors import nasty

SOME = slice(0, 3_000)
FORESTS = ["isolation_forest", "boosting", "hist_gradient_boosting", "extra_trees"]


@pytest.fixture(scope="module")
def forests(world: World) -> dict[str, Trees]:
    known = ~np.isnan(world.labels)
    given = world.vectors[known][SOME], world.labels[known][SOME]
    few = {"settings": extra_trees.Settings(trees=30)}
    return {
        "isolation_forest": isolation_forest.train(world.vectors[SOME]).trees,
        "boosting": boosting.train(*given).trees,
        "hist_gradient_boosting": hist_gradient_boosting.train(*given).trees,
        "extra_trees": extra_trees.train(*given, **few).trees,
    }


@pytest.fixture(params=FORESTS)
def trees(request: pytest.FixtureRequest, forests) -> Trees:
    return forests[request.param]


def holes(world: World):
    """Known and unknown values, as 32-bit floats."""
    return np.vstack([world.vectors[4_000:5_000], nasty(world)[5:]]).astype(np.float32)


def test_contributions_are_those_of_shap(trees, world):
    from scoring.engine.detectors.shapley import shares

    rows = np.vstack([world.vectors[100:130], nasty(world)[5:15]])
    base, parts = shares(trees, rows)
    explainer = explainer_of(trees)
    assert np.allclose(parts, shap_values(explainer, rows), atol=1e-6)
    assert base == pytest.approx(float(np.ravel(explainer.expected_value)[0]), abs=1e-6)


def test_the_isolation_forest_is_scikit_learns(world):
    from sklearn.ensemble import IsolationForest

    ours = isolation_forest.train(world.vectors, seed=3)
    _, prepared, _ = isolation_forest.prepare(world.vectors)
    theirs = IsolationForest(
        n_estimators=150, max_samples=1024, contamination=0.01, random_state=3
    ).fit(prepared)
    assert np.abs(-(2 ** ours.raw(world.vectors)) - theirs.score_samples(prepared)).max() < 1e-6


def test_the_boosted_trees_are_xgboosts(world):
    import xgboost

    known = ~np.isnan(world.labels)
    rows, labels = world.vectors[known].astype(np.float32), world.labels[known]
    settings = {"objective": "binary:logistic", "base_score": 0.1, "max_depth": 5, "verbosity": 0}
    theirs = xgboost.train(settings, xgboost.DMatrix(rows, labels), num_boost_round=60)
    ours = boosting.flattened(json.loads(theirs.save_raw("json")), np.arange(len(FEATURES)))
    for asked in (rows[:2_000], holes(world)):
        margins = theirs.predict(xgboost.DMatrix(asked), output_margin=True)
        assert np.abs(ours.raw(asked.astype(np.float64)) - margins).max() < 1e-5


def test_the_histogram_trees_are_scikit_learns(world):
    from sklearn.ensemble import HistGradientBoostingClassifier

    known = ~np.isnan(world.labels)
    rows, labels = world.vectors[known][SOME].astype(np.float32), world.labels[known][SOME]
    columns = np.flatnonzero(np.isfinite(rows).any(axis=0))  # it fails on one never known
    theirs = HistGradientBoostingClassifier(max_iter=40, max_features=0.5, random_state=1)
    theirs.fit(rows[:, columns], labels)
    ours = hist_gradient_boosting.flattened(theirs, columns)
    asked = holes(world)
    margins = theirs.decision_function(asked[:, columns])
    assert np.abs(ours.raw(asked.astype(np.float64)) - margins).max() < 1e-9


def test_the_trees_of_lightgbm_are_lightgbms(world):
    lightgbm = pytest.importorskip("lightgbm", reason="lightgbm is one of the extras")
    from scoring.engine.detectors import lightgbm as own

    known = ~np.isnan(world.labels)
    rows, labels = world.vectors[known][SOME].astype(np.float32), world.labels[known][SOME]
    theirs = lightgbm.train(
        {"objective": "binary", "verbosity": -1}, lightgbm.Dataset(rows, labels), 40
    )
    ours = own.flattened(theirs.dump_model(), np.arange(len(FEATURES)))
    asked = holes(world)
    margins = theirs.predict(asked, raw_score=True)
    assert np.abs(ours.raw(asked.astype(np.float64)) - margins).max() < 1e-9


@pytest.mark.parametrize("own", [extra_trees, random_forest])
def test_the_voting_forests_are_scikit_learns(world, own):
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    known = ~np.isnan(world.labels)
    rows, labels = world.vectors[known][SOME].astype(np.float32), world.labels[known][SOME]
    made = ExtraTreesClassifier if own is extra_trees else RandomForestClassifier
    theirs = made(20, min_samples_leaf=5, random_state=1).fit(rows, labels)
    drawn = Drawn(rows, labels, np.ones(len(rows), np.float32), np.arange(len(FEATURES)))
    ours = forest.flattened(theirs.estimators_, drawn, smoothing=0.0)
    asked = holes(world)
    theirs = theirs.predict_proba(asked)[:, 1]
    assert np.abs(1 / (1 + np.exp(-ours.raw(asked.astype(float)))) - theirs).max() < 2e-6


def test_small_leaves_are_drawn_towards_the_share_of_frauds(world):
    known = np.flatnonzero(~np.isnan(world.labels))[SOME]
    settings = extra_trees.Settings(trees=5, smoothing=10.0)
    made = extra_trees.train(world.vectors[known], world.labels[known], settings=settings)
    leaves = made.trees.value[made.trees.feature < 0] * 5
    assert 0 < leaves.min() < world.labels[known].mean() < leaves.max() < 1


def test_the_one_class_svm_is_scikit_learns(world):
    from sklearn.kernel_approximation import Nystroem

    ours = one_class_svm.train(world.vectors[SOME], seed=3)
    values, settings = ours.inputs(world.vectors[SOME]), one_class_svm.Settings()
    near = Nystroem(gamma=ours.gamma[0], n_components=settings.landmarks, random_state=3).fit(
        values
    )
    theirs = one_class_svm.solver(settings, 3).fit(near.transform(values))
    outside = -theirs.decision_function(near.transform(values))
    assert np.abs(ours.raw(world.vectors[SOME]) - outside).max() < 1e-6 * np.abs(outside).max()


def test_the_logistic_regression_is_scikit_learns(world):
    from sklearn.linear_model import LogisticRegression

    known = np.flatnonzero(~np.isnan(world.labels))[SOME]
    ours = logistic.train(world.vectors[known], world.labels[known])
    seen = world.vectors[known]
    given = np.hstack([ours.inputs(seen), ours.inputs.unknown(seen)])
    theirs = LogisticRegression(max_iter=2_000).fit(given, world.labels[known])
    apart = np.abs(theirs.decision_function(given) - ours.raw(seen))
    assert np.quantile(apart, 0.99) < 0.2


def test_the_lstm_reads_the_order_of_the_last_payments():
    for package in ("jax", "equinox", "optax"):
        pytest.importorskip(package, reason=f"{package} is one of the extras")
    if "amount_back_1" not in NAMES:
        pytest.skip("vectors do not hold the last payments yet")
    from scoring.engine.detectors import lstm

    random = np.random.default_rng(1)
    rows, labels = np.full((1_600, len(FEATURES)), np.nan), (np.arange(1_600) % 4 == 0) * 1.0
    amounts = np.array([20.0 * 1.4**back for back in range(lstm.STEPS)])
    for row, fraud in zip(rows, labels, strict=True):
        own = amounts if fraud else random.permutation(amounts)  # the same ten, rising or not
        for back in range(1, lstm.STEPS + 1):
            row[column(f"amount_back_{back}")] = own[-back] * random.uniform(0.9, 1.1)
            row[column(f"minutes_back_{back}")] = 60.0 * back
        row[column("amount")] = 500.0
    half = slice(0, 800), slice(800, None)
    made = lstm.train(rows[half[0]], labels[half[0]], settings=lstm.Settings(epochs=30))
    assert roc_auc(labels[half[1]], made.raw(rows[half[1]])) > 0.95


def test_a_tail_is_minus_the_logarithm_of_the_share_at_or_beyond():
    vectors = np.full((10_000, len(FEATURES)), np.nan)
    own = column("amount_over_median")
    vectors[:, own] = np.random.default_rng(1).exponential(size=10_000)
    made = one_sided.train(vectors)
    asked = np.full((5, len(FEATURES)), np.nan)
    asked[:, own] = [0.1, 2.0, 6.0, 50.0, 500.0]
    harmless, usual, rare, far, further = made.raw(asked)
    assert harmless == 0
    assert usual == pytest.approx(2.0, abs=0.1)  # of an exponential, -log(share beyond x) is x
    assert rare == pytest.approx(6.0, abs=0.5)
    assert rare < far < further


def test_sampling_keeps_every_fraud_and_the_weight_of_the_genuine():
    labels = np.zeros(100_000)
    labels[:50] = 1
    share = sampling.Share(genuine=0.1, least=1_000)
    rows, weights = sampling.sample(labels, share, seed=1)
    assert labels[rows].sum() == 50
    assert len(rows) == 10_045
    assert weights[labels[rows] == 0].sum() == pytest.approx(99_950, rel=1e-5)
    assert len(sampling.sample(labels, sampling.Share(most=2_000), seed=1)[0]) == 2_050


def test_the_presets_are_those_of_the_documents():
    presets = isolation_forest.PRESETS
    assert [
        (p.trees, p.samples, p.contamination) for p in map(presets.get, ("s0", "s1", "s2"))
    ] == [
        (150, 256, 0.01),
        (150, 256, 0.10),
        (100, 256, 0.05),
    ]


@pytest.mark.parametrize(
    "harm",
    [
        {"left": lambda a: np.where(a >= 0, 0, a)},  # a loop
        {"right": lambda a: np.where(a >= 0, 10**6, a)},  # outside
        {"left": lambda a: np.where(a >= 0, len(a) - 1, a)},  # into another tree
        {"missing": lambda a: np.where(a >= 0, len(a) - 1, a)},
        {"feature": lambda a: np.where(a >= 0, len(FEATURES), a)},
        {"roots": lambda a: a - 1},
        {"roots": lambda a: a[::-1]},
        {"value": lambda a: a[:-1]},
        {"value": lambda a: a * np.nan},
        {"cover": lambda a: a * 0},
        {"base": lambda a: np.array([])},
        {"missing": lambda a: None},
    ],
)
def test_arrays_that_are_no_forest_are_refused(trees, harm):
    arrays = dict(trees.arrays())
    for name, change in harm.items():
        changed = change(arrays[name])
        if changed is None:
            del arrays[name]
        else:
            arrays[name] = changed
    with pytest.raises(Malformed):
        Trees.of(arrays, len(FEATURES))
