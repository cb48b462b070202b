"""Explanations add up, and their sentences say what can be checked."""

import re
from dataclasses import replace

import numpy as np
import pytest

from scoring.engine.bundle import Bundle
from scoring.engine.explanation import explain, sentences
from scoring.engine.features import FEATURES, NAMES, column
from scoring.engine.wording import sentence_of


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
    monkeypatch.setattr(type(bundle.ensemble), "contributions", lambda self, vectors, **_: wrong)
    with pytest.raises(ArithmeticError, match="miss the score"):
        explain(bundle, world.vectors[:5])


class Wordless:
    """Scores as before, and cannot say why."""

    def __init__(self, detector, parts):
        self.raw, self.parts = detector.raw, parts

    def contributions(self, vectors):
        return self.parts(vectors)


def raising(vectors):
    raise MemoryError("no memory for paths")


def nothing(vectors):
    return 0.0, np.full(vectors.shape, np.nan)


@pytest.mark.parametrize(
    "parts, why", [(raising, "MemoryError: no memory for paths"), (nothing, "not a number")]
)
def test_a_member_that_cannot_say_why_is_named_and_scores_on(warm: Bundle, world, parts, why):
    first, *others = warm.ensemble.members
    mute = replace(first, detector=Wordless(first.detector, parts))
    ensemble = replace(warm.ensemble, members=(mute, *others))
    with pytest.raises(ArithmeticError, match=f"{first.name}: .*{why}"):
        explain(replace(warm, ensemble=ensemble), world.vectors[:5])
    before = warm.ensemble.score(world.vectors[:5])
    assert np.array_equal(ensemble.score(world.vectors[:5]).margin, before.margin)


@pytest.mark.parametrize("broken", [1, 2])
def test_what_the_working_members_said_is_explained(warm: Bundle, world, broken):
    """Their weight goes to the others; when nobody is left, the reserve is explained."""
    members = tuple(
        replace(member, detector=Wordless(Unable(), raising)) if place < broken else member
        for place, member in enumerate(warm.ensemble.members)
    )
    half = replace(warm, ensemble=replace(warm.ensemble, members=members))
    found = explain(half, world.vectors[:50])
    assert np.abs(found.base + found.values.sum(axis=1) - found.margin).max() < 1e-6


def test_where_nobody_can_score_nothing_is_explained(warm: Bundle, world):
    mute = [replace(one, detector=Wordless(Unable(), raising)) for one in warm.ensemble.members]
    with pytest.raises(ArithmeticError, match="no member"):
        explain(replace(warm, ensemble=replace(warm.ensemble, members=tuple(mute))),
                world.vectors[:2])  # fmt: skip


class Unable:
    def raw(self, vectors):
        raise MemoryError("no memory for trees")


def test_the_reasons_of_a_fraud_raise_its_risk(warm: Bundle, world):
    scored = warm.ensemble.score(world.vectors)
    worst = int(np.argmax(scored.margin))
    found = explain(warm, world.vectors[worst : worst + 1])
    told = sentences(world.vectors[worst], found.values[0], top=3)
    assert len(told) == 3
    assert told[0]["direction"] == "raises"
    strengths = [abs(one["contribution"]) for one in told]
    assert strengths == sorted(strengths, reverse=True)


ODD = {
    "a field left open": r"[{}]",
    "no number": r"(?i)\b(nan|inf|infinity|none)\b",
    "a zero with a sign": r"[-+]0(\.0+)?(?![.\d])",
    "one of many": r"\b1 (payments|transactions|days|hours|minutes|seconds|users|cards)\b",
    "digits in one heap": r"\d{4,}",
    "a unit without a number": r"\b(over|within|in) (minute|hour)\b",
    "two spaces or stops": r"  |\.\.|:\s*\.",
}
ORDINARY = (0.0, -0.0, 0.004, 0.04, 0.4, 1.0, 1.2, 2.0, 3.46, 23.0, 400.0)
EXTREME = (1e9, -1e9, -1e-9, 1e-300, np.inf, -np.inf, np.nan)


@pytest.mark.parametrize("beside", ["the same", "unknown", "zero"])
@pytest.mark.parametrize("value", ORDINARY + EXTREME)
def test_every_feature_has_a_plain_sentence_for_every_value(value, beside):
    others = {"the same": value, "unknown": np.nan, "zero": 0.0}[beside]
    for feature in FEATURES:
        row = np.full(len(FEATURES), others)
        row[column(feature.name)] = value
        sentence = sentence_of(feature, row)
        assert sentence.endswith("."), sentence
        assert sentence[0].isupper() or sentence[0].isdigit() or sentence[0] in "-+", sentence
        for what, pattern in ODD.items():
            assert not re.search(pattern, sentence), (what, feature.name, sentence)


def test_a_baseline_is_another_feature_of_the_register():
    told = [feature for feature in FEATURES if feature.baseline]
    assert len(told) > 40
    for feature in told:
        assert feature.baseline in NAMES
        assert feature.baseline != feature.name
        assert re.search(r"{(value|usual|duration)", feature.baseline_phrase)


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
        ("amount", {"amount": 5000, "mean_amount_30d": 81.5},
         "The amount is 5,000.00. The user's 30-day mean is 81.50."),
        ("amount_over_median", {"amount_over_median": 4, "amount": 200},
         "The amount is 4.0 × the user's median. That median is 50.00."),
        ("amount_zscore_30d", {"amount_zscore_30d": -2.14, "mean_amount_30d": 90},
         "The amount lies 2.1 standard deviations below the user's 30-day mean. "
         "That mean is 90.00."),
        ("transaction_count_1h", {"transaction_count_1h": 6, "transaction_count_30d": 1210},
         "Transactions of the user in the hour before: 6. In 30 days: 1,210."),
        ("known_fraud_days", {"known_fraud_days": 0.125},
         "The user's last known fraud was 3 hours before."),
        ("merchant_known_fraud_share_30d", {"merchant_known_fraud_share_30d": 0.004},
         "Less than 1 % of the merchant's payments in 30 days are known to be fraud."),
        ("history_days", {"history_days": 1}, "The user's known history spans one day."),
        ("amount_back_1", {"amount_back_1": 12},
         "One payment before the user paid 12.00."),
        ("minutes_back_2", {"minutes_back_2": 90},
         "The user's payment 2 payments before this one was 90 minutes earlier."),
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
