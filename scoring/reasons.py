"""Reason codes in words, for titles and lists that people read."""

from collections.abc import Iterable

from scoring.engine.lane import LANE_RULES
from scoring.engine.lists import LIST_RULES
from scoring.engine.rules import RULES

TITLES = {rule.code: rule.title for rule in (*LIST_RULES, *RULES, *LANE_RULES)}


def title_of(code: str) -> str:
    """What a code means in a few words; one that is no longer a rule reads as it was spelt."""
    return TITLES.get(code) or code.replace("_", " ").capitalize()


def in_one_line(codes: Iterable[str]) -> str:
    """High amount, unusual hour: each once, in the order given."""
    said = ", ".join(_small(title_of(code)) for code in dict.fromkeys(codes))
    return said[:1].upper() + said[1:]


def _small(title: str) -> str:
    return title[:1].lower() + title[1:]
