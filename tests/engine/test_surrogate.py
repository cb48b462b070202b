"""The second opinion: the same twice, right where the truth is known, honest where it is not."""

import numpy as np
import pytest

from scoring.engine import moving, surrogate
from scoring.engine.ensemble import Scored
from scoring.engine.explanation import explain
from scoring.engine.features import NAMES, column


class Sum:
    """A model that adds up some features, so that the truth is known."""

    def __init__(self, **weights: float) -> None:
        self.weights = np.zeros(len(NAMES))
        for name, weight in weights.items():
            self.weights[column(name)] = weight

    def score(self, vectors):
        margin = np.nan_to_num(vectors) @ self.weights
        return Scored(margin, margin, None)


@pytest.fixture(scope="module")
def reference(world):
    return moving.reference(world.vectors, NAMES)


def parts_of(model: Sum, vector, world):
    """The truth: weight times distance from the ordinary."""
    usual = np.nan_to_num(world.vectors).mean(axis=0)
    return model.weights * (np.nan_to_num(vector) - usual)


def test_it_finds_what_a_sum_is_made_of(world, reference):
    model = Sum(amount=0.05, new_device=2.0, hour=0.01, merchant_transaction_count_1h=-0.2)
    vector = np.array(world.vectors[int(np.nanargmax(world.vectors[:, column("amount")]))])
    vector[column("new_device")] = 1.0
    parts = parts_of(model, vector, world)
    found = surrogate.opinion(model, vector, parts, reference, "7")
    assert list(found.weights)[:2] == ["amount", "new_device"]
    assert found.weights["amount"] == pytest.approx(parts[column("amount")], rel=0.25)
    assert found.fit > 0.9
    assert found.common == found.same_direction >= 2


def test_the_same_decision_has_the_same_second_opinion(cold, world, reference):
    parts = explain(cold, world.vectors[:1]).values[0]
    one, again, other = (
        surrogate.opinion(cold.ensemble, world.vectors[0], parts, reference, seed)
        for seed in ("4 abc", "4 abc", "5 abc")
    )
    assert one == again
    assert one != other
    assert other.fit == pytest.approx(one.fit, abs=0.1)


def test_on_a_learnt_model_it_mostly_agrees_and_follows(cold, world, reference):
    scores = cold.ensemble.score(world.vectors).margin
    rows = world.vectors[np.argsort(-scores)[:60:10]]
    parts = explain(cold, rows).values
    found = [
        surrogate.opinion(cold.ensemble, row, part, reference, str(number))
        for number, (row, part) in enumerate(zip(rows, parts, strict=True))
    ]
    assert np.mean([one.fit for one in found]) > 0.6
    assert np.mean([one.common for one in found]) > 2
    assert all(one.same_direction <= one.common <= one.of == 5 for one in found)


def test_contributions_that_say_the_opposite_are_caught(world, reference):
    model = Sum(amount=0.05, new_device=2.0, hour=0.3)
    vector = np.array(world.vectors[50])
    vector[[column("amount"), column("new_device"), column("hour")]] = 900, 1, 23
    wrong = -parts_of(model, vector, world)
    found = surrogate.opinion(model, vector, wrong, reference, "7")
    assert found.common == 3
    assert found.same_direction == 0


def test_a_model_that_jumps_is_followed_badly_and_says_so(world, reference):
    class Dice:
        def score(self, vectors):
            margin = np.sin(1e6 * np.nan_to_num(vectors).sum(axis=1))
            return Scored(margin, margin, None)

    vector = world.vectors[3]
    found = surrogate.opinion(Dice(), vector, np.ones(len(NAMES)), reference, "7")
    assert found.fit < 0.5


def test_without_scores_there_is_no_opinion(world, reference):
    class Mute:
        def score(self, vectors):
            nothing = np.full(len(vectors), np.nan)
            return Scored(nothing, nothing, None)

    with pytest.raises(ArithmeticError, match="no score"):
        surrogate.opinion(Mute(), world.vectors[0], np.ones(len(NAMES)), reference, "7")


def test_what_is_ordinary_lies_as_the_training_rows_did(world, reference):
    random = np.random.default_rng(1)
    for name in ("amount", "new_device", "location_distance_km", "transaction_count_1h"):
        values, kept = world.vectors[:, column(name)], reference[name]
        drawn = surrogate.ordinary(kept, 20_000, random)
        assert np.isnan(drawn).mean() == pytest.approx(np.isnan(values).mean(), abs=0.02)
        assert np.nanmedian(drawn) == pytest.approx(np.nanmedian(values), rel=0.1, abs=0.05)
        shares = [np.nanmean(some == np.nanmax(values)) for some in (drawn, values)]
        if name == "new_device":
            assert shares[0] == pytest.approx(shares[1], abs=0.02)


def test_a_feature_nothing_is_known_of_stays_unknown():
    drawn = surrogate.ordinary({"edges": [], "rows": [0]}, 5, np.random.default_rng(1))
    assert np.isnan(drawn).all()


def test_a_model_of_fewer_features_has_a_reference_of_fewer(cold, world, reference):
    few = {name: reference[name] for name in NAMES[:55]}
    parts = explain(cold, world.vectors[:1]).values[0]
    found = surrogate.opinion(cold.ensemble, world.vectors[0], parts, few, "7")
    assert set(found.weights) <= set(NAMES[:55])
