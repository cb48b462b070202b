"""Card numbers are recognised at the door, so that none is ever stored (PCI DSS 3.5.1).

A number of 13 to 19 digits that begins like those of a card scheme and whose check digit fits
(ISO/IEC 7812-1, annex B: Luhn) is taken for one. One random number in ten has a fitting digit, so
what only looks like one may be replaced as well: its token is the same each time, so whatever is
joined by it stays joined. Ids are left alone: their senders must know them again.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from hashlib import blake2b
from typing import Any

# At most one space or hyphen between digits, as cards and tills write them, of whatever script and
# width; no digit beside it. Spreadsheets that took it for a number write ".0" behind it.
BETWEEN = r"[ \-\u00a0\u2007\u2009\u202f\u2010-\u2015]"
NUMBER = re.compile(rf"(?<![\d.])\d(?:{BETWEEN}?\d){{12,18}}(?:\.0+)?(?![\d.]*\d)")
# In groups with another mark between them: 4-4-4-4, 4-6-5, 4-6-4.
GROUPED = re.compile(
    r"(?<![\d./_])\d{4}([./_])(?:\d{4}\1\d{4}\1\d{1,7}|\d{6}\1\d{4,5})(?![./_]?\d)"
)
# Visa; Mastercard; American Express, Diners, JCB; Discover, UnionPay, Maestro, RuPay.
SCHEME = re.compile(
    r"4|5[0-9]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|3(?:[47]|0[0-5]|[689]|5(?:2[89]|[3-8]))|6",
    re.ASCII,
)
# Thirteen characters of one, or two groups with a mark: quick to see that there is none.
MAYBE = re.compile(r"[0-9][0-9 -]{3}(?:[0-9 -]{9}|[./_][0-9]{4})")
MAYBE_ANY = re.compile(rf"\d(?:\d|{BETWEEN}){{3}}(?:(?:\d|{BETWEEN}){{9}}|[./_]\d{{4}})")
HARMLESS = {bool, type(None)}
LETTERS = str.maketrans("0123456789", "ghijklmnop")  # so that no token looks like a number again
LEAST, MOST = 10**12, 10**19  # numbers of 13 to 19 digits
Token = Callable[[str], str]


def token_of(digits: str, key: bytes) -> str:
    """A keyed hash and the last four digits, which PCI DSS lets people see."""
    made = blake2b(digits.encode(), key=key, digest_size=10).hexdigest()
    return f"card-{made.translate(LETTERS)}-{digits[-4:]}"


def is_card(digits: str) -> bool:
    """Whether these digits are a card's number by length, beginning and check digit."""
    return 13 <= len(digits) <= 19 and SCHEME.match(digits) is not None and _fits(digits)


def _fits(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def holds_card(text: str) -> bool:
    """Whether a card's number stands anywhere in the text."""
    return hidden(text, lambda digits: "") != text


def hidden(text: str, token: Token) -> str:
    """The text with a token in the place of every card number; itself if there is none."""
    if len(text) < 13 or _none_in(text):
        return text

    def replaced(found: re.Match[str]) -> str:
        digits = _digits(found[0])
        return token(digits) if is_card(digits) else found[0]

    return GROUPED.sub(replaced, NUMBER.sub(replaced, text))


def _digits(text: str) -> str:
    """Its digits as 0 to 9, without what follows a point if that is nothing but zeros."""
    whole, _, rest = text.partition(".")
    if rest.strip("0"):
        whole = text
    return "".join(str(int(char)) for char in whole if char.isdecimal())


def without_cards(
    record: Mapping[str, Any], token: Token, but: frozenset[str] = frozenset()
) -> Mapping[str, Any]:
    """The record with tokens for card numbers, except in the fields named.

    Texts are looked at however deep they stand, whole numbers, and names of fields; the same record
    comes back when there is nothing to hide, which is nearly always.
    """
    if nothing_to_see(record):
        return record
    found = {
        name: made
        for name, value in record.items()
        if name not in but and (made := _of(value, token)) is not None
    }
    return _renamed({**record, **found} if found else record, token)


def _renamed(record: Mapping[str, Any], token: Token) -> Mapping[str, Any]:
    names = [hidden(name, token) if isinstance(name, str) else name for name in record]
    if names == list(record):
        return record
    return dict(zip(names, record.values(), strict=True))


def nothing_to_see(record: Mapping[str, Any]) -> bool:
    """A quick look at all texts at once: this runs for every row of every file."""
    try:
        return _none_in("\n".join([*record, *record.values()]))
    except TypeError:  # not all of them are texts
        pass
    texts = []
    for name, value in record.items():
        texts.append(str(name))
        if type(value) is str:
            texts.append(value)
        elif type(value) not in HARMLESS and not _small(value):
            return False
    return _none_in("\n".join(texts))


def _none_in(text: str) -> bool:
    return (MAYBE if text.isascii() else MAYBE_ANY).search(text) is None


def _small(value: object) -> bool:
    """A number with fewer digits before its point than a card's has."""
    if type(value) is Decimal:
        return value.adjusted() < 12
    return type(value) in (int, float) and -LEAST < value < LEAST  # type: ignore[operator]


def _of(value: Any, token: Token) -> Any:
    """The value with tokens; None if it holds no card number."""
    if isinstance(value, str):
        made = hidden(value, token)
        return None if made == value else made
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float | Decimal):
        digits = _whole(value)
        return token(digits) if is_card(digits) else None
    if isinstance(value, Mapping):
        parts = {name: made for name, one in value.items() if (made := _of(one, token)) is not None}
        changed = _renamed({**value, **parts}, token)
        return changed if parts or changed.keys() != value.keys() else None
    if isinstance(value, list):
        made_all = [_of(one, token) for one in value]
        if all(made is None for made in made_all):
            return None
        return [one if made is None else made for one, made in zip(value, made_all, strict=True)]
    return None


def _whole(value: float | Decimal) -> str:
    """The digits of a number that has none behind its point, if a card's could be as many."""
    if isinstance(value, Decimal) and not value.is_finite():
        return ""
    return str(int(value)) if LEAST <= value < MOST and value == int(value) else ""
