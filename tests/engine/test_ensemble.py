"""Calibration, the risk map, the label gate, and what happens when members fail."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.engine.calibration import Affine, RiskMap, platt, probability
from scoring.engine.decision import Policy
from scoring.engine.ensemble import Ensemble, Member
from scoring.engine.evaluation import calibration_error
from scoring.engine.training import LEAST_FRAUDS, Untrainable, fit
from scoring.engine.warm import LEARNERS, Judged, held_out
from scoring.engine.warm import chosen as warm_choice
from tests.engine.conftest import BUDGET, World


def test_a_cold_bundle_speaks_of_no_probability(cold, world):
    scored = cold.ensemble.score(world.vectors)
    assert (cold.kind, scored.probability, scored.failed) == ("cold", None, {})
    assert "200 are needed" in cold.manifest["note"]


def test_a_warm_bundle_is_calibrated_on_rows_it_had_not_seen(warm):
    assert warm.kind == "warm"
    assert warm.metrics["average_precision"] > 0.5
    assert warm.metrics["calibration_error"] < 0.02
    assert warm.metrics["frauds"] < warm.manifest["frauds"] / 2


def test_a_warm_bundle_finds_more_than_a_cold_one(warm):
    assert warm.metrics["average_precision"] > warm.metrics["anomaly_average_precision"]


def test_the_share_above_the_alert_cut_is_the_budget(cold, world):
    risk = cold.ensemble.score(world.vectors).risk_score
    high = Policy().high_above
    assert np.mean(risk > high) == pytest.approx(BUDGET, abs=0.002)
    assert np.mean(risk > 0.9) == pytest.approx(BUDGET / 10, abs=0.001)
    assert np.mean(risk > 0.3) == pytest.approx(BUDGET * 10, abs=0.005)


@pytest.mark.parametrize("frauds", [0, 50, LEAST_FRAUDS - 1])
def test_below_two_hundred_frauds_the_gate_stays_shut(world: World, frauds):
    labels = np.zeros(len(world.labels))
    labels[np.flatnonzero(world.labels == 1)[:frauds]] = 1
    made = fit(world.vectors, labels, world.events["time"], budget=BUDGET)
    assert made.kind == "cold"
    assert f"{frauds} frauds are known" in made.manifest["note"]


@pytest.mark.usefixtures("quick_learning")
def test_labels_that_mean_nothing_leave_the_bundle_cold_and_say_why(world: World, quick_learning):
    labels = (np.random.default_rng(1).random(len(world.labels)) < 0.05).astype(float)
    made = fit(world.vectors, labels, world.events["time"], budget=BUDGET)
    assert made.kind == "cold" or made.metrics["average_precision"] < 0.15


def test_frauds_without_genuine_rows_leave_the_bundle_cold(world: World):
    labels = np.where(world.labels == 1, 1.0, np.nan)
    made = fit(world.vectors, labels, world.events["time"], budget=BUDGET)
    assert made.kind == "cold"
    assert "genuine" in made.manifest["note"]


def test_too_few_rows_are_refused_in_words(world: World):
    with pytest.raises(Untrainable, match="at least 100"):
        fit(world.vectors[:99], None, world.events["time"][:99], budget=BUDGET)


def test_the_judged_slice_lies_after_the_learnt_one(world: World):
    held = held_out(world.labels, world.events["time"])
    times = world.events["time"]
    assert times[held.learnt].max() < times[held.judged].min()
    assert set(held.judged) <= set(held.met)
    earlier = held_out(world.labels, times, 0.5, 0.75)
    assert set(earlier.met).isdisjoint(held.met)
    assert times[earlier.learnt].max() < times[earlier.met].min()
    assert not np.isnan(world.labels[held.judged]).any()


@pytest.mark.usefixtures("quick_learning")
def test_progress_is_reported_to_the_end(world: World, quick_learning):
    seen: list[float] = []
    fit(
        world.vectors,
        world.labels,
        world.events["time"],
        budget=BUDGET,
        progress=lambda share, message: seen.append(share),
    )
    assert seen == sorted(seen)
    assert seen[-1] == 1


@settings(deadline=None)
@given(
    st.lists(st.floats(-30, 30), min_size=50, max_size=200),
    st.floats(0.001, 0.4),
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50),
)
def test_the_risk_map_rises_everywhere_and_stays_between_0_and_1(reference, budget, asked):
    risk = RiskMap.fitted(np.array(reference), budget)
    margins = np.sort(np.array(asked))
    scores = risk(margins)
    assert np.all(np.diff(scores) >= 0)
    assert scores.min() >= 0
    assert scores.max() < 1
    far_apart = np.diff(margins) > 1e-3
    assert np.all(np.diff(scores)[far_apart] > 0)


def test_the_points_of_the_risk_map_are_met_exactly():
    risk = RiskMap((-4.1, -1.3, 2.7), (0.1, 0.01, 0.001))
    assert risk(np.array([-4.1, -1.3, 2.7])).tolist() == [0.3, 0.7, 0.9]
    above = risk(np.nextafter(np.array([-1.3, 2.7]), 9))
    assert above[0] > 0.7
    assert above[1] >= 0.9


def test_equal_reference_scores_still_give_a_rising_map():
    risk = RiskMap.fitted(np.zeros(100), 0.01)
    assert risk.knots[0] < risk.knots[1] < risk.knots[2]


@pytest.mark.parametrize("budget", [0, 0.5, 1, -1])
def test_a_budget_is_a_small_share(budget):
    with pytest.raises(ValueError, match="budget"):
        RiskMap.fitted(np.arange(10.0), budget)


def test_platt_finds_the_truth_again():
    random = np.random.default_rng(4)
    raw = random.normal(0, 2, 50_000)
    labels = (random.random(50_000) < probability(1.7 * raw - 3)).astype(float)
    found = platt(raw, labels)
    assert found.slope == pytest.approx(1.7, rel=0.05)
    assert found.intercept == pytest.approx(-3, rel=0.05)
    assert calibration_error(labels, probability(found(raw))) < 0.01


def test_platt_never_turns_the_order_round():
    raw = np.linspace(-1, 1, 1_000)
    found = platt(raw, (raw < 0).astype(float))
    assert found.slope > 0
    assert probability(found(raw)).mean() == pytest.approx(0.5, abs=0.01)


class Broken:
    def raw(self, vectors):
        raise MemoryError("no memory for trees")


class Silent:
    def raw(self, vectors):
        return np.full(len(vectors), np.nan)


def broken(ensemble: Ensemble, *names: str, detector=Broken) -> Ensemble:
    members = tuple(
        Member(m.name, detector(), m.weight, m.to_odds, m.risk) if m.name in names else m
        for m in ensemble.members
    )
    return replace(ensemble, members=members)


@pytest.mark.parametrize("detector", [Broken, Silent])
def test_failing_members_are_named_and_the_reserve_stands_in(warm, world, detector):
    scored = broken(warm.ensemble, *LEARNERS, detector=detector).score(world.vectors)
    assert set(scored.failed) == set(LEARNERS)
    assert scored.probability is None
    assert np.mean(scored.risk_score > 0.7) == pytest.approx(BUDGET, abs=0.002)


def test_when_all_members_fail_there_is_no_score(warm, world):
    every = {member.name for member in warm.ensemble.members}
    scored = broken(warm.ensemble, *every).score(world.vectors[:3])
    assert set(scored.failed) == every
    assert np.isnan(scored.risk_score).all()


def test_a_failing_member_leaves_its_weight_to_the_others(warm, world):
    first, second, *_ = warm.ensemble.members
    seen = warm.ensemble.preparation(world.vectors)
    margins = [member.margins(seen) for member in (first, second)]
    mean = first.weight * margins[0] + second.weight * margins[1]
    assert np.allclose(warm.ensemble.score(world.vectors).margin, mean)
    half = broken(warm.ensemble, "boosting").score(world.vectors)
    assert list(half.failed) == ["boosting"]
    assert np.allclose(half.margin, margins[1])


def test_a_learner_that_collapsed_is_left_out_and_named():
    fallen, steady, plain = (
        Judged(name, np.zeros(1), reached)
        for name, reached in (("boosting", 0.2), ("extra_trees", 0.55), ("logistic", 0.6))
    )
    note, kept = warm_choice([fallen, steady, plain], 0.3)
    assert [one.name for one in kept] == ["extra_trees"]
    assert "Boosted trees (AP 0.200)" in note
    note, kept = warm_choice([fallen, fallen, plain], 0.3)
    assert [one.name for one in kept] == ["logistic"]
    note, kept = warm_choice([fallen, fallen, fallen], 0.5)
    assert not kept
    assert "labels taught less" in note


def test_an_affine_map_keeps_the_order():
    assert Affine(2, 1)(np.array([0.0, 1.0])).tolist() == [1, 3]
