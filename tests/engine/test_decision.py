"""The decision table and the rules, at their exact boundaries."""

from datetime import UTC, datetime

import numpy as np
import pytest

from scoring.engine.decision import (
    ALLOW,
    DENY,
    Hit,
    Level,
    Outcome,
    Policy,
    decide,
    decide_each,
    level_of,
)
from scoring.engine.features import compute
from scoring.engine.history import History
from scoring.engine.rules import RULES, hits
from scoring.engine.transaction import UNITS, microseconds, offset_seconds
from tests.engine.streams import SECOND, START, event, stream

POLICY = Policy()
ABOVE = float(np.nextafter(0.7, 1))


def hit(code: str) -> Hit:
    return Hit(code, "…", 1, 0)


def verdict(score, *codes: str, amount: float = 10, degraded: str = ""):
    found = decide(
        score=score,
        hits=[hit(code) for code in codes],
        amount=amount,
        policy=POLICY,
        degraded=degraded,
    )
    assert found.reason_codes == list(codes)
    return str(found.level), str(found.outcome)


@pytest.mark.parametrize(
    "score, level, outcome",
    [
        (0.0, "LOW", "APPROVE"), (0.15, "LOW", "APPROVE"), (0.234, "LOW", "APPROVE"),
        (0.2999, "LOW", "APPROVE"), (0.3, "MEDIUM", "APPROVE"), (0.42, "MEDIUM", "APPROVE"),
        (0.7, "MEDIUM", "APPROVE"), (ABOVE, "HIGH", "REVIEW"), (0.7000001, "HIGH", "REVIEW"),
        (0.9, "HIGH", "REVIEW"), (0.9000001, "CRITICAL", "BLOCK"), (1.0, "CRITICAL", "BLOCK"),
    ],
)  # fmt: skip
def test_a_score_alone(score, level, outcome):
    assert verdict(score) == (level, outcome)
    assert level_of(score, POLICY) == level


@pytest.mark.parametrize("score", [0.0, 0.5, 0.8, 0.95, 1.0])
@pytest.mark.parametrize("codes", [(), ("HIGH_AMOUNT",), ("UNUSUAL_HOUR",)])
def test_degraded_is_review_whatever_else(score, codes):
    assert verdict(score, *codes, degraded="boosting: failed", amount=99_999)[1] == "REVIEW"


@pytest.mark.parametrize("score", [None, float("nan")])
def test_no_score_is_review_even_when_nobody_says_degraded(score):
    assert verdict(score) == ("HIGH", "REVIEW")
    assert verdict(score, amount=0) == ("HIGH", "REVIEW")


@pytest.mark.parametrize(
    "score, amount, level",
    [(0.7, 10_000, "CRITICAL"), (0.7, 9_999.99, "MEDIUM"), (0.6999, 10_000, "MEDIUM"),
     (0.8, 10_000, "CRITICAL"), (0.8, 9_999.99, "HIGH")],
)  # fmt: skip
def test_a_very_high_value_anomaly_is_critical(score, amount, level):
    assert verdict(score, amount=amount)[0] == level


@pytest.mark.parametrize("code", ["HIGH_AMOUNT", "VELOCITY_MULTI_CITY"])
def test_a_raising_rule_alone_is_high_and_reviewed(code):
    assert verdict(0.01, code) == ("HIGH", "REVIEW")
    assert verdict(0.95, code) == ("CRITICAL", "BLOCK")


@pytest.mark.parametrize("code", ["UNUSUAL_HOUR", "HIGH_RISK_MCC"])
def test_another_rule_alone_is_a_reason_only(code):
    assert verdict(0.01, code) == ("LOW", "APPROVE")
    assert verdict(0.8, code) == ("HIGH", "REVIEW")


def test_a_policy_survives_being_stored():
    policy = Policy(high_amount=5, high_risk_mcc=("7995",))
    assert Policy.from_dict(policy.as_dict()) == policy


def codes(rows, policy: Policy = POLICY) -> list[str]:
    vectors = compute(rows, History.of(rows))
    return [found.code for found in hits(rows, vectors, policy)[-1]]


