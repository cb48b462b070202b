"""From records to transactions: what is accepted, under which names, and what is refused why."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.engine.history import EVENT
from scoring.engine.keys import entity_key, folded_key
from scoring.engine.transaction import Defaults, Invalid, event_of, microseconds, parse

NOW = datetime(2026, 1, 20, 12, 0, tzinfo=UTC)
DEFAULTS = Defaults(currency="USD", base_currency="USD", timezone="UTC", received_at=NOW)
LEAST = {"transaction_id": "t1", "user_id": "u1", "amount": "10"}


def read(defaults: Defaults = DEFAULTS, mapping=None, **fields):
    return parse({**LEAST, **fields}, defaults=defaults, mapping=mapping)


def reasons(**fields) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        read(**fields)
    return refused.value.reasons


def test_the_first_documents_body():
    transaction = parse(
        {
            "transaction_id": "txn_001",
            "user_id": "user_001",
            "amount": 5000,
            "location": "Mumbai",
            "timestamp": "2026-01-14T15:00:00Z",
            "merchant_type": "electronics",
        },
        defaults=DEFAULTS,
    )
    assert transaction.event_time == datetime(2026, 1, 14, 15, tzinfo=UTC)
    assert transaction.merchant_category == "electronics"
    assert transaction.amount_units == 50_000_000


def test_the_second_documents_body_and_its_hints():
    transaction = read(
        transaction_id="TXN_00000001",
        timestamp="2023-06-15 14:30:00",
        amount=150.50,
        user_id=1234,
        is_online=0,
        location_distance_km=5.2,
        time_since_last_transaction_minutes=120.0,
        is_weekend=0,
        hour=14,
        day_of_week=3,
        transaction_count_1h=2,
        total_amount_24h=300.0,
    )
    assert transaction.user_id == "1234"
    assert transaction.is_online is False
    assert transaction.hints["transaction_count_1h"] == 2
    assert transaction.event_time == read(timestamp="2023-06-15T14:30:00Z").event_time


def test_entity_id_and_a_time_of_day():
    transaction = parse(
        {"transaction_id": "t", "entity_id": "e9", "amount": 1, "time_of_day": "23:45"},
        defaults=DEFAULTS,
    )
    assert transaction.user_id == "e9"
    assert transaction.event_time == datetime(2026, 1, 19, 23, 45, tzinfo=UTC)


@pytest.mark.parametrize(
    "given, hour, minute", [("24:00", 0, 0), ("7:5", 7, 5), ("11:59", 11, 59), ("00:00:01", 0, 0)]
)
def test_times_of_day(given, hour, minute):
    read_time = read(time_of_day=given).event_time
    assert (read_time.hour, read_time.minute) == (hour, minute)
    assert read_time <= NOW


@pytest.mark.parametrize("given", ["25:00", "24:01", "12:60", "noon", "12", ""])
def test_times_of_day_that_are_none(given):
    if given:
        assert "time of day" in reasons(time_of_day=given)["time_of_day"]
    else:
        assert read(time_of_day=given).event_time == NOW


@pytest.mark.parametrize(
    "given",
    [
        "2026-01-14T15:00:00Z", "2026-01-14 15:00:00", "2026-01-14T20:30:00+05:30",
        "2026-01-14t15:00:00z",
        "2026-01-14T15:00", "20260114T150000Z", "1768402800", 1768402800, 1768402800000,
        "1768402800000000", datetime(2026, 1, 14, 15, tzinfo=UTC), datetime(2026, 1, 14, 15),
    ],
)  # fmt: skip
def test_one_instant_in_many_spellings(given):
    assert read(timestamp=given).event_time == datetime(2026, 1, 14, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "given", ["03/04/2026", "yesterday", "2026-13-01", "2026-02-30T10:00", True, [1], "9" * 400]
)
def test_times_nobody_can_read_are_refused(given):
    assert "timestamp" in reasons(timestamp=given)


def test_a_time_without_offset_is_on_the_sources_clocks():
    india = Defaults("USD", "USD", "Asia/Kolkata", NOW)
    moment = read(india, timestamp="2026-01-14 15:00:00").event_time
    assert moment == datetime(2026, 1, 14, 9, 30, tzinfo=UTC)


def test_five_minutes_ahead_pass_and_more_is_the_future():
    assert read(timestamp=NOW + timedelta(minutes=5))
    late = NOW + timedelta(minutes=5, seconds=1)
    assert "lies in the future" in reasons(timestamp=late)["timestamp"]
    assert "before 1970" in reasons(timestamp="1969-12-31T23:59:59Z")["timestamp"]


def test_without_a_time_receipt_is_the_time():
    assert read().event_time == NOW


@pytest.mark.parametrize(
    "given, stored",
    [
        ("0", "0"), (0, "0"), ("10.50", "10.5"), ("10.12340000", "10.1234"), (" 5 ", "5"),
        (Decimal("0.0001"), "0.0001"), (150.5, "150.5"), (0.1 + 0.2, "0.3"), ("-0", None),
        (99999999999999, "99999999999999"), ("99999999999999.9999", "99999999999999.9999"),
        (Decimal("1e3"), "1000"), ("007", "7"),
    ],
)  # fmt: skip
def test_amounts_are_stored_as_they_were_written(given, stored):
    if stored is None:
        assert "amount" in reasons(amount=given)
    else:
        assert read(amount=given).amount == Decimal(stored)
        assert read(amount=given).amount_units == int(Decimal(stored) * 10_000)


@pytest.mark.parametrize(
    "given, why",
    [
        (10**30, "too large"), ("1" * 4301, "sensible length"),
        pytest.param(10**4301, "too large", id="4302 digits"),
        ("0.30000000000000004", "decimal places"), (Decimal("0.00001"), "decimal places"),
        ("1." + "1" * 18, "decimal places"), (-1, "negative"), ("-1.5", "negative"),
        ("1_000", "plain number"), ("５０", "plain number"), (True, "not a number"),
        ("1,234.56", "comma"), ("1.234,56", "comma"), ("1e5", "plain number"), ("", "required"),
        (None, "required"), ("abc", "plain number"), (float("inf"), "finite"),
        ([1], "not a number"),
        (Decimal("NaN"), "required"), (Decimal("inf"), "finite"), ({}, "not a number"),
        ("0x10", "plain number"),
    ],
)  # fmt: skip
def test_amounts_that_are_refused_say_why(given, why):
    assert why in reasons(amount=given)["amount"]


def test_every_wrong_field_is_named_at_once():
    found = reasons(
        amount="x", mcc="shop", country="India", latitude=91, is_online="maybe", hour="x"
    )
    assert set(found) == {
        "amount",
        "mcc",
        "country",
        "latitude",
        "longitude",
        "is_online",
        "hour",
    } - {"longitude"}


@pytest.mark.parametrize("field", ["transaction_id", "user_id", "amount"])
def test_three_fields_are_required(field):
    record = {name: value for name, value in LEAST.items() if name != field}
    with pytest.raises(Invalid) as refused:
        parse(record, defaults=DEFAULTS)
    assert refused.value.reasons == {field: "is required"}
    assert reasons(**{field: "  "})[field]


@pytest.mark.parametrize(
    "given, why",
    [
        ("a\x00b", "U+0000"), ("a\ud800b", "surrogate"), ("a\x1b[31m", "U+001B"),
        ("x" * 201, "201"),
        ("x" * 1_000_000, "1,000,000"), ({}, "an object"), ([1], "a list"), (b"x", "binary"),
        (1.5, "decimals"), (True, "true or false"),
        pytest.param(10**5000, "40 digits", id="5001 digits"),
    ],
)  # fmt: skip
def test_texts_that_cannot_be_stored_are_refused(given, why):
    assert why in reasons(merchant_name=given)["merchant_name"]


def test_texts_are_trimmed_and_normalised():
    assert read(merchant_name=" Cafe\u0301 ").merchant_name == "Café"
    assert read(user_id="\u00a0ü\u00a0").user_id == "ü"


def test_integers_with_gaps_read_as_floats_are_ids():
    assert read(user_id=1234.0).user_id == "1234"


def test_nan_and_empty_texts_say_nothing():
    transaction = read(latitude=float("nan"), longitude=None, merchant_name="", mcc=float("nan"))
    assert (transaction.latitude, transaction.merchant_name, transaction.mcc) == (None, "", "")


def test_one_coordinate_without_the_other_is_refused():
    assert reasons(latitude=1) == {"latitude": "was given without longitude"}


def test_a_leading_zero_of_a_merchant_code_is_given_back():
    assert read(mcc=742).mcc == "0742"
    assert read(mcc="7995").mcc == "7995"


def test_a_currency_without_a_rate_is_refused():
    assert "no exchange rate from EUR to USD" in reasons(currency="eur")["currency"]
    assert read(currency="usd").currency == "USD"


def test_an_unknown_time_zone_is_refused():
    assert "time zone" in reasons(timezone="Mars/Olympus")["timezone"]
    assert "time zone" in reasons(timezone="../../etc/passwd")["timezone"]


def test_a_field_wins_over_its_aliases_and_the_sources_mapping_over_both():
    assert read(merchant_category="a", category="b").merchant_category == "a"
    assert read(category="b", merchant_category="a").merchant_category == "a"
    mapped = read(merchant_category="a", Kind="c", mapping={"Kind": "merchant_category"})
    assert mapped.merchant_category == "c"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"entity_id": "e2"}, {"entity_id": "e2"}),
        ({"entity_id": " u1 "}, {}),
        ({"user_id": "7", "entity_id": "007"}, {"entity_id": "007"}),
        ({"user_id": "7", "entity_id": 7}, {}),
        ({"entity_id": ""}, {}),
        ({"total": "9", "mapping": {"total": "amount"}}, {"amount": "10"}),
        ({"total": 10.0, "mapping": {"total": "amount"}}, {}),
        ({"lat": 1, "lon": 2, "lng": "9" * 50}, {"lng": "9" * 50}),
        ({"category": "a", "merchant_type": "b"}, {"merchant_type": "b"}),
        ({"lat": 1, "lon": 2, "lng": 3, "longitude": "2.0"}, {"lng": 3}),
        ({"lat": 1, "lon": 2, "lng": 3, "longitude": 4}, {"lon": 2, "lng": 3}),
    ],
)
def test_what_the_lesser_of_two_names_says_is_kept_unless_it_is_the_same(said, kept):
    assert read(**said).extra == kept


def test_the_channel_tells_online_from_present():
    assert read(channel="Web").is_online is True
    assert read(channel="pos").is_online is False
    assert read(channel="pigeon").is_online is None
    assert read(channel="pos", is_online="yes").is_online is True


def test_other_fields_are_kept_as_json():
    extra = read(note="hi", nested={"a": [1, "ü😀"]}, big=2**60, when=Decimal("1.5")).extra
    assert extra == {"note": "hi", "nested": {"a": [1, "ü😀"]}, "big": str(2**60), "when": "1.5"}
    json.dumps(extra)


@pytest.mark.parametrize(
    "given", ["x\x00", {"a": "\x00"}, {"a": "\ud800"}, ["x" * 11_000], {"a": float("nan")}]
)
def test_other_fields_that_cannot_be_kept_are_refused(given):
    assert "note" in reasons(note=given)


def test_too_many_other_fields_are_refused():
    assert "record" in reasons(**{f"f{number}": 1 for number in range(101)})


def test_the_same_content_has_the_same_digest_whenever_it_arrives():
    later = Defaults("USD", "USD", "UTC", NOW + timedelta(hours=1))
    assert read().digest == read(later).digest
    assert read(amount="10.0").digest == read(amount=10).digest
    assert read(timestamp="2026-01-14T15:00:00Z").digest == read(timestamp=1768402800).digest


@pytest.mark.parametrize(
    "change",
    [{"amount": "11"}, {"user_id": "u2"}, {"timestamp": "2026-01-14"}, {"mcc": "7995"},
     {"merchant": "x"}, {"time_of_day": "01:00"}, {"is_online": 1}],
)  # fmt: skip
def test_other_content_has_another_digest(change):
    assert read(**change).digest != read().digest


def test_keys_are_signed_64_bit_stable_and_zero_for_nothing():
    assert entity_key("user_001") == 5007028729305822293
    assert entity_key("") == folded_key("  ") == 0
    assert folded_key(" New  YORK ") == folded_key("new york")


def test_an_event_has_the_numbers_of_its_transaction():
    transaction = read(timestamp="2026-01-14T15:00:00.000001Z", timezone="Asia/Kolkata", mcc="7995")
    row = dict(zip(EVENT.names, event_of(transaction, 7), strict=True))
    assert (row["id"], row["units"], row["mcc"], row["offset"]) == (7, 100_000, 7995, 19_800)
    assert row["time"] == microseconds(datetime(2026, 1, 14, 15, tzinfo=UTC)) + 1
    assert row["card"] == 0
    assert row["lat"] != row["lat"]


def test_an_event_has_its_country_and_channel_as_numbers():
    row = dict(zip(EVENT.names, event_of(read(country="IN", channel="Web"), 7), strict=True))
    assert (row["country"], row["channel"]) == (ord("I") * 256 + ord("N"), 1)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMED = st.sampled_from(
    ["amount", "timestamp", "user_id", "time_of_day", "mcc", "latitude", "currency", "timezone",
     "is_online", "country", "hour", "location", "x"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(NAMED, ANYTHING, max_size=6))
def test_whatever_is_sent_is_read_or_refused_in_words(record):
    try:
        transaction = parse({**LEAST, **record}, defaults=DEFAULTS)
    except Invalid as error:
        refused = error
    else:
        assert 0 <= transaction.amount_units < 10**18
        json.dumps(transaction.extra, allow_nan=False, ensure_ascii=False).encode()
        return
    assert refused.reasons
    assert all(refused.reasons.values())
