"""Costs: every sum beside one worked out by hand."""

from dataclasses import replace
from math import isclose, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.engine.costs import Costs, Counted, confidence, cost_of, wrong

OWN = Costs(
    loss_share=0.8,
    recovery=0.25,
    missed_fee=15,
    review_cost=6,
    friction_review=3,
    friction_block=30,
    sure_critical=0.6,
    sure_high=0.3,
    sure_below=0.1,
)


def sure(**asked: object) -> float:
    known = {"level": "HIGH", "score": 0.8, "probability": None, "codes": []}
    return confidence(OWN, **{**known, **asked})  # type: ignore[arg-type]


def test_a_missed_fraud_costs_what_stays_lost_and_the_fee():
    assert OWN.net_loss(1000) == pytest.approx(1000 * 0.8 * 0.75 + 15)
    assert Costs().net_loss(100) == 120


def test_the_expected_loss_is_the_net_loss_times_the_probability():
    assert OWN.expected_loss(1000, 0.2) == pytest.approx(0.2 * 615)
    assert OWN.expected_loss(1000, nan) == OWN.net_loss(1000), "unknown is as good as sure"


def test_a_review_pays_from_where_saving_equals_work_and_friction():
    least = OWN.break_even(1000)
    assert least == pytest.approx(9 / 618)
    assert isclose(least * 615, 6 + (1 - least) * 3)


def test_nothing_to_save_never_pays():
    free = replace(OWN, loss_share=0, missed_fee=0, friction_review=0)
    assert free.break_even(1000) is None


def test_a_calibrated_probability_counts_as_it_is():
    assert sure(probability=0.42) == 0.42
    assert sure(probability=0.42, level="CRITICAL", codes=["UNUSUAL_HOUR"]) == 0.42


def test_without_one_the_level_says_and_higher_scores_say_more():
    assert sure(score=0.8) == pytest.approx(0.3 + 0.3 * 0.8)
    assert sure(level="CRITICAL", score=1.0) == 1.0
    assert sure(level="LOW", score=0.5) == pytest.approx(0.05)
    assert sure(score=0.75) < sure(score=0.85) < sure(level="CRITICAL", score=0.9)


@pytest.mark.parametrize("code", ["HIGH_AMOUNT", "VELOCITY_MULTI_CITY", "DENY_LIST", "NOVELTY"])
def test_what_asked_for_a_person_by_itself_is_not_sunk_by_a_low_probability(code):
    assert sure(probability=0.001, codes=[code]) == pytest.approx(0.3 + 0.3 * 0.8)
    assert sure(probability=0.9, codes=[code]) == 0.9


def test_without_a_score_one_is_sure():
    assert sure(score=nan) == 1.0


def test_a_bill_by_hand():
    counted = Counted(
        alerts=10, held=6, blocked=2, missed=3, missed_amount=900, stopped=2, stopped_amount=500
    )
    bill = cost_of(OWN, counted)
    assert bill.prevented == pytest.approx(500 * 0.6 + 2 * 15)
    assert bill.missed == pytest.approx(900 * 0.6 + 3 * 15)
    assert (bill.review, bill.friction) == (10 * 6, 6 * 3 + 2 * 30)
    assert bill.total == pytest.approx(585 + 60 + 78)
    assert bill.saved == pytest.approx(330 - 60 - 78)


@pytest.mark.parametrize(
    "field, value",
    [("loss_share", 1.1), ("recovery", -0.1), ("review_cost", -1), ("sure_high", 0.9)],
)
def test_what_makes_no_sense_is_named(field, value):
    assert field in wrong(replace(OWN, **{field: value}))


def test_a_fraud_that_costs_nothing_orders_nothing():
    assert "loss_share" in wrong(replace(OWN, recovery=1.0, missed_fee=0))
    assert wrong(OWN) == wrong(Costs()) == {}


@given(st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 1))
def test_more_money_and_more_certainty_are_never_less_urgent(amount, low, high):
    low, high = sorted((low, high))
    assert OWN.expected_loss(amount, low) <= OWN.expected_loss(amount, high)
    assert OWN.expected_loss(amount, low) <= OWN.expected_loss(amount + 1, low)


def test_figures_of_another_release_are_read():
    assert Costs.from_dict({"review_cost": 7, "of_later": 1}) == Costs(review_cost=7)
