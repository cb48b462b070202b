"""What would have changed a decision, in the reader's language.

`engine/alternatives.py` names changes, `engine/counterfactual.py` joins them and says what would
have come of them; the sentence is kept in English and taken apart here.
"""

import re

from django.utils.translation import get_language, gettext

from anomalyshield.templatetags.words import figure
from scoring.retelling import filled, of_any, pattern, put

CHANGES = (
    "with an amount of {amount}, this customer's median",
    "with an amount of {amount} or less",
    "at the merchant this customer pays most often",
    "from the device this customer uses most",
    "with the card this customer uses most",
    "in the place where this customer pays most",
    "around {hour}, when this customer usually pays ({earlier} hours earlier)",
    "in person instead of online",
)
WAYS = (
    "{changes}, it would have been approved: {level}, score {score}.",
    "{changes}, a person would still have to look: {level}, score {score}.",
)


def told(sentence: str) -> str:
    """A way to another decision; any other sentence beside it as a feature or a rule has it."""
    if get_language() in (None, "en"):
        return sentence
    for way in WAYS:
        if found := pattern((way,)).fullmatch(sentence):
            values = {
                "changes": _changes(found["p0_changes"]),
                "level": found["p0_level"],
                "score": figure(found["p0_score"]),
            }
            text = put(way, values)
            return text[:1].upper() + text[1:]
    return of_any(sentence)


def _changes(text: str) -> str:
    """“a, b and c”: found from the front, since a change may hold commas of its own."""
    said: list[str] = []
    while text:
        found = next((hit for one in CHANGES if (hit := _first(one, text))), None)
        if found is None:
            return ", ".join([*said, text])
        change, text = found
        said.append(change)
    *first, last = said
    return f"{', '.join(first)}{gettext(' and ')}{last}" if first else last


def _first(phrase: str, text: str) -> tuple[str, str] | None:
    """The change that the text begins with, and the rest behind it."""
    begins = re.compile(rf"({pattern((phrase,)).pattern})(?:, | and |$)(?P<rest>.*)", re.IGNORECASE)
    if not (found := begins.fullmatch(text)):
        return None
    values = {name[len("p0_") :]: value for name, value in found.groupdict().items() if value}
    return filled(gettext(phrase), values), found["rest"]
