"""The whole engine behind one call: never an exception, never an approval by failure."""

import numpy as np
import pytest

from scoring.engine.bundle import Bundle
from scoring.engine.decision import Outcome, Policy
from scoring.engine.history import History
from scoring.engine.scorer import Scorer
from tests.engine.streams import event
from tests.engine.test_ensemble import broken


@pytest.fixture
def scorer(bundle: Bundle) -> Scorer:
    return Scorer(bundle, Policy())


def test_one_event_alone_gets_the_verdict_of_the_batch(scorer, world):
    batch = scorer.score(world.events, world.history)
    for number in range(0, len(world.events), 500):
        alone = scorer.score(world.events[number : number + 1], world.history)
        assert alone.risk_score[0] == batch.risk_score[number]
        assert alone.vectors[0].tobytes() == batch.vectors[number].tobytes()
        assert alone.verdicts[0] == batch.verdicts[number]


def test_a_replay_from_stored_vectors_finds_the_same_bits(scorer, world):
    made = scorer.score(world.events, world.history)
    stored = np.frombuffer(made.vectors.tobytes()).reshape(made.vectors.shape)
    again = scorer.rescore(world.events, stored)
    assert again.risk_score.tobytes() == made.risk_score.tobytes()
    assert again.verdicts == made.verdicts


def test_a_whole_score_is_not_degraded(scorer, world):
    scores = scorer.score(world.events, world.history)
    assert set(scores.degraded) == {""}
    assert {verdict.outcome for verdict in scores.verdicts} >= {Outcome.APPROVE, Outcome.REVIEW}


def test_without_a_model_rules_speak_and_nothing_is_approved():
    scores = Scorer(None, Policy()).score(event(units=10**9), History.none())
    assert np.isnan(scores.risk_score[0])
    assert scores.verdicts[0].outcome == Outcome.REVIEW
    assert scores.verdicts[0].reason_codes == ["HIGH_AMOUNT"]
    assert scores.degraded == ["model: none is in service"]


def test_a_failing_member_is_named_and_nothing_is_approved(warm, world):
    scorer = Scorer(Bundle(warm.manifest, broken(warm.ensemble, "boosting")), Policy())
    scores = scorer.score(world.events[:50], world.history)
    assert np.isfinite(scores.risk_score).all()
    assert all(verdict.outcome == Outcome.REVIEW for verdict in scores.verdicts)
    assert scores.degraded[0].startswith("boosting: MemoryError")


def test_failing_features_leave_rules_and_review(bundle, world, monkeypatch):
    monkeypatch.setattr("scoring.engine.features._kernel", lambda: 1 / 0)
    scores = Scorer(bundle, Policy()).score(event(mcc=7995), History.none())
    assert scores.verdicts[0].outcome == Outcome.REVIEW
    assert scores.verdicts[0].reason_codes == ["HIGH_RISK_MCC"]
    assert "features failed" in scores.degraded[0]


def test_an_ensemble_that_breaks_as_a_whole_is_named(scorer, world, monkeypatch):
    monkeypatch.setattr("scoring.engine.ensemble.Ensemble.score", lambda *_: 1 / 0)
    scores = scorer.score(world.events[:5], world.history)
    assert all(verdict.outcome == Outcome.REVIEW for verdict in scores.verdicts)
    assert scores.degraded[0].startswith("ensemble: ZeroDivisionError")


def test_failing_rules_are_named(bundle, world, monkeypatch):
    monkeypatch.setattr("scoring.engine.rules.RULES", [None])
    scores = Scorer(bundle, Policy()).score(world.events[:5], world.history)
    assert all(verdict.outcome == Outcome.REVIEW for verdict in scores.verdicts)
    assert "rules failed" in scores.degraded[0]


def test_a_person_nobody_knows_is_scored(scorer):
    scores = scorer.score(event(user=-5), History.none())
    assert 0 <= scores.risk_score[0] <= 1
    assert scores.degraded == [""]


def test_no_events_are_no_scores(scorer):
    scores = scorer.score(event()[:0], History.none())
    assert (len(scores.risk_score), scores.verdicts, scores.degraded) == (0, [], [])
