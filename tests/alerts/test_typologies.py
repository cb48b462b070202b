"""What an alert is suspected of, from what was known when its payment was scored."""

from types import SimpleNamespace

import pytest

from alerts.candidates import Candidate, Vector
from alerts.typologies import suspected
from scoring.engine.features import NAMES
from scoring.engine.register import column

# As scored: a card holder of four quiet weeks.
QUIET = {
    "history_days": 28.0,
    "transaction_count_30d": 25.0,
    "transaction_count_24h": 1.0,
    "total_amount_30d": 1_000.0,
    "total_amount_7d": 230.0,
    "total_amount_24h": 30.0,
    "amount_over_mean_30d": 1.0,
    "amount_over_median": 1.0,
    "amount_over_max_30d": 0.4,
    "max_amount_7d": 60.0,
    "time_since_last_transaction_minutes": 300.0,
}


def kind_of(amount: float, mcc: str = "5411", **features: float) -> str:
    payment = SimpleNamespace(
        mcc=mcc, amount_units=round(amount * 10_000), card_id="", device_id="", merchant_name="x"
    )
    decision = SimpleNamespace(reason_codes=[])
    return suspected(Candidate(decision, payment, QUIET | features)).typology


def test_an_ordinary_payment_is_suspected_of_nothing():
    assert kind_of(42.0) == ""


# --- structuring: below the limit, again and again, not necessarily the same sum ------------------
@pytest.mark.parametrize(
    ("amount", "mcc", "features", "suspicion"),
    [
        (9_400, "6010", {}, "STRUCTURING"),  # cash just below the limit
        (4_100, "6010", {"max_amount_7d": 3_900, "total_amount_7d": 7_000}, "STRUCTURING"),
        (4_100, "6010", {"max_amount_7d": 900, "total_amount_7d": 1_000}, ""),
        (9_200, "5944", {"max_amount_7d": 9_700}, "STRUCTURING"),  # whatever is bought, twice
        (9_200, "5944", {"max_amount_7d": 700}, ""),
        (10_000, "6010", {"max_amount_7d": 9_900, "total_amount_7d": 9_900}, ""),  # reported
        (4_100, "6010", {"max_amount_7d": 12_000, "total_amount_7d": 12_000}, ""),  # so was that
        (300, "5411", {"same_amount_count_24h": 2}, "STRUCTURING"),
    ],
)
def test_structuring(amount, mcc, features, suspicion):
    assert kind_of(amount, mcc, **features) == suspicion


# --- collusion: one merchant, several customers, round sums unlike them ---------------------------
CROWD = {
    "amount_over_mean_30d": 30.0,
    "merchant_transaction_count_24h": 3.0,
    "merchant_surge_24h": 4.0,
}


@pytest.mark.parametrize(
    ("amount", "features", "suspicion"),
    [
        (2_250, {}, "MERCHANT_COLLUSION"),
        (2_250.75, {}, ""),  # not round
        (2_250, {"merchant_transaction_count_24h": 0.0}, ""),  # nobody else was there
        (2_250, {"merchant_surge_24h": 1.1}, ""),  # as many as every day
        (2_250, {"amount_over_mean_30d": 1.5}, ""),  # as this customer always pays
        (
            2_250,
            {
                "merchant_surge_24h": 1.1,
                "merchant_known_fraud_count_30d": 3.0,
                "merchant_known_fraud_share_30d": 0.4,
            },
            "MERCHANT_COLLUSION",
        ),
    ],
)
def test_collusion(amount, features, suspicion):
    assert kind_of(amount, **(CROWD | features)) == suspicion


# --- bust-out: quiet for weeks, then everything at once, at home, own phone -----------------------
SPREE = {
    "amount_over_median": 20.0,
    "amount_over_mean_30d": 3.0,
    "transaction_count_24h": 4.0,
    "total_amount_24h": 1_500.0,
    "large_amounts_14d": 3.0,
}


@pytest.mark.parametrize(
    ("features", "suspicion"),
    [
        ({}, "BUST_OUT"),
        ({"history_days": 5.0}, ""),  # nobody knows what is usual
        ({"new_place": 1.0}, ""),  # not at home
        ({"time_since_last_transaction_minutes": 8.0}, ""),  # in haste: a thief
        ({"large_amounts_14d": 0.0}, ""),  # one dear thing
        ({"total_amount_30d": 60_000.0}, ""),  # rich people spend much
    ],
)
def test_bust_out(features, suspicion):
    assert kind_of(900.5, **(SPREE | features)) == suspicion


def test_without_a_vector_nothing_is_guessed_from_it():
    decision, payment = (
        SimpleNamespace(reason_codes=[]),
        SimpleNamespace(mcc="5411", amount_units=90_000_000),
    )
    assert suspected(Candidate(decision, payment, {})).typology == ""


def test_a_stored_vector_is_read_by_name():
    import numpy as np

    stored = np.arange(len(NAMES), dtype="<f8")
    vector = Vector(stored.tobytes())
    assert vector["history_days"] == column("history_days")
    assert list(vector) == list(NAMES)
    assert vector.get("nobody knows this", -1.0) == -1.0
