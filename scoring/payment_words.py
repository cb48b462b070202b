"""What payments state in codes and senders' words, as people say it: countries and channels."""

from functools import cache

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _noop

from scoring.engine import gazetteer
from scoring.engine.names import channel_number

CHANNELS = {
    1: _noop("online"),
    2: _noop("in an app"),
    3: _noop("card terminal"),
    4: _noop("cash machine"),
}


def country(code: str) -> str:
    """Its name with the code behind it: Germany (DE). A code that is nobody's stays as it is."""
    name = _names().get(code)
    return f"{_(name)} ({code})" if name else code


def country_alone(code: str) -> str:
    """Its name."""
    name = _names().get(code)
    return _(name) if name else code


def channel(word: str) -> str:
    """What a sender's word means; the word itself where nobody here knows."""
    said = CHANNELS.get(channel_number(word))
    return _(said) if said else word


@cache
def _names() -> dict[str, str]:
    return gazetteer.countries()
