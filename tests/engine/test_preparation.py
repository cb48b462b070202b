"""Preparation: fitted on what is learnt from, the same for one row as for many, kept whole."""

import json

import numpy as np
import pytest
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from scoring.engine import features, preparation
from scoring.engine.bundle import MANIFEST, load, save
from scoring.engine.families import FAMILIES
from scoring.engine.features import NAMES, column
from scoring.engine.plan import Imputation, Plan, Scaling, aggregates
from scoring.engine.preparation import Preparation, fit
from scoring.engine.reading import READ
from scoring.engine.training import fit as learn
from tests.engine.conftest import BUDGET
from tests.engine.test_bundle import KEY, refusal, resigned


def vectors(rows: int = 400) -> np.ndarray:
    random = np.random.default_rng(4)
    made = random.lognormal(2, 1, (rows, len(NAMES)))
    made[random.random(made.shape) < 0.2] = np.nan
    made[:, READ] = np.nan  # names are left alone, and here there are none
    return made


def numbers(rows: np.ndarray) -> np.ndarray:
    """Without the columns that hold names."""
    return np.delete(rows, READ, axis=1)


def similar(sample: np.ndarray, **other: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of a step that fills from neighbours."""
    rest = {name: np.ones(3) for name in ("scale", "usual", "wanted")}
    return {f"0_{name}": values for name, values in {"sample": sample, **rest, **other}.items()}


def prepared(*steps: Imputation | Scaling, rows: np.ndarray | None = None) -> np.ndarray:
    return fit(Plan(NAMES, steps), vectors() if rows is None else rows)[1]


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent"])
def test_what_is_unknown_is_filled_as_scikit_learn_fills_it(strategy):
    rows = np.round(vectors())
    theirs = SimpleImputer(strategy=strategy, keep_empty_features=True).fit_transform(rows)
    assert np.allclose(numbers(prepared(Imputation(strategy), rows=rows)), numbers(theirs))


def test_a_constant_is_the_constant():
    rows = vectors()
    filled = prepared(Imputation("constant", -1.0), rows=rows)
    assert np.array_equal(numbers(filled), numbers(np.where(np.isnan(rows), -1.0, rows)))


def test_neighbours_fill_as_scikit_learn_fills_by_columns_of_one_spread():
    rows = vectors(300)
    spread = np.where(np.isnan(rows).all(axis=0), 1.0, np.nanstd(rows, axis=0))
    made, _ = fit(Plan(NAMES, (Imputation("knn"),)), rows)
    later = vectors(340)[300:]
    theirs = KNNImputer(n_neighbors=5, keep_empty_features=True).fit(rows / spread)
    expected = theirs.transform(later / spread) * spread
    assert np.allclose(numbers(made(later)), numbers(expected))


def test_what_no_neighbour_knows_is_usual_and_what_nobody_knew_stays_unknown():
    rows = vectors(50)
    rows[:, 0], rows[:, 1] = np.nan, np.nan
    rows[:2, 1] = 3.0, 5.0
    made, _ = fit(Plan(NAMES, (Imputation("knn"),)), rows)
    nothing = np.full((1, len(NAMES)), np.nan)  # near to no row at all
    filled = made(nothing)[0]
    assert np.isnan(filled[0])
    assert filled[1] == 4.0
    others = np.delete(np.arange(2, len(NAMES)), np.array(READ) - 2)
    assert np.allclose(filled[others], np.nanmean(rows[:, others], axis=0))


def test_neighbours_come_from_a_bounded_sample():
    made, _ = fit(Plan(NAMES, (Imputation("knn"),)), vectors(2_600))
    assert made.steps[0].arrays()["sample"].shape == (len(NAMES), 2_000)


@pytest.mark.parametrize("strategy", ["mean", "knn"])
def test_a_step_may_be_for_some_columns_alone(strategy):
    rows, chosen = vectors(80), (NAMES[3], NAMES[5])
    made, seen = fit(Plan(NAMES, (Imputation(strategy, 0.0, True, chosen),)), rows)
    everywhere = prepared(Imputation(strategy), rows=rows)
    assert made.noted.tolist() == [3, 5]
    assert np.array_equal(seen[:, [3, 5]], everywhere[:, [3, 5]])
    rest = [n for n in range(len(NAMES)) if n not in (3, 5)]
    assert np.array_equal(seen[:, rest], rows[:, rest], equal_nan=True)
    for method in ("standard", "robust", "minmax", "quantile"):
        scaled = prepared(Scaling(method, chosen), rows=rows)
        assert np.array_equal(scaled[:, rest], rows[:, rest], equal_nan=True)
        assert np.array_equal(
            scaled[:, [3, 5]], prepared(Scaling(method), rows=rows)[:, [3, 5]], equal_nan=True
        )


def test_what_was_missing_stands_behind_the_features():
    rows = vectors(60)
    rows[:, 0], rows[:, 1] = 7.0, np.nan  # always known, never known: neither says anything
    made, seen = fit(Plan(NAMES, (Imputation("median", indicator=True), Scaling("standard"))), rows)
    others = np.delete(np.arange(2, len(NAMES)), np.array(READ) - 2)
    assert made.noted.tolist() == others.tolist()
    assert np.array_equal(seen[:, len(NAMES) :], np.isnan(rows[:, others]))
    assert made(rows).tobytes() == seen.tobytes()
    wider = np.column_stack([rows, np.full(60, 9.0)])  # a register that has grown since
    assert made(wider).tobytes() == seen.tobytes()


def test_what_an_indicator_adds_is_counted_to_its_feature():
    made, _ = fit(Plan(NAMES, (Imputation("mean", indicator=True),)), vectors(60))
    parts = np.zeros((1, len(NAMES) + len(made.noted)))
    parts[0, 3], parts[0, len(NAMES) + 3] = 0.5, 0.25
    folded = made.folded(parts, len(NAMES) + 1)
    assert folded.shape == (1, len(NAMES) + 1)
    assert (folded[0, 3], folded.sum()) == (0.75, 0.75)


@pytest.mark.parametrize(
    "method, theirs",
    [("standard", StandardScaler()), ("robust", RobustScaler()), ("minmax", MinMaxScaler())],
)
def test_columns_are_scaled_as_scikit_learn_scales_them(method, theirs):
    rows = vectors()
    scaled = numbers(prepared(Scaling(method), rows=rows))
    assert np.allclose(scaled, theirs.fit_transform(numbers(rows)), equal_nan=True)


def test_quantiles_are_shares_of_the_training_rows():
    rows = vectors()
    ranks = prepared(Scaling("quantile"), rows=rows)[:, 0]
    own = rows[:, 0]
    below = np.array([(own < value).sum() for value in own]) / np.isfinite(own).sum()
    known = np.isfinite(own)
    assert np.allclose(ranks[known], below[known], atol=0.02)
    assert np.isnan(ranks[~known]).all()


def test_one_row_alone_is_prepared_to_the_bits_of_the_batch():
    steps = (Imputation("knn", indicator=True), Scaling("standard"), Scaling("quantile"))
    made, _ = fit(Plan(NAMES, steps), vectors())
    rows = vectors(50)
    batch = made(rows)
    assert b"".join(made(rows[n : n + 1]).tobytes() for n in range(50)) == batch.tobytes()


def test_what_came_later_is_not_scaled_by_what_came_before():
    early, late = vectors(200), vectors(200) * 1000
    made, _ = fit(Plan(NAMES, (Scaling("standard"),)), early)
    again, _ = fit(Plan(NAMES, (Scaling("standard"),)), early.copy())
    assert made(late).tobytes() == again(late).tobytes()
    assert np.nanmean(made(late)) > 100


def test_a_constant_or_unknown_column_keeps_its_units():
    rows = vectors()
    rows[:, 0], rows[:, 1] = 7.0, np.nan
    for method in ("standard", "robust", "minmax", "quantile"):
        scaled = prepared(Scaling(method), rows=rows)
        assert np.isfinite(scaled[:, 0]).all()
        assert np.isnan(scaled[:, 1]).all()


@pytest.mark.usefixtures("quick_learning")
def test_no_member_learns_from_a_column_outside_the_plan(world):
    left = tuple(name for name in NAMES if name not in FAMILIES["sharing"].features)
    bundle = learn(
        world.vectors, world.labels, world.events["time"], budget=BUDGET, plan=Plan(left)
    )
    moved = world.vectors.copy()
    for name in FAMILIES["sharing"].features:
        moved[:, column(name)] = 999.0
    before, after = (bundle.ensemble.score(rows) for rows in (world.vectors, moved))
    assert before.margin.tobytes() == after.margin.tobytes()
    assert bundle.manifest["pipeline"]["columns"] == list(left)
    assert bundle.manifest["format"] == 3


@pytest.mark.usefixtures("quick_learning")
@pytest.mark.parametrize("imputation", [Imputation("mean"), Imputation("knn", indicator=True)])
def test_a_prepared_bundle_comes_back_bit_for_bit_and_its_contributions_add_up(
    imputation, world, tmp_path
):
    plan = Plan(NAMES, (imputation, Scaling("standard")))
    bundle = learn(world.vectors, world.labels, world.events["time"], budget=BUDGET, plan=plan)
    sha256 = save(bundle, tmp_path / "v1", key=KEY)
    again = load(tmp_path / "v1", key=KEY, sha256=sha256)
    assert json.loads((tmp_path / "v1" / MANIFEST).read_bytes())["format"] == 3
    before, after = (one.ensemble.score(world.vectors) for one in (bundle, again))
    assert before.margin.tobytes() == after.margin.tobytes()
    base, parts = again.ensemble.contributions(world.vectors[:20])
    assert np.allclose(base + parts.sum(axis=1), after.margin[:20], atol=1e-6)
    own = bundle.ensemble.margin(world.vectors[:20], novel=True)
    base, parts = again.ensemble.contributions(world.vectors[:20], novel=True)
    assert np.allclose(base + parts.sum(axis=1), own, atol=1e-6)
    first_alone = again.ensemble.score(world.vectors[:1]).margin
    assert first_alone.tobytes() == after.margin[:1].tobytes()


def test_a_preparation_for_other_vectors_is_refused(world, tmp_path):
    plan = Plan(NAMES, (Scaling("standard"),))
    bundle = learn(world.vectors, None, world.events["time"], budget=BUDGET, plan=plan)
    save(bundle, tmp_path / "v1", key=KEY)
    sha256 = resigned(tmp_path / "v1", spec=features.spec_id(features.FIRST))
    assert "preparation" in refusal(tmp_path / "v1", sha256) or "forest" in refusal(
        tmp_path / "v1", sha256
    )


@pytest.mark.parametrize(
    "arrays",
    [
        {"0_centre": np.zeros(3), "0_scale": np.array([1.0, 0.0, 1.0])},
        {"0_centre": np.array([np.nan, 0, 0]), "0_scale": np.ones(3)},
        {"0_fill": np.zeros(4)},
        {"0_knots": np.zeros((3, 7))},
        {"0_code": np.zeros(3)},
        {"0_noted": np.array([0.0, 2.0, 1.0])},
        {"0_noted": np.zeros(4)},
        similar(np.zeros((3, 2_001))),
        similar(np.zeros((3, 2)), scale=np.zeros(3)),
        similar(np.zeros((3, 2)), wanted=np.full(3, 0.5)),
        similar(np.zeros((2, 3))),
        similar(np.full((3, 2), np.inf)),
        {"0_sample": np.zeros((3, 2)), "0_scale": np.ones(3)},
        {"x": np.zeros(3)},
    ],
)
def test_arrays_that_are_no_preparation_are_refused(arrays):
    with pytest.raises(ValueError):
        Preparation.restore(arrays, 3)


def test_every_feature_belongs_to_one_family():
    listed = [name for family in FAMILIES.values() for name in family.features]
    assert sorted(listed) == sorted(NAMES)
    assert aggregates() <= set(NAMES)


def test_masking_nothing_copies_nothing():
    rows = vectors(3)
    assert preparation.masked(Plan(), rows) is rows
