"""Reads JSON the way money is read: nothing ambiguous, nothing lossy, nothing that eats the host.

The standard parser accepts NaN, turns 1e400 into infinity, keeps the last of two equal keys and
dies in recursion on a deep body. Here each of these is refused with a pointer to the place.
"""

import codecs
import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

MAX_BYTES = 11 * 1024 * 1024
MAX_DEPTH = 20
MAX_VALUES = 500_000  # a batch of 10,000 rows with 40 fields is below
INT64 = 2**63
EXPONENT = 307  # of ten: what a double holds with room to spare
DIGITS = 64  # of one number; money needs 18

# An unclosed string matches to the end, so the scan never starts over: linear for any input.
STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
ESCAPED = (b"\\u0000", b"\\ud", b"\\uD")


class Malformed(ValueError):
    """This is not JSON as we read it: a code for programs, a sentence, and a pointer to the place.

    `status` is what HTTP calls it.
    """

    def __init__(self, code: str, text: str, pointer: str = "", status: int = 400) -> None:
        super().__init__(text)
        self.code, self.text, self.pointer, self.status = code, text, pointer, status


class _Bad:
    """Stands in the parsed tree for a value that is refused, until its place is known."""

    def __init__(self, code: str, detail: str) -> None:
        self.code, self.detail = code, detail


def loads(body: bytes) -> Any:
    """The value of a UTF-8 JSON text; numbers are `int` or `Decimal`. Raises `Malformed`."""
    _check_size(body)
    text = _decoded(body)
    _check_depth(body)
    reader = _Reader()
    value = reader.read(text)
    if reader.found_bad or any(escape in body for escape in ESCAPED):
        for pointer, bad in _bad_places(value, ""):
            raise Malformed(bad.code, bad.detail, pointer)
    return value


def _check_size(body: bytes) -> None:
    if len(body) > MAX_BYTES:
        raise Malformed("too_large", "At most 11 MB; larger sets go to file ingestion.", status=413)
    if body.count(b",") > MAX_VALUES or body.count(b'":') > MAX_VALUES:
        raise Malformed("too_many_values", "At most 500,000 values in one body.", status=413)


def _decoded(body: bytes) -> str:
    if body.startswith(codecs.BOM_UTF8):
        raise Malformed("byte_order_mark", "UTF-8 without a byte order mark is expected.")
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in body[:4]:
        raise Malformed("not_utf8", "UTF-8 is expected, not UTF-16 or UTF-32.")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("not_utf8", f"Byte {error.start} is not valid UTF-8.") from None


def _check_depth(body: bytes) -> None:
    """Refuse nesting beyond MAX_DEPTH before the parser recurses, by peeling innermost pairs."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    brackets = STRING.sub(b"", body).translate(None, NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    # What is left is too deep, or unbalanced: then the parser says where, if it is safe to ask.
    deep = b"[]" in brackets or b"{}" in brackets
    if deep or brackets.count(b"[") + brackets.count(b"{") > MAX_DEPTH:
        raise Malformed("too_deep", f"At most {MAX_DEPTH} levels of nesting.")


class _Reader:
    """One parse; remembers whether anything in it must be refused."""

    def __init__(self) -> None:
        self.found_bad = False

    def read(self, text: str) -> Any:
        try:
            return json.loads(
                text,
                parse_float=self._decimal,
                parse_int=self._integer,
                parse_constant=self._constant,
                object_pairs_hook=self._object,
            )
        except json.JSONDecodeError as error:
            place = f"Line {error.lineno}, column {error.colno}"
            raise Malformed("malformed_json", f"{place}: {error.msg}.") from None

    def _bad(self, code: str, detail: str) -> _Bad:
        self.found_bad = True
        return _Bad(code, detail)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            seen: set[str] = set()
            for name, _ in pairs:
                if name in seen:
                    members[name] = self._bad("duplicate_key", f"“{name[:60]}” is given twice.")
                seen.add(name)
        return members

    def _integer(self, text: str) -> int | _Bad:
        if len(text) <= 20 and -INT64 <= (number := int(text)) < INT64:
            return number
        return self._bad("number_out_of_range", "The number does not fit in 64 bits.")

    def _decimal(self, text: str) -> Decimal | _Bad:
        if len(text) > DIGITS:
            return self._bad("number_too_long", f"At most {DIGITS} characters in one number.")
        try:
            number = Decimal(text)
        except InvalidOperation:
            return self._bad("number_out_of_range", "The number is out of range.")
        if not -EXPONENT <= number.adjusted() <= EXPONENT:
            return self._bad("number_out_of_range", "The number is out of range.")
        return number

    def _constant(self, text: str) -> _Bad:
        return self._bad("not_a_number", f"{text} is not a JSON number.")


def _bad_places(value: Any, pointer: str) -> Iterator[tuple[str, _Bad]]:
    """Every refused value with its pointer, in the order of the body."""
    if isinstance(value, _Bad):
        yield pointer, value
    elif isinstance(value, dict):
        for name, member in value.items():
            if bad := _bad_text(name):
                yield pointer, bad
            yield from _bad_places(member, f"{pointer}/{step(name)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _bad_places(item, f"{pointer}/{index}")
    elif isinstance(value, str) and (bad := _bad_text(value)):
        yield pointer, bad


def step(name: Any) -> str:
    """One reference token of a JSON Pointer."""
    return str(name).replace("~", "~0").replace("/", "~1")


def _bad_text(text: str) -> _Bad | None:
    """PostgreSQL stores neither NUL nor half a surrogate pair."""
    if "\x00" in text:
        return _Bad("nul_character", "The character U+0000 is not accepted.")
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        return _Bad("lone_surrogate", "Half of a surrogate pair is not a character.")
    return None