@pytest.mark.parametrize(
    "cents, fires", [(1_000_000, False), (1_000_001, True), (999_999, False), (0, False)]
)
def test_high_amount_begins_a_cent_above_the_limit(cents, fires):
    assert ("HIGH_AMOUNT" in codes(event(units=cents * UNITS // 100, offset=36_000))) == fires


@pytest.mark.parametrize(
    "places, fires",
    [
        ([1, 2, 3], False),  # three in a minute never
        ([1, 1, 1, 1], False),  # four in one city never
        ([1, 1, 1, 2], True),
        ([1, 2, 2, 2], True),
        ([0, 0, 0, 1], False),  # unknown is no city
        ([1, 2, 3, 4, 5], True),
    ],
)
def test_velocity_needs_four_in_a_minute_and_two_cities(places, fires):
    rows = [event(time=START + number * SECOND, place=place) for number, place in enumerate(places)]
    assert ("VELOCITY_MULTI_CITY" in codes(stream(*rows))) == fires


@pytest.mark.parametrize("last, fires", [(60 * SECOND - 1, True), (60 * SECOND, False)])
def test_the_minute_of_velocity_is_a_sliding_one(last, fires):
    places = [1, 2, 1]
    rows = [event(time=START + number, place=place) for number, place in enumerate(places)]
    rows.append(event(time=START + last, place=1))
    assert ("VELOCITY_MULTI_CITY" in codes(stream(*rows))) == fires


def test_velocity_is_of_one_user():
    rows = [event(time=START + user, user=user, place=user) for user in range(1, 6)]
    assert codes(stream(*rows)) == []


HOURS = [("01:59:59", False), ("02:00:00", True), ("04:59:59", True), ("05:00:00", False)]


@pytest.mark.parametrize("clock, fires", HOURS)
@pytest.mark.parametrize(
    "zone, day",
    [
        ("UTC", "2026-01-14"), ("Asia/Kolkata", "2026-01-14"), ("America/New_York", "2026-03-08"),
        ("America/New_York", "2026-11-01"), ("Europe/Berlin", "2024-02-29"),
        ("Asia/Kathmandu", "2025-12-31"), ("Pacific/Auckland", "2026-01-01"),
    ],
)  # fmt: skip
def test_the_unusual_hours_are_those_of_the_entitys_clocks(clock, fires, zone, day):
    from scoring.engine.fields import moment

    when = moment(f"{day}T{clock}", zone)
    if zone == "America/New_York" and day == "2026-03-08" and clock == "02:00:00":
        return  # that hour does not exist there on that day
    row = event(time=microseconds(when), offset=offset_seconds(zone, when))
    assert ("UNUSUAL_HOUR" in codes(row)) == fires


def test_unusual_hours_may_span_midnight():
    late = Policy(unusual_from=22, unusual_until=5)
    at = microseconds(datetime(2026, 1, 14, tzinfo=UTC))
    hour = 3_600 * SECOND
    fired = [bool(codes(event(time=at + number * hour), late)) for number in range(24)]
    assert [number for number, yes in enumerate(fired) if yes] == [0, 1, 2, 3, 4, 22, 23]


def test_a_listed_merchant_code_and_none():
    assert codes(event(mcc=7995)) == ["HIGH_RISK_MCC"]
    assert codes(event(mcc=5411)) == []
    assert codes(event(mcc=0), Policy(high_risk_mcc=("0000",))) == []


def test_rules_work_without_a_vector():
    rows = event(units=10**9, mcc=7995)
    unknown = np.full_like(compute(rows, History.none()), np.nan)
    assert [found.code for found in hits(rows, unknown, POLICY)[0]] == [
        "HIGH_AMOUNT",
        "HIGH_RISK_MCC",
    ]


def test_a_hit_says_what_it_compared():
    rows = event(units=12_345 * UNITS)
    found = hits(rows, compute(rows, History.none()), POLICY)[0][0]
    assert (found.observed, found.limit) == (12_345, 10_000)
    assert found.sentence == "The amount of 12,345.00 is above the limit of 10,000.00."


def test_every_rule_explains_itself():
    assert all(rule.meaning.endswith(".") for rule in RULES)
    assert {rule.code for rule in RULES if rule.raises} == {"HIGH_AMOUNT", "VELOCITY_MULTI_CITY"}


def test_every_level_has_an_outcome():
    from scoring.engine.decision import OUTCOMES

    assert set(OUTCOMES) == set(Level)
    assert set(OUTCOMES.values()) == set(Outcome)


def test_many_at_once_get_the_verdict_each_gets_alone():
    chance = np.random.default_rng(5)
    scores = [*chance.random(300).tolist(), 0.3, 0.7, ABOVE, 0.9, 1.0, 0.0, float("nan")]
    codes = ["HIGH_AMOUNT", "UNUSUAL_HOUR", DENY, ALLOW]
    fired = [[hit(code) for code in codes if chance.random() < 0.1] for _ in scores]
    amounts = chance.choice([5.0, 9_999.99, 10_000.0, 50_000.0], len(scores)).tolist()
    for degraded in ("", "boosting: failed"):
        rows = zip(scores, fired, amounts, strict=True)
        alone = [
            decide(score=score, hits=hits, amount=amount, policy=POLICY, degraded=degraded)
            for score, hits, amount in rows
        ]
        assert decide_each(scores, fired, amounts, policy=POLICY, degraded=degraded) == alone
