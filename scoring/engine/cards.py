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

# At most one space or hyphen between digits, as cards and tills write them; no digit beside it.
NUMBER = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.]*\d)", re.ASCII)
# Visa; Mastercard; American Express, Diners, JCB; Discover, UnionPay, Maestro, RuPay.
SCHEME = re.compile(
    r"4|5[0-9]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|3(?:[47]|0[0-5]|[689]|5(?:2[89]|[3-8]))|6",
    re.ASCII,
)
MAYBE = re.compile(r"\d[\d -]{12}", re.ASCII)
HARMLESS = {bool, float, Decimal, type(None)}
LETTERS = str.maketrans("0123456789", "ghijklmnop")  # so that no token looks like a number again
LEAST = 10**12  # the smallest number of 13 digits
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


def hidden(text: str, token: Token) -> str:
    """The text with a token in the place of every card number; itself if there is none."""
    if len(text) < 13:
        return text

    def replaced(found: re.Match[str]) -> str:
        digits = re.sub(r"[ -]", "", found[0])
        return token(digits) if is_card(digits) else found[0]

    return NUMBER.sub(replaced, text)


def without_cards(
    record: Mapping[str, Any], token: Token, but: frozenset[str] = frozenset()
) -> Mapping[str, Any]:
    """The record with tokens for card numbers, except in the fields named.

    Texts are looked at however deep they stand, and whole numbers; the same record comes back
    when there is nothing to hide, which is nearly always.
    """
    if nothing_to_see(record):
        return record
    found = {
        name: made
        for name, value in record.items()
        if name not in but and (made := _of(value, token)) is not None
    }
    return {**record, **found} if found else record


def nothing_to_see(record: Mapping[str, Any]) -> bool:
    """A quick look at all texts at once: this runs for every row of every file."""
    try:
        return MAYBE.search("\n".join(record.values())) is None
    except TypeError:  # not all of them are texts
        pass
    texts = []
    for value in record.values():
        if type(value) is str:
            texts.append(value)
        elif type(value) not in HARMLESS and not (type(value) is int and -LEAST < value < LEAST):
            return False
    return MAYBE.search("\n".join(texts)) is None


def _of(value: Any, token: Token) -> Any:
    """The value with tokens; None if it holds no card number."""
    if isinstance(value, str):
        made = hidden(value, token)
        return None if made == value else made
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return token(str(value)) if is_card(str(value)) else None
    if isinstance(value, Mapping):
        parts = {name: made for name, one in value.items() if (made := _of(one, token)) is not None}
        return {**value, **parts} if parts else None
    if isinstance(value, list):
        made_all = [_of(one, token) for one in value]
        if all(made is None for made in made_all):
            return None
        return [one if made is None else made for one, made in zip(value, made_all, strict=True)]
    return None
