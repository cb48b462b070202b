"""Explanations add up, and their sentences say what can be checked."""

import numpy as np
import pytest

from scoring.engine.bundle import Bundle
from scoring.engine.explanation import explain, sentence_of, sentences
from scoring.engine.features import FEATURES, NAMES, column


def test_contributions_add_up_to_the_margin(bundle: Bundle, world):
    found = explain(bundle, world.vectors[:200])
    assert np.abs(found.base + found.values.sum(axis=1) - found.margin).max() < 1e-6
    scored = bundle.ensemble.score(world.vectors[:200])
    assert np.array_equal(found.margin, scored.margin)


def test_unknown_values_are_explained_too(bundle: Bundle, world):
    rows = np.full((3, len(FEATURES)), np.nan)
    found = explain(bundle, rows)
    assert np.abs(found.base + found.values.sum(axis=1) - found.margin).max() < 1e-6
    for vector, values in zip(rows, found.values, strict=True):
        assert all("not known" in told["sentence"] for told in sentences(vector, values))


def test_contributions_that_miss_the_score_are_refused(bundle: Bundle, world, monkeypatch):
    wrong = (0.0, np.zeros((5, len(FEATURES))))
    monkeypatch.setattr(type(bundle.ensemble), "contributions", lambda self, vectors: wrong)
    with pytest.raises(ArithmeticError, match="miss the score"):
        explain(bundle, world.vectors[:5])


def test_the_reasons_of_a_fraud_raise_its_risk(warm: Bundle, world):
    scored = warm.ensemble.score(world.vectors)
    worst = int(np.argmax(scored.margin))
    found = explain(warm, world.vectors[worst : worst + 1])
    told = sentences(world.vectors[worst], found.values[0], top=3)
    assert len(told) == 3
    assert told[0]["direction"] == "raises"
    strengths = [abs(one["contribution"]) for one in told]
    assert strengths == sorted(strengths, reverse=True)


def test_every_feature_has_a_sentence_for_every_value(world):
    for vector in (*world.vectors[:20], np.zeros(len(FEATURES)), np.full(len(FEATURES), 1e9)):
        for feature in FEATURES:
            sentence = sentence_of(feature, vector)
            assert sentence.endswith(".")
            assert "{" not in sentence


def vector(**values: float):
    made = np.full(len(FEATURES), np.nan)
    for name, number in values.items():
        made[column(name)] = number
    return made


@pytest.mark.parametrize(
    "name, values, sentence",
    [
        ("amount_over_mean_30d", {"amount_over_mean_30d": 3.1, "mean_amount_30d": 1234},
         "The amount is 3.1 × the user's 30-day mean. That mean is 1,234.00."),
        ("new_device", {"new_device": 1}, "The device is new for the user."),
        ("new_device", {"new_device": 0}, "The device is not new for the user."),
        ("day_of_week", {"day_of_week": 3}, "It happened on a Thursday."),
        ("time_since_last_transaction_minutes", {"time_since_last_transaction_minutes": 0.5},
         "The user's last transaction was 30 seconds before."),
        ("hour", {"hour": 3}, "It happened in the hour from 03:00 local time."),
        ("new_place", {}, "The user has not paid in this place in 30 days: not known."),
    ],
)  # fmt: skip
def test_sentences(name, values, sentence):
    assert sentence_of(FEATURES[column(name)], vector(**values)) == sentence


def test_the_same_sentence_is_told_once():
    strengths = np.zeros(len(FEATURES))
    strengths[[column("amount"), column("amount_log")]] = 2, 1
    told = sentences(vector(amount=5, amount_log=1.8), strengths)
    assert [one["feature"] for one in told] == ["amount"]


def test_a_small_contribution_is_no_reason():
    assert sentences(vector(amount=5), np.full(len(NAMES), 0.001)) == []
