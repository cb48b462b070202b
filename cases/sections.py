"""The five sections of a report, and what is still missing in them. No database here.

The shape is that of FinCEN's SAR as far as one house can fill it: subject, suspicious activity,
filing institution, contact, narrative. FFIEC's manual asks for a narrative that tells who, what,
when, where, why and how, and that never says “see attachment”.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

SHORTEST = 200  # letters of a narrative
LONGEST = 17_000  # what the authority's form takes
Content = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Field:
    """One box: its name, its title, and how it is filled."""

    name: str
    title: str
    required: bool = True
    kind: str = "text"  # text, long, day, money, known
    most: int = 200
    help: str = ""


@dataclass(frozen=True)
class Section:
    """What belongs together on the form."""

    name: str
    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Missing:
    """What is wrong with one field, in a sentence."""

    section: str
    field: str
    sentence: str


SECTIONS = (
    Section(
        "subject",
        _lazy("Subject"),
        (
            Field("known", _lazy("Known or not"), kind="known"),
            Field("name", _lazy("Name or firm")),
            Field("customer", _lazy("Customer number"), help=_lazy("As the payments have it")),
            Field("address", _lazy("Address"), required=False, kind="long", most=500),
            Field("born", _lazy("Date of birth"), required=False, kind="day"),
            Field("document", _lazy("Identity document"), required=False),
            Field(
                "relation",
                _lazy("Relation to this institution"),
                help=_lazy("Customer, merchant, employee"),
            ),
        ),
    ),
    Section(
        "activity",
        _lazy("Suspicious activity"),
        (
            Field("began", _lazy("Began on"), kind="day"),
            Field("ended", _lazy("Ended on"), kind="day"),
            Field("amount", _lazy("Amount involved"), kind="money"),
            Field("currency", _lazy("Currency"), most=3),
            Field(
                "typology",
                _lazy("Kind of activity"),
                help=_lazy("Card testing, mule, structuring …"),
            ),
            Field("product", _lazy("Product or channel"), required=False),
        ),
    ),
    Section(
        "institution",
        _lazy("Filing institution"),
        (
            Field("name", _lazy("Name of the institution")),
            Field("address", _lazy("Address of the institution"), kind="long", most=500),
            Field("identifier", _lazy("Regulator’s or tax number")),
        ),
    ),
    Section(
        "contact",
        _lazy("Contact"),
        (
            Field("name", _lazy("Name or office")),
            Field("title", _lazy("Title"), required=False),
            Field("phone", _lazy("Telephone")),
            Field("mail", _lazy("Mail"), required=False),
        ),
    ),
    Section(
        "narrative",
        _lazy("Narrative"),
        (Field("text", _lazy("What happened"), kind="long", most=LONGEST),),
    ),
)
FIELDS = {(section.name, field.name): field for section in SECTIONS for field in section.fields}
ATTACHED = re.compile(r"\bsee\s+(the\s+)?(attach|enclos)", re.IGNORECASE)
PROMPT = re.compile(r"\[(Say|Name|Describe)\b[^\]]*\]")


def empty() -> dict[str, dict[str, str]]:
    """A report that says nothing yet."""
    return {section.name: {field.name: "" for field in section.fields} for section in SECTIONS}


def cleaned(content: Content) -> dict[str, dict[str, str]]:
    """Every known field as text without edges, cut to its length; what nobody knows is left out."""
    said = empty()
    for (section, name), field in FIELDS.items():
        text = str(content.get(section, {}).get(name, "") or "").replace("\0", "")
        said[section][name] = text.replace("\r\n", "\n").strip()[: field.most]
    return said


def missing(content: Content, today: date) -> list[Missing]:
    """What keeps it from being sent, in the order of the form; an empty list is a complete one."""
    said = cleaned(content)
    found = [
        problem
        for (section, name), field in FIELDS.items()
        if (problem := _field(section, field, said[section][name], said, today))
    ]
    return [*found, *_dates(said)]


def complete(content: Content, today: date) -> dict[str, bool]:
    """For each section whether nothing is missing."""
    wrong = {one.section for one in missing(content, today)}
    return {section.name: section.name not in wrong for section in SECTIONS}


def _field(section: str, field: Field, text: str, said: Content, today: date) -> Missing | None:
    if not text:
        unknown = section == "subject" and said["subject"]["known"] == "no"
        if not field.required or (unknown and field.name != "known"):
            return None
        return Missing(section, field.name, _("{title} is missing.").format(title=field.title))
    sentence = ""
    if field.kind == "day":
        sentence = _day(field, text, today)
    elif field.kind == "money":
        sentence = "" if _money(text) else _("“{text}” is no amount above zero.").format(text=text)
    elif field.kind == "known":
        sentence = "" if text in ("yes", "no") else _("Say yes or no.")
    elif field.name == "currency":
        fits = re.fullmatch("[A-Z]{3}", text)
        sentence = "" if fits else _("“{text}” is no currency code, like USD.").format(text=text)
    elif section == "narrative":
        sentence = _narrative(text)
    return Missing(section, field.name, sentence) if sentence else None


def _day(field: Field, text: str, today: date) -> str:
    day = day_of(text)
    if day is None:
        return _("{title}: “{text}” is no date, like 2026-11-30.").format(
            title=field.title, text=text
        )
    return (
        _("{title}: {day} is still to come.").format(title=field.title, day=day)
        if day > today
        else ""
    )


def _money(text: str) -> bool:
    try:
        return Decimal(text.replace(",", "")) > 0
    except InvalidOperation:
        return False


def _narrative(text: str) -> str:
    if ATTACHED.search(text):
        return _("It has to tell what happened by itself: “see attachment” is not accepted.")
    if prompt := PROMPT.search(text):
        return _("Still to be said: {prompt}").format(prompt=prompt[0])
    if len(text) < SHORTEST:
        return _("{text} letters do not tell who, what, when, where, why and how.").format(
            text=len(text)
        )
    return ""


def _dates(said: Content) -> list[Missing]:
    began, ended = (day_of(said["activity"][name]) for name in ("began", "ended"))
    if began and ended and ended < began:
        return [
            Missing(
                "activity",
                "ended",
                _("It ended on {ended}, before it began on {began}.").format(
                    ended=ended, began=began
                ),
            )
        ]
    return []


def day_of(text: str) -> date | None:
    """A date as it is written on the form."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
