"""Tokens in the place of card numbers: made with a key of this installation, the same each time."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from anomalyshield.keyed import key_for
from scoring.engine import cards
from scoring.engine.cards import hidden, nothing_to_see, without_cards
from scoring.engine.names import ALIASES

PURPOSE = "card numbers"
# Ours; known again by who sent them.
IDS = frozenset({"transaction_id", "user_id", "device_id", "notice_id"})


def token_of(digits: str) -> str:
    """A keyed hash and the last four digits, which PCI DSS lets people see."""
    return cards.token_of(digits, key_for(PURPOSE))


def cleaned(record: Mapping[str, Any], mapping: Mapping[str, str]) -> Mapping[str, Any]:
    """The record without card numbers, in whatever field but those of ids they stand."""
    if nothing_to_see(record):
        return record
    return without_cards(record, token_of, ids_of(tuple(mapping.items())))


def cleaned_text(text: str) -> str:
    """A text nobody could read as a record, without card numbers."""
    return hidden(text, token_of)


@lru_cache(maxsize=256)
def ids_of(mapping: tuple[tuple[str, str], ...]) -> frozenset[str]:
    """What the sender calls the fields of ids."""
    theirs = {name for name, ours in mapping if ours in IDS}
    return IDS | theirs | {name for name, ours in ALIASES.items() if ours in IDS}
