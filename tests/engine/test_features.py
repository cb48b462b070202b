"""Features: against plain Python and pandas, one row against many, and never from the future."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from scoring.engine import features, kernel
from scoring.engine.features import FEATURES, NAMES, column, compute, spec_id
from scoring.engine.history import FOREVER, KINDS, History
from scoring.engine.names import channel_number
from tests.engine import naive
from tests.engine.streams import (
    DAY,
    HOUR,
    SECOND,
    START,
    crowd,
    event,
    frauds_of,
    stream,
    streams_with_frauds,
)

CALM = settings(max_examples=150, deadline=None)


def value(rows, name: str, number: int = -1) -> float:
    return float(compute(rows, History.of(rows))[number, column(name)])


@CALM
@given(streams_with_frauds())
def test_every_feature_is_what_plain_python_says(given):
    rows, frauds = given
    vectors = compute(rows, History.of(rows, frauds))
    for row, vector in zip(rows, vectors, strict=True):
        expected = naive.describe(rows, row, frauds)
        assert set(expected) == set(NAMES)
        said = np.array([expected[name] for name in NAMES])
        near = np.isclose(vector, said, rtol=1e-9, atol=1e-6, equal_nan=True)
        wrong = [(NAMES[at], vector[at], said[at]) for at in np.flatnonzero(~near)]
        assert not wrong


@CALM
@given(streams_with_frauds())
def test_one_event_alone_gives_the_bits_of_the_batch(given):
    rows, frauds = given
    batch = compute(rows, History.of(rows, frauds))
    for number in range(len(rows)):
        own = rows[number : number + 1]
        related = np.any([rows[entity] == own[entity] for entity in KINDS], axis=0)
        wanted = [(kind, int(own[entity][0])) for entity, kind in KINDS.items()]
        pairs = zip(frauds["kind"].tolist(), frauds["key"].tolist(), strict=True)
        named = np.array([pair in wanted for pair in pairs], bool)
        alone = compute(own, History.of(rows[related], frauds[named]))
        assert alone.tobytes() == batch[number].tobytes()


@CALM
@given(streams_with_frauds())
def test_nothing_at_or_after_an_event_changes_its_vector(given):
    """Payments that follow, labels that become known later, and corrections that come later."""
    rows, frauds = given
    batch = compute(rows, History.of(rows, frauds))
    for number, own in enumerate(rows):
        earlier = (rows["time"] < own["time"]) | (
            (rows["time"] == own["time"]) & (rows["id"] < own["id"])
        )
        heard = frauds[frauds["known"] <= own["time"]].copy()
        heard["until"] = np.where(heard["until"] > own["time"], FOREVER, heard["until"])
        masked = compute(rows[number : number + 1], History.of(rows[earlier], heard))
        assert masked.tobytes() == batch[number].tobytes()


def test_the_order_in_which_rows_arrive_changes_nothing():
    rows = crowd(400)
    shuffled = np.random.default_rng(3).permutation(rows)
    first, second = compute(rows, History.of(rows)), compute(rows, History.of(shuffled))
    assert first.tobytes() == second.tobytes()


def test_windows_agree_with_pandas():
    rows = crowd(3_000)
    vectors = compute(rows, History.of(rows))
    frame = pd.DataFrame(
        {"user": rows["user"], "amount": rows["units"] / 10_000},
        index=pd.to_datetime(rows["time"] * 1_000, unit="ns"),
    )
    for window, span in {"1h": "1h", "24h": "24h", "7d": "7D", "30d": "30D"}.items():
        parts = []
        for _, own in frame.groupby("user"):
            # closed="right" holds the event itself, so it is taken away by hand below
            rolling = own["amount"].rolling(span, closed="right")
            parts.append(pd.DataFrame({"count": rolling.count() - 1, "sum": rolling.sum()}))
        expected = pd.concat(parts).sort_index()
        order = np.argsort(rows["time"], kind="stable")
        amounts = vectors[order, column("amount")]
        count = vectors[order, column(f"transaction_count_{window}")]
        total = vectors[order, column(f"total_amount_{window}")]
        assert np.array_equal(count, expected["count"].to_numpy())
        assert np.allclose(total + amounts, expected["sum"].to_numpy(), atol=1e-6)


def test_no_history_is_unknown_and_not_zero():
    rows = event(merchant=3)
    assert value(rows, "transaction_count_30d") == 0
    for name in ("mean_amount_30d", "std_amount_30d", "new_merchant", "location_distance_km"):
        assert np.isnan(value(rows, name)), name


def test_the_spread_of_one_amount_is_unknown():
    rows = stream(event(time=START - HOUR), event())
    assert np.isnan(value(rows, "std_amount_24h"))
    assert value(rows, "mean_amount_24h") == 100


def test_two_events_at_the_same_instant_are_ordered_by_their_number():
    rows = stream(event(), event())
    assert value(rows, "transaction_count_1m", 0) == 0
    assert value(rows, "transaction_count_1m", 1) == 1


@pytest.mark.parametrize("age, counted", [(60 * SECOND - 1, 1), (60 * SECOND, 0)])
def test_a_window_ends_before_its_full_length(age, counted):
    assert value(stream(event(time=START - age), event()), "transaction_count_1m") == counted


def test_the_latest_4096_rows_describe_a_busier_entity():
    rows = stream(*[event(time=START - (5_000 - number)) for number in range(5_000)], event())
    assert value(rows, "transaction_count_30d") == 4_096


def terminal(*fates: str):
    """Payments at one merchant a day apart: f is fraud, known a day later, g is genuine."""
    rows = stream(
        *[event(time=START + n * DAY, user=n + 1, merchant=7) for n in range(len(fates) + 1)]
    )
    called = [(fate == "f", DAY, None, 1.0) for fate in (*fates, "g")]
    return compute(rows, History.of(rows, frauds_of(rows, called)))[-1]


def test_a_label_counts_from_the_moment_it_became_known():
    rows = stream(event(merchant=7), event(time=START + DAY, user=2, merchant=7))
    for delay, counted in ((DAY, 1), (DAY + 1, 0)):
        frauds = frauds_of(rows, [(True, delay, None, 1.0), (False, 0, None, 1.0)])
        vector = compute(rows, History.of(rows, frauds))[-1]
        assert vector[column("merchant_known_fraud_count_30d")] == counted


def test_a_label_taken_back_counts_no_longer():
    rows = stream(event(merchant=7), event(time=START + DAY, user=2, merchant=7))
    frauds = frauds_of(rows, [(True, 0, DAY, 1.0), (False, 0, None, 1.0)])
    vector = compute(rows, History.of(rows, frauds))[-1]
    assert vector[column("merchant_known_fraud_count_180d")] == 0


def test_a_merchant_where_all_is_fraud_looks_other_than_one_where_it_is_over():
    ongoing, over = terminal(*"gggffff"), terminal(*"ffffggg")
    assert ongoing[column("merchant_fraud_streak")] == 4
    assert ongoing[column("merchant_silent_payments")] == 0
    assert over[column("merchant_fraud_streak")] == 4
    assert over[column("merchant_silent_payments")] == 2  # the third is younger than a report takes


def test_huge_amounts_do_not_overflow_the_sum():
    rows = stream(*[event(time=START - number, units=10**18 - 1) for number in range(100, 0, -1)])
    assert value(rows, "total_amount_30d") > 0


def test_new_york_to_mumbai_in_an_hour_is_faster_than_any_aeroplane():
    rows = stream(event(lat=40.71, lon=-74.0), event(time=START + HOUR, lat=19.07, lon=72.88))
    assert value(rows, "location_distance_km") == pytest.approx(12_540, rel=0.01)
    assert value(rows, "implied_speed_kmh") > 900


def test_one_device_and_twenty_users():
    rows = stream(*[event(time=START + user, user=user, device=9) for user in range(1, 21)])
    assert value(rows, "device_distinct_users_24h") == 20


@pytest.mark.parametrize(
    "day, weekday, weekend",
    [("2023-06-15", 3, 0), ("2024-02-29", 3, 0), ("2026-01-17", 5, 1), ("1999-12-31", 4, 0)],
)
def test_days_of_the_week_count_from_monday(day, weekday, weekend):
    time = (pd.Timestamp(day) - pd.Timestamp("2000-01-01")) // pd.Timedelta(microseconds=1)
    assert value(event(time=time), "day_of_week") == weekday
    assert value(event(time=time), "is_weekend") == weekend


def test_the_hour_is_that_of_the_entitys_clocks():
    assert value(event(time=9_000 * DAY, offset=19_800), "hour") == 5
    assert value(event(time=9_000 * DAY, offset=-18_000), "hour") == 19


@pytest.mark.parametrize(
    "promised",
    [
        "hour", "day_of_week", "is_weekend", "is_online", "location_distance_km",
        "time_since_last_transaction_minutes", "transaction_count_1h", "total_amount_24h",
    ],
)  # fmt: skip
def test_a_promised_name_is_in_the_register(promised):
    assert promised in NAMES


def test_the_register_holds_at_least_forty_different_features_with_meanings():
    assert len(set(NAMES)) == len(FEATURES) >= 40
    assert all(feature.meaning and feature.phrase for feature in FEATURES)


def test_register_and_kernel_name_the_same_columns_and_limits():
    assert kernel.NAMES == NAMES
    assert (kernel.LONGEST // DAY, kernel.MOST_ROWS) == (features.DAYS, features.MOST_ROWS)


def test_another_register_has_another_spec(monkeypatch):
    before = spec_id()
    assert len(before) == 16
    monkeypatch.setattr(features, "FEATURES", FEATURES[1:])
    assert spec_id.__wrapped__() != before


def test_no_events_are_no_vectors():
    assert compute(event()[:0], History.none()).shape == (0, len(FEATURES))


def test_what_an_older_release_computed_stays_what_it_was():
    assert NAMES[: features.FIRST][-1] == "device_distinct_cards_24h"
    # The spec of the first release: models and vectors of then carry it.
    assert features.widths()["61b27ea34bce6153"] == features.FIRST
    assert features.widths()[spec_id()] == len(FEATURES)


def test_an_older_vector_is_widened_by_the_unknown():
    wide = features.widened(np.arange(float(features.FIRST)))
    assert wide.shape == (len(FEATURES),)
    assert wide[features.FIRST - 1] == features.FIRST - 1
    assert np.isnan(wide[features.FIRST :]).all()


def test_gambling_by_somebody_who_only_buys_food_is_as_far_away_as_it_gets():
    food = [event(time=START - day * DAY, category=1) for day in range(20, 0, -1)]
    mixed = [event(time=START - day * DAY, category=1 + day % 4) for day in range(20, 0, -1)]
    foreign = value(stream(*food, event(category=9)), "category_distance_30d")
    usual = value(stream(*food, event(category=1)), "category_distance_30d")
    one_of_four = value(stream(*mixed, event(category=1)), "category_distance_30d")
    assert (usual, foreign) == (0.0, 1.0)
    assert 0.5 < one_of_four < 1


def test_a_country_is_new_once_and_changed_whenever_it_differs_from_the_last():
    rows = stream(*[event(time=START + n, country=c) for n, c in enumerate([7, 7, 8, 0, 7, 8])])
    new = [value(rows, "new_country", n) for n in range(6)]
    changed = [value(rows, "country_changed", n) for n in range(6)]
    assert np.array_equal(new, [np.nan, 0, 1, np.nan, 0, 0], equal_nan=True)
    assert np.array_equal(changed, [np.nan, 0, 1, np.nan, 1, 1], equal_nan=True)


@pytest.mark.parametrize(
    "word, channel", [("Web", "web"), ("mobile", "app"), ("POS", "pos"), ("atm", "atm")]
)
def test_a_channel_is_one_of_four_or_none_of_them(word, channel):
    row = event(channel=channel_number(word))
    said = {kind: value(row, f"channel_{kind}") for kind in ("web", "app", "pos", "atm")}
    assert said == {kind: float(kind == channel) for kind in said}
    assert value(event(channel=channel_number("pigeon")), "channel_web") == 0
    assert np.isnan(value(event(channel=channel_number("")), "channel_web"))
