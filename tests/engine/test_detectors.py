"""Detectors: our arrays say what the libraries say, whatever is asked; and each finds something."""

import json

import numpy as np
import pytest
import shap

from scoring.engine.detectors import DETECTORS, boosting, isolation_forest, kind
from scoring.engine.detectors.trees import Malformed, Trees
from scoring.engine.evaluation import roc_auc
from scoring.engine.features import FEATURES
from tests.engine.conftest import World


@pytest.fixture(scope="module")
def detectors(world: World):
    known = ~np.isnan(world.labels)
    return {
        "isolation_forest": isolation_forest.train(world.vectors),
        "boosting": boosting.train(world.vectors[known], world.labels[known]),
    }


@pytest.fixture(params=[one.name for one in DETECTORS])
def detector(request: pytest.FixtureRequest, detectors):
    return detectors[request.param]


def nasty(world: World):
    """Vectors with every kind of hole."""
    rows = world.vectors[:400].copy()
    random = np.random.default_rng(0)
    rows[random.random(rows.shape) < 0.3] = np.nan
    rows[0] = np.nan
    rows[1] = np.inf
    rows[2] = -np.inf
    rows[3] = 1e300
    return rows


def test_every_detector_clears_its_floor(detector, world):
    known = ~np.isnan(world.labels)
    assert roc_auc(world.labels[known], detector.raw(world.vectors)[known]) > 0.85


def test_every_detector_scores_whatever_it_is_given(detector, world):
    assert np.all(np.isfinite(detector.raw(nasty(world))))
    assert detector.raw(world.vectors[:0]).shape == (0,)


def test_a_row_alone_gives_the_bits_of_the_batch(detector, world):
    batch = detector.raw(world.vectors[:300])
    alone = [detector.raw(world.vectors[number : number + 1])[0] for number in range(300)]
    assert np.array(alone).tobytes() == batch.tobytes()


def test_contributions_add_up_to_the_raw_score(detector, world):
    rows = np.vstack([world.vectors[:50], nasty(world)[:50]])
    base, parts = detector.contributions(rows)
    assert np.abs(base + parts.sum(axis=1) - detector.raw(rows)).max() < 1e-9


def test_contributions_are_those_of_shap(detector, world):
    rows = world.vectors[100:130]
    base, parts = detector.contributions(rows)
    explainer = shap.TreeExplainer(
        as_shap_reads_it(detector.trees), feature_perturbation="tree_path_dependent"
    )
    theirs = explainer.shap_values(rows.astype(np.float32), check_additivity=False)
    assert np.allclose(parts, np.asarray(theirs).reshape(parts.shape), atol=1e-6)
    assert base == pytest.approx(float(np.ravel(explainer.expected_value)[0]), abs=1e-6)


def as_shap_reads_it(trees: Trees):
    """shap's dictionary model. It goes left at <=, so thresholds move down by one 32-bit step."""
    ends = [*trees.roots[1:].tolist(), len(trees.feature)]
    parts = []
    for start, end in zip(trees.roots.tolist(), ends, strict=True):
        part = slice(start, end)

        def moved(children, part=part, start=start):
            return np.where(trees.feature[part] >= 0, children[part] - start, -1)

        below = np.nextafter(trees.threshold[part], np.float32(-np.inf)).astype(np.float64)
        parts.append(
            {
                "children_left": moved(trees.left),
                "children_right": moved(trees.right),
                "children_default": moved(trees.missing),
                "features": trees.feature[part],
                "thresholds": below,
                "values": trees.value[part].reshape(-1, 1),
                "node_sample_weight": trees.cover[part],
            }
        )
    return {"trees": parts, "base_offset": float(trees.base[0]), "input_dtype": np.float32}


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
    for asked in (rows[:2_000], nasty(world).astype(np.float32)[4:]):
        margins = theirs.predict(xgboost.DMatrix(asked), output_margin=True)
        assert np.abs(ours.raw(asked.astype(np.float64)) - margins).max() < 1e-5


def test_training_twice_gives_the_same_trees(world):
    known = ~np.isnan(world.labels)
    for name, given in (("isolation_forest", ()), ("boosting", (world.labels[known],))):
        first, second = (kind(name).train(world.vectors[known], *given, seed=9) for _ in range(2))
        for key, array in first.arrays().items():
            assert array.tobytes() == second.arrays()[key].tobytes()


def test_all_constant_features_are_named_as_the_trouble():
    with pytest.raises(ValueError, match="constant"):
        isolation_forest.train(np.ones((200, len(FEATURES))))


def test_sampling_keeps_every_fraud_and_the_weight_of_the_genuine():
    labels = np.zeros(100_000)
    labels[:50] = 1
    settings = boosting.Settings(genuine_share=0.1, least_genuine=1_000)
    rows, weights = boosting.sample(labels, settings, seed=1)
    assert labels[rows].sum() == 50
    assert len(rows) == 10_045
    assert weights[labels[rows] == 0].sum() == pytest.approx(99_950, rel=1e-5)


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
        {"feature": lambda a: np.where(a >= 0, len(FEATURES), a)},
        {"roots": lambda a: a - 1},
        {"value": lambda a: a[:-1]},
        {"value": lambda a: a * np.nan},
        {"cover": lambda a: a * 0},
        {"base": lambda a: np.array([])},
        {"missing": lambda a: None},
    ],
)
def test_arrays_that_are_no_forest_are_refused(detector, harm):
    arrays = dict(detector.arrays())
    for name, change in harm.items():
        changed = change(arrays[name])
        if changed is None:
            del arrays[name]
        else:
            arrays[name] = changed
    with pytest.raises(Malformed):
        Trees.of(arrays, len(FEATURES))
