"""Bodies that other parsers accept, misread or die of; each with the place it is refused at."""

import time
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomalyshield.strictjson import MAX_DEPTH, Malformed, loads

REFUSED = {
    "NaN": (b'{"a": NaN}', "not_a_number", "/a"),
    "minus infinity, deep": (b'{"a": [1, {"b": -Infinity}]}', "not_a_number", "/a/1/b"),
    "1e400": (b'{"amount": 1e400}', "number_out_of_range", "/amount"),
    "1e-400": (b'{"amount": 1e-400}', "number_out_of_range", "/amount"),
    "a zero with a giant exponent": (b'{"a": 0e99999}', "number_out_of_range", "/a"),
    "an exponent beyond any": (b'{"a": 1e99999999999999999999}', "number_out_of_range", "/a"),
    "10**30": (b'{"amount": 1' + b"0" * 30 + b"}", "number_out_of_range", "/amount"),
    "2**63": (b'{"a": 9223372036854775808}', "number_out_of_range", "/a"),
    "4,301 digits": (b'{"a": ' + b"9" * 4301 + b"}", "number_out_of_range", "/a"),
    "4,301 decimals": (b'{"a": 0.' + b"1" * 4301 + b"}", "number_too_long", "/a"),
    "a key twice": (b'{"amount": 1, "amount": 1000000}', "duplicate_key", "/amount"),
    "a key twice, nested": (b'{"d": [{"x/y": 1, "x/y": 2}]}', "duplicate_key", "/d/0/x~1y"),
    "a key twice, spelt differently": (b'{"a": 1, "\\u0061": 2}', "duplicate_key", "/a"),
    "NUL": (b'{"a": "x\\u0000"}', "nul_character", "/a"),
    "NUL in a key": (b'{"\\u0000": 1}', "nul_character", ""),
    "half a surrogate": (b'{"a": ["\\ud800"]}', "lone_surrogate", "/a/0"),
    "the other half": (b'{"a": "\\uDC00x"}', "lone_surrogate", "/a"),
    "a raw control character": (b'{"a": "\x01"}', "malformed_json", ""),
    "overlong UTF-8": (b'{"a": "\xc0\x80"}', "not_utf8", ""),
    "an encoded surrogate": (b'{"a": "\xed\xa0\x80"}', "not_utf8", ""),
    "a byte order mark": (b"\xef\xbb\xbf{}", "byte_order_mark", ""),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "not_utf8", ""),
    "UTF-16 without a mark": ('{"a": 1}'.encode("utf-16-le"), "not_utf8", ""),
    "21 levels": (b"[" * 21 + b"]" * 21, "too_deep", ""),
    "1,000 levels": (b'{"a":' * 1000 + b"1" + b"}" * 1000, "too_deep", ""),
    "100,000 open brackets": (b"[" * 100_000, "too_deep", ""),
    "a million empty arrays": (b"[" + b"[]," * 999_999 + b"[]]", "too_many_values", ""),
    "eleven megabytes": (b'"' + b"x" * (11 * 2**20) + b'"', "too_large", ""),
    "a comma too many": (b'{"a": 1,}', "malformed_json", ""),
    "single quotes": (b"{'a': 1}", "malformed_json", ""),
    "a leading zero": (b'{"a": 01}', "malformed_json", ""),
    "two values": (b"{} {}", "malformed_json", ""),
    "nothing": (b"", "malformed_json", ""),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_it_is_refused_with_its_place(name: str) -> None:
    body, code, pointer = REFUSED[name]
    with pytest.raises(Malformed) as refused:
        loads(body)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)
    assert refused.value.status_code in {400, 413}


KEPT = {
    "20 levels": (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
    "brackets in a text": (b'{"a": "' + b"[" * 100 + b'"}', {"a": "[" * 100}),
    "an escaped quote before brackets": (b'{"a": "\\"[[["}', {"a": '"[[['}),
    "a whole pair of surrogates": (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    "2**63 - 1": (b'{"a": 9223372036854775807}', {"a": 2**63 - 1}),
    "a decimal with its zeros": (b'{"a": 150.50}', {"a": Decimal("150.50")}),
    "18 decimals": (b'{"a": 0.123456789012345678}', {"a": Decimal("0.123456789012345678")}),
}


@pytest.mark.parametrize("name", sorted(KEPT))
def test_it_is_read_exactly(name: str) -> None:
    body, value = KEPT[name]
    read = loads(body)
    assert value is None or read == value


def test_a_decimal_keeps_the_digits_that_were_sent() -> None:
    assert str(loads(b'{"a": 150.50}')["a"]) == "150.50"


@pytest.mark.parametrize(
    "bomb",
    [b"[" * 100_000, b'{"a":' * 100_000, b"[" + b"[]," * 1_000_000 + b"[]]", b'"' + b'\\"' * 10**6],
)
def test_a_bomb_costs_next_to_nothing(bomb: bytes) -> None:
    start = time.process_time()
    with pytest.raises(Malformed):
        loads(bomb)
    assert time.process_time() - start < 0.1


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_and_never_anything_else(body: bytes) -> None:
    with suppress(Malformed):
        loads(body)


@given(st.text(alphabet='[]{}",:\\u0d8 1eE+-.NaInfity', max_size=80))
def test_any_text_of_the_signs_of_json_is_read_or_refused(text: str) -> None:
    with suppress(Malformed):
        loads(text.encode())
