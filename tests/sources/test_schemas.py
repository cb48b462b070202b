"""A schema comes from a person: it may fetch nothing, and nothing in it may take for ever."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import patterns, schemas
from scoring.models import Source
from scoring.schemas import Unusable, check_of, checked


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (5, "is an object"),
        ({"type": "array"}, "a record is an object"),
        ({"type": "nope"}, "/type"),
        ({"properties": {"a": {"$ref": "http://inside.example/secret"}}}, "stays within"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "stays within"),
        ({"properties": {"a": {"$ref": "#/$defs/none"}}}, "leads nowhere"),
        ({"$ref": "#"}, "leads nowhere"),
        ({"properties": {"a": {"pattern": "(a+)+$"}}}, "repeat inside a repeat"),
        ({"patternProperties": {"(x|x)*": {}}}, "repeat inside a repeat"),
        ({"properties": {"a": {"pattern": "["}}}, "not a regular expression"),
        ({"description": "x" * 60_000}, "50,000 characters"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_in_words(schema: Any, why: str) -> None:
    with pytest.raises(Unusable, match=why.replace("$", r"\$")):
        checked(schema)


def test_depth_is_bounded() -> None:
    deep: dict[str, Any] = {}
    for _ in range(50):
        deep = {"properties": {"a": deep}}
    with pytest.raises(Unusable, match="levels"):
        checked(deep)


def test_nothing_and_an_empty_one_ask_for_nothing() -> None:
    assert checked(None) is None is checked({})
    assert check_of(Source(schema=None)) is None


def test_a_door_of_texts_reads_numbers_where_the_schema_wants_them() -> None:
    source = Source(schema={"properties": {"n": {"type": "number"}, "b": {"type": "boolean"}}})
    texts, typed = check_of(source, texts=True), check_of(source)
    assert texts is not None
    assert typed is not None
    assert texts({"n": " 12.5 ", "b": "TRUE"}) == texts({"n": "", "b": None}) == {}
    assert texts({"n": "12,5"}) == {"n": "is not a number"}
    assert typed({"n": "12.5"}) == {"n": "is not a number"}


def test_a_reason_never_repeats_what_was_sent() -> None:
    rules = {"pattern": "^[A-Z]$", "enum": ["A"], "maxLength": 3, "not": {}, "const": "A"}
    for keyword, rule in rules.items():
        check = check_of(Source(schema={"properties": {"name": {keyword: rule}}}))
        assert check is not None
        assert "Maria" not in repr(check({"name": "Maria Secret"}))


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*$", "(a{1,50}){1,50}$", "(\\w+\\s?)*$"])
def test_patterns_that_explode_are_refused(pattern: str) -> None:
    assert patterns.why_not(pattern)


@given(st.from_regex(r"[ab*+?|(){},0-9\\w^$.]{0,12}", fullmatch=True))
def test_whatever_pattern_is_taken_ends_soon(pattern: str) -> None:
    if patterns.why_not(pattern):
        return
    check = check_of(Source(schema={"properties": {"t": {"pattern": pattern}}}))
    assert check is not None
    started = time.process_time()
    check({"t": "a" * 499 + "!"})
    check({"t": "ab" * 249 + "!"})
    assert time.process_time() - started < 0.5
    assert schemas.LONGEST == 500
