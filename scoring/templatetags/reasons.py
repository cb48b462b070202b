"""What the engine says, in the reader's language. Loaded in every template."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import gettext

from scoring import kept, payment_words, personal, refusals, retelling, ways
from scoring.models import Transaction
from scoring.reasons import titled

register = template.Library()


@register.filter
def told(reason: Any) -> str:
    """The sentence of a hit or of a feature, as it is kept or as it was just made."""
    part = reason.get if isinstance(reason, Mapping) else lambda name: getattr(reason, name, None)
    sentence = str(part("sentence") or "")
    if name := part("feature"):
        return retelling.of_feature(str(name), sentence)
    return retelling.of_hit(str(part("code") or ""), sentence)


@register.filter
def as_sent(row: Transaction, name: str) -> str:
    """An id of a payment as its sender wrote it; for templates, who may read it is asked there."""
    return personal.as_sent(row, name)


@register.filter
def meant(words: str) -> str:
    """A title or a meaning of a register."""
    return gettext(words) if words else ""


@register.filter
def way_told(sentence: str) -> str:
    """What would have changed a decision."""
    return ways.told(sentence)


@register.filter
def refusal_told(reason: str) -> str:
    """Why a value was refused."""
    return refusals.in_words(reason)


@register.filter
def kept_told(text: str) -> str:
    """A sentence that a worker wrote."""
    return kept.told(text) if text else ""


@register.filter
def title_told(title: str) -> str:
    """The title of a case: one that was made of reasons is told, one that somebody wrote stays."""
    return titled(title)


@register.filter
def country(code: str) -> str:
    """A country's name and code."""
    return payment_words.country(code or "")


@register.filter
def channel(word: str) -> str:
    """How a payment was made."""
    return payment_words.channel(word or "")
