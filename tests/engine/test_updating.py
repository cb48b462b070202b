"""An update goes on from what a bundle says, and is scored, kept and explained like any other."""

from dataclasses import replace

import numpy as np
import pytest

from scoring.engine import explanation, updating
from scoring.engine.bundle import Bundle, format_of, load, save
from scoring.engine.calibration import Affine
from scoring.engine.detectors import boosting
from scoring.engine.detectors.boosting import Settings
from scoring.engine.detectors.trees import extended
from scoring.engine.evaluation import average_precision
from scoring.engine.features import column
from scoring.engine.rates import NOMINAL
from tests.engine.conftest import BUDGET
from tests.engine.test_bundle import KEY


@pytest.fixture(scope="module")
def drifted(world):
    """The later half of the world, with a new kind of fraud: one amount, again and again."""
    late = np.arange(len(world.labels)) >= len(world.labels) // 2
    vectors, labels = world.vectors[late].copy(), world.labels[late].copy()
    new = np.arange(len(labels)) % 20 == 3
    vectors[new, column("amount")] = 12.34
    labels[new] = 1.0
    return vectors, labels, world.events["time"][late]


@pytest.fixture(scope="module", autouse=True)
def light():
    """The champion of this world is surer than one of real payments: its rows weigh next to
    nothing, and with the usual least weight of a leaf no tree could part them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(updating, "ROUNDS", replace(updating.ROUNDS, least_weight=0.0))
        yield


@pytest.fixture(scope="module")
def update(warm: Bundle, drifted, light) -> Bundle:
    return updating.update(warm, *drifted)


def test_it_finds_a_new_kind_that_the_champion_does_not(warm, update, drifted):
    vectors, labels, _ = drifted
    said = ~np.isnan(labels)
    before, after = (
        average_precision(labels[said], one.ensemble.score(vectors[said]).margin)
        for one in (warm, update)
    )
    assert after > before + 0.1
    told = update.manifest["metrics"]
    assert told["average_precision"] > told["before_average_precision"]


def test_the_same_rows_give_the_same_files(warm, update, drifted, tmp_path):
    again = updating.update(warm, *drifted)
    first, second = (
        save(one, tmp_path / name, key=KEY) for one, name in ((update, "a"), (again, "b"))
    )
    assert first == second


def test_it_comes_back_from_disk_bit_for_bit_and_its_parts_add_up(update, drifted, tmp_path):
    vectors = drifted[0][:50]
    sha256 = save(update, tmp_path / "v2", key=KEY)
    again = load(tmp_path / "v2", key=KEY, sha256=sha256)
    assert (
        again.ensemble.score(vectors).margin.tobytes()
        == update.ensemble.score(vectors).margin.tobytes()
    )
    told = explanation.explain(again, vectors)  # refuses what does not add up
    assert np.abs(told.base + told.values.sum(axis=1) - told.margin).max() < 1e-6


def test_the_whole_says_what_champion_and_new_rounds_say_together(warm, drifted):
    vectors, labels, _ = drifted
    known = ~np.isnan(labels)
    bare, prepared = replace(warm.ensemble, preparation=None), warm.ensemble.preparation
    seen = vectors if prepared is None else prepared(vectors)
    margins = bare.score(seen).margin
    added = boosting.train(
        seen[known], labels[known], settings=updating.ROUNDS, start=margins[known]
    )
    joined = updating._joined(bare, updating._growing(bare), added, Affine(1.0, 0.0))
    assert np.allclose(joined.score(seen).margin, margins + added.raw(seen), atol=1e-9)
    assert np.ptp(added.raw(seen)) > 0


def test_members_count_and_budget_stay(warm, update):
    assert [m.name for m in update.ensemble.members] == [m.name for m in warm.ensemble.members]
    assert update.manifest["budget"] == warm.manifest["budget"]
    assert update.manifest["update"]["number"] == 1
    own, theirs = (len(one.ensemble.members[0].detector.trees.roots) for one in (update, warm))
    assert own == theirs + updating.ROUNDS.rounds


def test_the_alert_budget_holds_on_the_rows_it_was_set_on(update, drifted):
    vectors = drifted[0]
    risk = update.ensemble.score(vectors[len(vectors) // 2 :]).risk_score
    assert np.mean(risk > 0.7) < 4 * BUDGET


def test_too_few_frauds_are_told(warm, drifted):
    vectors, labels, times = drifted
    few = np.where(np.cumsum(labels == 1) > 10, 0.0, labels)
    with pytest.raises(updating.Unchanged, match="10 frauds are known"):
        updating.update(warm, vectors, few, times)


def test_a_cold_champion_cannot_be_updated(cold, drifted):
    with pytest.raises(updating.Unchanged, match="train anew"):
        updating.update(cold, *drifted)


def test_rounds_that_find_less_are_left_out_and_told(warm, drifted, monkeypatch):
    worse = updating.Judged(0.5, 0.4, np.zeros(1), np.ones(1, bool), Affine(1.0, 0.0))
    monkeypatch.setattr(updating, "_judged", lambda *_: worse)
    with pytest.raises(updating.Unchanged, match=r"0\.400 after 0\.500"):
        updating.update(warm, *drifted)


def test_a_bundle_without_a_lane_gets_none(warm, drifted):
    without = replace(warm.ensemble, lane=None)
    made = updating.update(Bundle(warm.manifest, without), *drifted)
    assert made.ensemble.lane is None
    assert made.manifest["format"] == format_of(without) < 3


def test_forests_behind_one_another_add_up(world):
    known = ~np.isnan(world.labels)
    rows, labels = world.vectors[known][:2000], world.labels[known][:2000]
    first, second = (
        boosting.train(rows, labels, settings=Settings(rounds=5), seed=seed).trees
        for seed in (1, 2)
    )
    both = extended(first, second, 0.25)
    assert np.allclose(both.raw(rows), first.raw(rows) + 0.25 * second.raw(rows), atol=1e-12)


def test_the_number_of_a_name_is_not_learnt_from(warm, drifted):
    vectors, labels, times = drifted
    told = vectors.copy()
    told[:, NOMINAL[0]] = np.where(labels == 1, 7.0, 1000.0)
    warm = Bundle(warm.manifest, replace(warm.ensemble, preparation=None))
    made = updating.update(warm, told, labels, times)
    old, new = (one.ensemble.members[0].detector.trees for one in (warm, made))
    assert NOMINAL[0] not in new.feature[len(old.feature) :]
