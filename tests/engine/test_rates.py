"""Names as numbers: read as how common frauds were, learnt from what is known and nothing else."""

import numpy as np
import pytest

from scoring.engine import rates
from scoring.engine.bundle import load, save
from scoring.engine.explanation import explain
from scoring.engine.features import NAMES, column
from scoring.engine.plan import Imputation, Plan, Scaling
from scoring.engine.preparation import Preparation
from scoring.engine.preparation import fit as prepared
from scoring.engine.training import fit
from tests.engine.conftest import BUDGET
from tests.engine.test_bundle import KEY

AT = column("category")


def rows(*names: float) -> np.ndarray:
    vectors = np.full((len(names), len(NAMES)), np.nan)
    vectors[:, AT] = names
    return vectors


def shops(often: int = 40, seldom: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """500 payments of each of two categories with so many frauds, and 5 of a third, all frauds."""
    labels = np.zeros(1_005)
    labels[:often] = labels[500 : 500 + seldom] = labels[1_000:] = 1
    return rows(*[5411] * 500, *[7995] * 500, *[4829] * 5), labels


def read(vectors: np.ndarray, labels: np.ndarray | None, *names: float) -> list[float]:
    return rates.learnt(vectors, labels)(rows(*names))[:, AT].tolist()


def test_a_name_is_read_as_frauds_there_over_what_was_expected():
    vectors, labels = shops()
    more, less, few, foreign, unknown = read(vectors, labels, 5411, 7995, 4829, 1, np.nan)
    expected = 500 * labels.mean()
    assert more == pytest.approx(np.log(42 / (expected + 2)))
    assert less == pytest.approx(np.log(12 / (expected + 2)))
    assert (few, foreign) == (0.0, 0.0)  # five rows, all frauds: each would be known by its label
    assert np.isnan(unknown)


def test_without_labels_or_names_nothing_is_said():
    vectors, labels = shops()
    silent = (None, np.full(len(labels), np.nan), np.zeros(len(labels)))
    assert all(np.isnan(read(vectors, said, 5411)).all() for said in silent)
    assert not rates.learnt(rows(*[np.nan] * 1_005), labels).taught
    assert np.isnan(read(rows(*range(1_005)), labels, 7)).all()


def test_rows_nobody_can_judge_do_not_count():
    vectors, labels = shops()
    blurred = np.concatenate([labels, np.full(300, np.nan)])
    more = np.vstack([vectors, rows(*[5411] * 300)])
    assert read(more, blurred, 5411, 7995) == read(vectors, labels, 5411, 7995)


def test_one_row_is_read_to_the_bits_of_the_batch_and_nothing_else_is_touched():
    vectors, labels = shops()
    made = rates.learnt(vectors, labels)
    asked = rows(5411, np.nan, 7995, 3)
    asked[:, 0] = 7.5
    batch = made(asked)
    assert b"".join(made(asked[at : at + 1]).tobytes() for at in range(4)) == batch.tobytes()
    assert np.array_equal(np.delete(batch, AT, 1), np.delete(asked, AT, 1), equal_nan=True)


def test_no_step_of_a_pipeline_changes_a_name():
    random = np.random.default_rng(3)
    vectors = random.lognormal(size=(60, len(NAMES)))
    vectors[:, AT] = random.integers(1, 2**52, 60)
    vectors[::3, AT] = np.nan
    for step in (Imputation("mean", indicator=True), Imputation("knn"), Scaling("quantile")):
        made, seen = prepared(Plan(NAMES, (step,)), vectors)
        assert np.array_equal(seen[:, AT], vectors[:, AT], equal_nan=True)
        assert AT not in made.noted


@pytest.fixture
def market(quick_learning: None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Amounts that say little, and eight categories of which one has most of the frauds."""
    random = np.random.default_rng(5)
    names = random.integers(5411, 5419, 4_000).astype(float)
    labels = (random.random(4_000) < np.where(names == 5411, 0.5, 0.04)).astype(float)
    vectors = rows(*names)
    vectors[:, 0] = random.lognormal(3 + 0.3 * labels, 1)
    vectors[:, column("amount_over_median")] = random.lognormal(0, 1, 4_000)
    return vectors, labels, np.arange(4_000) * 3_600_000_000


def test_a_bundle_keeps_its_rates_and_they_are_of_its_training_rows(market, tmp_path):
    vectors, labels, times = market
    made = fit(vectors, labels, times, budget=BUDGET)
    again = load(tmp_path / "v1", key=KEY, sha256=save(made, tmp_path / "v1", key=KEY))
    kept = again.ensemble.preparation.reading.rates
    assert kept(vectors).tobytes() == rates.learnt(vectors, labels)(vectors).tobytes()
    before, after = (one.ensemble.score(vectors).margin for one in (made, again))
    assert before.tobytes() == after.tobytes()
    assert before[vectors[:, AT] == 5411].mean() > before[vectors[:, AT] != 5411].mean() + 1
    parts = explain(again, vectors[:20]).values
    assert parts.shape == (20, len(NAMES))
    assert np.all(parts[vectors[:20, AT] == 5411, AT] > 0)


def test_rates_that_mislead_later_are_not_read(market):
    vectors, labels, times = market
    late = times > times[int(0.74 * len(times))]
    moved = vectors.copy()
    moved[late & (vectors[:, AT] == 5411), AT] = 5412  # the frauds have moved next door
    made = fit(moved, labels, times, budget=BUDGET)
    assert made.kind == "warm"
    assert made.ensemble.preparation is None


@pytest.mark.usefixtures("quick_learning")
def test_a_model_without_labels_does_not_look_at_names(world):
    made = fit(world.vectors, None, world.events["time"], budget=BUDGET, preset="s0")
    other = world.vectors.copy()
    other[:, AT] = 4711.0
    found, same = (made.ensemble.score(vectors).margin for vectors in (world.vectors, other))
    assert found.tobytes() == same.tobytes()


def arrays(**other: list[float]) -> dict[str, np.ndarray]:
    whole = {"columns": [1.0], "lengths": [2.0], "names": [3.0, 4.0], "values": [0.5, -0.5]}
    return {f"rates_{name}": np.array(v) for name, v in (whole | {"taught": [1.0]} | other).items()}


def test_arrays_of_rates_come_back():
    made = Preparation.restore(arrays(), 3)
    assert made(np.array([[9.0, 4.0, 9.0], [9.0, 5.0, 9.0]]))[:, 1].tolist() == [-0.5, 0.0]


@pytest.mark.parametrize(
    "harm",
    [
        {"columns": [3.0]},
        {"columns": [-1.0]},
        {"columns": [1.0, 1.0]},
        {"lengths": [1.0]},
        {"lengths": [-2.0]},
        {"names": [4.0, 3.0]},
        {"names": [3.0, np.nan]},
        {"values": [0.5]},
        {"values": [0.5, np.inf]},
        {"taught": []},
        {"more": [1.0]},
    ],
)
def test_arrays_that_are_no_rates_are_refused(harm):
    with pytest.raises(ValueError, match="rates"):
        Preparation.restore(arrays(**harm), 3)
