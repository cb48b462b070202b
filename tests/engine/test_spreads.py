"""Amounts in units of their category's spread: learnt without labels, kept, and read alike."""

import numpy as np
import pytest

from scoring.engine import reading, spreads
from scoring.engine.bundle import load, save
from scoring.engine.explanation import explain, sentences
from scoring.engine.features import NAMES, column
from scoring.engine.plan import Imputation, Plan, Scaling
from scoring.engine.preparation import Preparation
from scoring.engine.preparation import fit as prepared
from scoring.engine.training import fit
from tests.engine.conftest import BUDGET
from tests.engine.test_bundle import KEY

AT, OF = column("amount_in_category"), column("category")
PETROL, FLIGHTS, SELDOM = 5541.0, 4511.0, 5094.0


def rows(amounts: np.ndarray, *names: float) -> np.ndarray:
    vectors = np.full((len(names), len(NAMES)), np.nan)
    vectors[:, OF] = names
    vectors[:, AT] = np.log1p(amounts)
    return vectors


def till() -> np.ndarray:
    """Petrol at about 40, flights at about 400, and 49 payments of a third kind."""
    random = np.random.default_rng(2)
    usual = np.repeat([40.0, 400.0, 90.0], [500, 500, 49])
    names = np.repeat([PETROL, FLIGHTS, SELDOM], [500, 500, 49])
    return rows(usual * random.lognormal(0, 0.3, len(usual)), *names)


def test_the_same_amount_is_much_here_and_little_there():
    made = spreads.learnt(till())
    asked = rows(np.full(5, 300.0), PETROL, FLIGHTS, SELDOM, 1.0, np.nan)
    before = asked.copy()
    made.apply(asked)
    own = till()[:500, AT]
    low, middle, high = np.quantile(own, (0.25, 0.5, 0.75))
    assert asked[0, AT] == pytest.approx((np.log1p(300) - middle) / (high - low + 0.05))
    assert asked[0, AT] > 3 > 0 > asked[1, AT]
    assert np.isnan(asked[2:, AT]).all()  # too few, never met, and no category at all
    others = np.delete(np.arange(len(NAMES)), AT)
    assert np.array_equal(asked[:, others], before[:, others], equal_nan=True)


def test_a_fixed_price_has_a_spread_all_the_same():
    made = spreads.learnt(rows(np.full(80, 9.99), *[PETROL] * 80))
    asked = rows(np.array([9.99, 12.0]), PETROL, PETROL)
    made.apply(asked)
    assert asked[0, AT] == 0
    assert 0 < asked[1, AT] < 10


def test_no_label_has_a_part_in_it_and_one_row_is_read_to_the_bits_of_the_batch():
    vectors = till()
    labels = (np.arange(len(vectors)) % 7 == 0).astype(float)
    made, flipped = (reading.learnt(vectors, said) for said in (labels, 1 - labels))
    asked = rows(np.array([30.0, 500.0, 90.0, 7.0]), PETROL, FLIGHTS, SELDOM, np.nan)
    batch = made(asked)
    assert batch[:, AT].tobytes() == flipped(asked)[:, AT].tobytes()
    assert b"".join(made(asked[n : n + 1]).tobytes() for n in range(4)) == batch.tobytes()
    assert np.isnan(reading.untaught(vectors)(asked)[:, AT]).all()


def test_no_step_of_a_pipeline_changes_what_is_compared():
    random = np.random.default_rng(3)
    vectors = random.lognormal(size=(120, len(NAMES)))
    vectors[::3, AT] = np.nan
    for step in (Imputation("mean", indicator=True), Imputation("knn"), Scaling("quantile")):
        made, seen = prepared(Plan(NAMES, (step,)), vectors)
        assert np.array_equal(seen[:, AT], vectors[:, AT], equal_nan=True)
        assert AT not in made.noted


@pytest.fixture
def market(quick_learning: None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eight categories of which each has its price; frauds pay four times that, wherever it is."""
    random = np.random.default_rng(5)
    places = random.integers(0, 8, 4_000)
    labels = (random.random(4_000) < np.where(places == 0, 0.2, 0.06)).astype(float)
    amounts = 10 * 2.0**places * random.lognormal(0, 0.3, 4_000) * np.where(labels == 1, 4, 1)
    vectors = rows(amounts, *(places + 5411.0))
    vectors[:, column("amount")], vectors[:, column("amount_log")] = amounts, np.log1p(amounts)
    vectors[:, column("amount_over_median")] = random.lognormal(0, 1, 4_000)
    return vectors, labels, np.arange(4_000) * 3_600_000_000


def test_a_model_learns_from_it_keeps_it_and_says_so_by_name(market, tmp_path):
    vectors, labels, times = market
    made = fit(vectors, labels, times, budget=BUDGET)
    again = load(tmp_path / "v1", key=KEY, sha256=save(made, tmp_path / "v1", key=KEY))
    kept = again.ensemble.preparation.reading
    assert kept(vectors).tobytes() == reading.learnt(vectors, labels)(vectors).tobytes()
    before, after = (one.ensemble.score(vectors).margin for one in (made, again))
    assert before.tobytes() == after.tobytes()
    parts = explain(again, vectors[:400]).values
    frauds = labels[:400] == 1
    assert parts[frauds, AT].mean() > 1 > 0 > parts[~frauds, AT].mean()
    first = int(np.flatnonzero(frauds)[0])
    told = {one["feature"]: one["sentence"] for one in sentences(vectors[first], parts[first])}
    assert told["amount_in_category"].endswith(
        "in its category when the model learnt counts by itself."
    )


def arrays(**other: list[float]) -> dict[str, np.ndarray]:
    whole = {"names": [3.0, 4.0], "middle": [1.0, 2.0], "spread": [0.5, 0.6]} | other
    return {f"spreads_{name}": np.array(values) for name, values in whole.items()}


RATES = {
    f"rates_{name}": np.array(values)
    for name, values in {
        "columns": [float(OF)], "lengths": [1.0], "names": [3.0], "values": [0.5], "taught": [1.0]
    }.items()
}  # fmt: skip


def test_arrays_come_back_and_those_of_earlier_bundles_compare_nothing():
    asked = rows(np.exp([2.0, 2.0]) - 1, 4.0, 5.0)
    now, earlier = (Preparation.restore(kept, len(NAMES)) for kept in (RATES | arrays(), RATES))
    assert now(asked)[:, AT].tolist() == pytest.approx([0.0, np.nan], nan_ok=True)
    assert np.isnan(earlier(asked)[:, AT]).all()
    assert earlier(asked[:, :AT]).shape == (2, AT)  # a register of before


@pytest.mark.parametrize(
    "harm",
    [
        {"names": [4.0, 3.0]},
        {"names": [3.0, np.nan]},
        {"middle": [1.0]},
        {"middle": [1.0, np.inf]},
        {"spread": [0.5, 0.0]},
        {"spread": [[0.5, 0.6]]},
        {"more": [1.0]},
    ],
)
def test_arrays_that_are_no_spreads_are_refused(harm):
    with pytest.raises(ValueError, match="spreads"):
        Preparation.restore(RATES | arrays(**harm), len(NAMES))


def test_spreads_without_rates_are_refused():
    with pytest.raises(ValueError, match="rates"):
        Preparation.restore(arrays(), len(NAMES))
