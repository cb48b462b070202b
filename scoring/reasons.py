"""Reason codes in words, for titles and lists that people read."""

from collections.abc import Iterable

from django.utils.translation import gettext

from anomalyshield.templatetags.words import within
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


def titled(text: str) -> str:
    """A line of `in_one_line` in the reader's language; any other text as it is."""
    said = {title.lower(): title for title in TITLES.values()}
    if text and gettext(text) != text:
        return gettext(text)
    parts = text.lower().split(", ")
    if not all(part in said for part in parts):
        return text
    return ", ".join(within(gettext(said[part])) for part in parts).replace(
        within(gettext(said[parts[0]])), gettext(said[parts[0]]), 1
    )


def _small(title: str) -> str:
    return title[:1].lower() + title[1:]
