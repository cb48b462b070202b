"""The novelty lane: its share and no more, for review and no more, and never against a list."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.engine import explanation, lane
from scoring.engine.bundle import Bundle, load, save
from scoring.engine.calibration import RiskMap
from scoring.engine.decision import ALLOW, DENY, NOVELTY, Hit, Policy, decide
from scoring.engine.ensemble import Member
from scoring.engine.lists import Entry, Lists
from scoring.engine.scorer import Scorer
from scoring.engine.training import fit
from tests.engine.conftest import BUDGET
from tests.engine.test_bundle import KEY

POLICY = Policy()


class Column:
    """A detector whose raw score is the first column."""

    def raw(self, vectors):
        return vectors[:, 0]


def member() -> Member:
    return Member("one_sided", Column(), 0.0, lambda raw: raw, RiskMap((0, 1, 2), (0.1, 0.1, 0.1)))


@pytest.fixture(scope="module")
def scorer(warm: Bundle) -> Scorer:
    return Scorer(warm, POLICY)


@pytest.fixture(scope="module")
def scores(scorer, world):
    return scorer.score(world.events, world.history)


def came_in(scores) -> np.ndarray:
    return np.array([NOVELTY in verdict.reason_codes for verdict in scores.verdicts])


@settings(deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(50, 3000),
    st.floats(0.005, 0.3),
    st.floats(0, lane.MOST),
    st.integers(1, 2000),
)
def test_model_and_lane_together_raise_the_budget_and_the_lane_its_share(
    seed, rows, budget, share, steps
):
    chance = np.random.default_rng(seed)  # few steps make many equal values
    margins, tails = np.floor(chance.normal(0, steps, (2, rows)))
    risk, aside = lane.parted(member(), tails[:, None], margins, budget=budget, share=share)
    by_model = risk(margins) > lane.CUT
    assert by_model.sum() <= np.ceil(budget * rows)
    if aside is None:
        assert int(budget * share * rows) < 1 or share * budget > 0.2
        return
    by_lane = (aside.risk(tails) > lane.CUT) & ~by_model
    assert by_lane.sum() <= budget * share * rows
    assert by_model.sum() + by_lane.sum() <= np.ceil(budget * rows)


def test_the_lane_raises_about_its_share(scores, warm):
    promised = BUDGET * warm.ensemble.lane.share
    assert 0.3 * promised < came_in(scores).mean() < 3 * promised


def test_what_comes_in_by_the_lane_is_for_review_and_says_so(scores):
    rows = np.flatnonzero(came_in(scores))
    assert len(rows)
    for row in rows:
        verdict = scores.verdicts[row]
        assert (verdict.level, verdict.outcome) == ("HIGH", "REVIEW")
        assert scores.risk_score[row] < POLICY.high_above
        hit = scores.hits[row][-1]
        assert hit.code == NOVELTY
        assert hit.observed > hit.limit == lane.CUT
        assert "unlike nearly all payments" in hit.sentence


def test_without_the_lane_every_other_decision_is_the_same(scores, warm, world):
    closed = Bundle(warm.manifest, replace(warm.ensemble, lane=None))
    without = Scorer(closed, POLICY).score(world.events, world.history)
    inside = came_in(scores)
    for row, verdict in enumerate(without.verdicts):
        if not inside[row]:
            assert verdict == scores.verdicts[row]
    assert without.risk_score.tobytes() == scores.risk_score.tobytes()


@pytest.mark.parametrize("code", [DENY, "HIGH_AMOUNT", "VELOCITY_MULTI_CITY"])
def test_what_is_raised_already_gets_no_second_reason(code):
    hits = [[Hit(code, "", 1, 0)], [Hit("UNUSUAL_HOUR", "", 1, 0)]]
    found = lane.with_novelty(hits, np.array([0.99, 0.99]), np.array([0.2, 0.2]), POLICY)
    assert [hit.code for hit in found[0]] == [code]
    assert [hit.code for hit in found[1]] == ["UNUSUAL_HOUR", NOVELTY]


@pytest.mark.parametrize("risk", [0.7, 0.71, 0.95, np.nan])
def test_what_the_score_raises_or_cannot_tell_is_left_alone(risk):
    assert lane.with_novelty([[]], np.array([0.99]), np.array([risk]), POLICY) == [[]]


@pytest.mark.parametrize("novelty", [0.0, 0.5, 0.7])
def test_the_cut_itself_is_not_above_it(novelty):
    assert lane.with_novelty([[]], np.array([novelty]), np.array([0.1]), POLICY) == [[]]


@pytest.mark.parametrize("score", [0.0, 0.29, 0.5, 0.7])
@pytest.mark.parametrize("amount", [1, 50_000])
def test_the_lane_alone_never_blocks(score, amount):
    hits = [Hit(NOVELTY, "", 1, 0)]
    verdict = decide(score=score, hits=hits, amount=amount, policy=POLICY)
    assert verdict.outcome == "REVIEW" or (score, amount) == (0.7, 50_000)


def test_the_allow_list_keeps_somebody_out_of_the_lane_and_is_named(scores, warm, world):
    row = int(np.flatnonzero(came_in(scores))[0])
    user = int(world.events["user"][row])
    allowed = Scorer(warm, POLICY, Lists([Entry(3, ALLOW, "user", user)]))
    again = allowed.rescore(world.events[row : row + 1], scores.vectors[row : row + 1])
    assert again.verdicts[0].outcome == "APPROVE"
    assert again.verdicts[0].reason_codes[0] == ALLOW
    assert NOVELTY in again.verdicts[0].reason_codes


def test_a_lane_that_breaks_approves_nothing(warm, world, monkeypatch):
    monkeypatch.setattr("scoring.engine.ensemble.Ensemble.novelty", lambda *_: 1 / 0)
    scores = Scorer(warm, POLICY).score(world.events[:20], world.history)
    assert {verdict.outcome for verdict in scores.verdicts} <= {"REVIEW", "BLOCK"}
    assert scores.degraded[0].startswith("novelty lane: ZeroDivisionError")


def test_the_parts_of_the_lane_add_up_to_its_own_margin(scores, warm, world):
    rows = np.flatnonzero(came_in(scores))
    told = explanation.explain(warm, scores.vectors[rows], novel=True)
    own = warm.ensemble.lane.member.margins(scores.vectors[rows])
    assert np.abs(told.base + told.values.sum(axis=1) - own).max() < 1e-6
    assert (told.values >= 0).all(), "a tail says how rare, and nothing is rarer than not at all"
    lines = explanation.sentences(scores.vectors[rows[0]], told.values[0])
    assert lines
    assert {line["direction"] for line in lines} == {"raises"}


def test_the_lane_is_kept_with_the_bundle(scores, warm, world, tmp_path):
    folder = tmp_path / "v1"
    again = load(folder, key=KEY, sha256=save(warm, folder, key=KEY))
    assert again.ensemble.lane.share == warm.ensemble.lane.share
    assert again.manifest["format"] == 3
    same = Scorer(again, POLICY).rescore(world.events, scores.vectors)
    assert same.verdicts == scores.verdicts
    assert same.hits == scores.hits


def test_a_bundle_of_before_has_no_lane_and_decides_as_it_did(warm, world, tmp_path):
    before = Bundle({**warm.manifest, "format": 1}, replace(warm.ensemble, lane=None))
    folder = tmp_path / "v1"
    again = load(folder, key=KEY, sha256=save(before, folder, key=KEY))
    assert again.ensemble.lane is None
    made, found = (
        Scorer(one, POLICY).score(world.events, world.history) for one in (before, again)
    )
    assert made.verdicts == found.verdicts
    assert not came_in(found).any()


@pytest.mark.usefixtures("quick_learning")
def test_a_share_of_nothing_is_no_lane_and_leaves_the_model_the_whole_budget(world):
    made = fit(world.vectors, world.labels, world.events["time"], budget=BUDGET, novelty=0)
    assert made.ensemble.lane is None
    assert made.manifest["format"] < 3
    assert made.ensemble.risk.shares[1] == BUDGET


def test_a_cold_bundle_needs_no_lane_because_its_score_is_one(cold):
    assert cold.ensemble.lane is None


@pytest.mark.parametrize("share", [-0.1, 0.51, 1])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="share"):
        lane.parted(member(), np.zeros((9, 1)), np.zeros(9), budget=0.1, share=share)
