"""Sentences of the engine in the reader's language.

The engine writes them in English and they are kept so, with the decision. What it wrote is one of
its phrases with values in it: here the phrase is found again, looked up, and given its values.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from django.utils.translation import get_language, gettext, gettext_noop, override, pgettext

from anomalyshield.templatetags.words import figure

PLACE = re.compile(r"\{([\w.]+)(?:[!:][^{}]*)?\}")
# What a value may be besides a number: the words of `engine/wording.py` and `engine/lists.py`.
WORDS = [
    gettext_noop("Monday"), gettext_noop("Tuesday"), gettext_noop("Wednesday"),
    gettext_noop("Thursday"), gettext_noop("Friday"), gettext_noop("Saturday"),
    gettext_noop("Sunday"), gettext_noop("above"), gettext_noop("below"),
    gettext_noop("not"), gettext_noop("unknown"), gettext_noop("a second"),
    gettext_noop("less than a second"), gettext_noop("less than a day"), gettext_noop("one day"),
    gettext_noop("user"), gettext_noop("card"), gettext_noop("device"), gettext_noop("merchant"),
    gettext_noop("deny"), gettext_noop("allow"),
]  # fmt: skip
NUMBER = re.compile(r"[+\-−]?[\d,]*\.?\d+")
UNITS = {unit: f"{{count}} {unit}" for unit in ("days", "hours", "minutes", "seconds")}
SHARES = {"less than 1 %", "more than 99 %"}
LISTED = "This {entity} is on the {verb} list, entry L-{number}."


def in_english(words: Any) -> str:
    """What is kept in a row: one language for all, whoever did it; pages tell it again."""
    with override("en"):
        return str(words)


def retold(sentence: str, *phrases: str) -> str:
    """The sentence in the reader's language, if it is made of these phrases; else as it is."""
    if get_language() in (None, "en") or not (found := pattern(phrases).fullmatch(sentence)):
        return sentence
    said = []
    for number, phrase in enumerate(phrases):
        values = {
            name[len(f"p{number}_") :]: value
            for name, value in found.groupdict().items()
            if name.startswith(f"p{number}_") and value is not None
        }
        if number and f"p{number}" in found.groupdict() and found[f"p{number}"] is None:
            continue
        said.append(filled(gettext(phrase), values))
    text = "".join(said)
    return text[:1].upper() + text[1:]


def of_feature(name: str, sentence: str) -> str:
    """What a feature says of a payment, with the past it was told beside."""
    feature = _features().get(name)
    if feature is None:
        return sentence
    if sentence == f"{feature.meaning}: not known.":
        return gettext("{meaning}: not known.").format(meaning=gettext(feature.meaning))
    parts = [feature.phrase, *([feature.baseline_phrase] if feature.baseline_phrase else [])]
    return retold(sentence, *parts)


def of_hit(code: str, sentence: str) -> str:
    """What a rule or a list says of a payment."""
    return retold(sentence, _rules().get(code, LISTED))


def of_phrases(text: str, phrases: Sequence[str]) -> str:
    """A sentence that code keeps in English, by the first of its phrases that fits.

    Its values may be phrases as well; what people wrote among them stays as it is.
    """
    if get_language() in (None, "en") or not text:
        return text
    if text in phrases:
        return gettext(text)
    for phrase in phrases:
        if (found := pattern((phrase,)).fullmatch(text)) and "{" in phrase:
            values = {name[len("p0_") :]: value for name, value in found.groupdict().items()}
            return put(phrase, {n: _worth(v, phrases) for n, v in values.items() if v})
    return text


def put(phrase: str, values: Mapping[str, str]) -> str:
    """The phrase in the reader's language with these values as they are."""
    return PLACE.sub(lambda place: values.get(_name(place[1]), ""), gettext(phrase))


def _worth(value: str, phrases: Sequence[str]) -> str:
    if NUMBER.fullmatch(value):
        return figure(value)
    told = of_phrases(value, phrases)
    return gettext(value) if told == value and "\n" not in value else told


def of_any(sentence: str) -> str:
    """A sentence of which nobody kept what it is of: a feature's, a rule's, or a plain one."""
    known = gettext(sentence) if sentence else ""
    if known != sentence or get_language() in (None, "en"):
        return known
    for name in _features():
        if (told := of_feature(name, sentence)) != sentence:
            return told
    for code in (*_rules(), ""):
        if (told := of_hit(code, sentence)) != sentence:
            return told
    return sentence


def filled(phrase: str, values: dict[str, str]) -> str:
    return PLACE.sub(lambda place: _value(values.get(_name(place[1]), "")), phrase)


def _value(text: str) -> str:
    if text == "from":  # the mean itself; elsewhere the word begins a range
        return pgettext("neither above nor below", "from")
    if text.strip() in WORDS:
        return gettext(text.strip()) + (" " if text.endswith(" ") else "")
    if text in SHARES:
        return gettext(text)
    count, _blank, unit = text.partition(" ")
    if unit in UNITS:
        return gettext(UNITS[unit]).format(count=figure(count))
    return figure(text)


@cache
def pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """The first phrase, and each further one if it is there."""
    made = ""
    for number, phrase in enumerate(phrases):
        inner = _places(phrase, number)
        made += f"(?P<p{number}>{inner})?" if number else inner
    return re.compile(made, re.IGNORECASE | re.DOTALL)


def _places(phrase: str, number: int) -> str:
    pieces, at = [], 0
    for place in PLACE.finditer(phrase):
        pieces += [re.escape(phrase[at : place.start()]), f"(?P<p{number}_{_name(place[1])}>.*?)"]
        at = place.end()
    return "".join([*pieces, re.escape(phrase[at:])])


def _name(place: str) -> str:
    return place.replace(".", "_")


@cache
def _features() -> dict[str, Any]:
    from scoring.engine.features import FEATURES  # compiles its kernel on import: only when needed

    return {feature.name: feature for feature in FEATURES}


@cache
def _rules() -> dict[str, str]:
    from scoring.engine import lane, rules

    return {rule.code: rule.sentence for rule in rules.RULES} | {lane.NOVELTY: lane.SENTENCE}
