"""What the engine says, in the reader's language. Loaded in every template."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import gettext

from scoring import retelling

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
def meant(words: str) -> str:
    """A title or a meaning of a register."""
    return gettext(words) if words else ""
