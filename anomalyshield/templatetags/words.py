"""How values read on a page: money, scores, ages. Loaded in every template."""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from django import template
from django.utils import dateformat, timezone
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.audit import words as trail
from anomalyshield.context import zone

register = template.Library()
STEPS = ((86400, "d"), (3600, "h"), (60, "min"))
MARKS = {"de": str.maketrans(".,", ",.")}


@register.filter
def figure(text: str) -> str:
    """A number written 1,234.50 with the marks of the reader's language: 1.234,50."""
    marks = MARKS.get(get_language() or "")
    return text.translate(marks) if marks else text


@register.filter
def within(title: object) -> str:
    """A title inside a sentence: in small letters, except where nouns keep their capital."""
    said = str(title)
    return said if get_language() == "de" else said.lower()


@register.filter
def money(amount: Decimal | float | None, currency: str = "") -> str:
    """1,234.50 USD."""
    if amount is None:
        return "–"
    return f"{figure(f'{amount:,.2f}')} {currency}".strip()


@register.filter
def score(value: float | None, digits: int = 2) -> str:
    """0.42; an unknown score is a dash, never a zero."""
    return "–" if value is None or value != value else figure(f"{value:.{digits}f}")


SAID = {
    "TRUE_FRAUD": _lazy("fraud"),
    "FALSE_POSITIVE": _lazy("legitimate"),
    "INCONCLUSIVE": _lazy("inconclusive"),
}


@register.filter
def label_in_words(value: str) -> str:
    """What a label says: fraud, legitimate, inconclusive."""
    return str(SAID.get(value, value))


ENTITIES = {
    "user": _lazy("Customer"),
    "card": _lazy("Card"),
    "device": _lazy("Device"),
    "merchant": _lazy("Merchant"),
    "place": _lazy("Place"),
}


@register.filter
def entity_title(kind: str) -> str:
    """What a kind of entity is called: Customer, Card …"""
    return str(ENTITIES.get(kind, kind))


@register.filter
def upto(count: int, most: int = 0) -> str:
    """1,234; or 10,000+ where no more than so many were counted."""
    return figure(f"{count:,}") + ("+" if most and count >= most else "")


@register.filter
def percent(share: float | None, digits: int = 1) -> str:
    return "–" if share is None or share != share else figure(f"{100 * share:.{digits}f} %")


FORMATS = {
    "": "%Y-%m-%d %H:%M %Z",
    "seconds": "%Y-%m-%d %H:%M:%S %Z",
    "bare": "%Y-%m-%d %H:%M:%S",  # under a heading that names the zone
}


def when(moment: datetime | None, form: str = "") -> str:
    """2026-11-20 14:03 CET: in the reader's own zone, which is never left to be guessed."""
    if not moment:
        return "–"
    here = moment.astimezone(zone_named(zone()))
    return dateformat.format(here, "d M H:i") if form == "short" else here.strftime(FORMATS[form])


@cache
def zone_named(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # a zone this machine does not know (any more)
        return ZoneInfo("UTC")


def ago(moment: datetime | None) -> str:
    """3 h; in the largest unit that fits, so that a column of ages lines up."""
    if not moment:
        return "–"
    return span((timezone.now() - moment).total_seconds())


@register.filter
def span(seconds: float | None) -> str:
    """A length of time in its largest whole unit, signed."""
    if seconds is None:
        return "–"
    size = abs(seconds)
    for unit, name in STEPS:
        if size >= unit:
            return f"{'−' if seconds < 0 else ''}{int(size // unit)} {name}"
    return f"{int(size)} s"


@register.filter
def minutes(count: int) -> str:
    """A time that people set, in whole hours where it is some: 4 h, 90 min."""
    return f"{count} min" if count % 60 else f"{count // 60} h"


def left(moment: datetime | None) -> str:
    """Time until then: 3 h."""
    return "–" if not moment else span((moment - timezone.now()).total_seconds())


def due(moment: datetime | None) -> str:
    """3 d late, or 5 d left."""
    if not moment:
        return "–"
    seconds = (moment - timezone.now()).total_seconds()
    told = _("%(time)s left") if seconds >= 0 else _("%(time)s late")
    return told % {"time": span(abs(seconds))}


# --- moments on pages -----------------------------------------------------------------------------
# A moment is an element: machines read it in ISO 8601, and so does who holds the pointer over it.
# Within an attribute or an option, where no element can stand, `…_said` gives the words alone.
# Sentences made by code take them with `format_html`, which leaves them elements.
def dated(words: str, moment: datetime | None) -> str:
    """These words as an element that says in ISO 8601 which moment they tell of."""
    if not moment:
        return words
    utc = moment.astimezone(UTC).isoformat(timespec="seconds")
    title = f"{when(moment, 'seconds')} ({utc})"
    return format_html('<time datetime="{}" title="{}">{}</time>', utc, title, words)


@register.filter("when")
def when_shown(moment: datetime | None, form: str = "") -> str:
    return dated(when(moment, form), moment)


@register.filter("ago")
def ago_shown(moment: datetime | None) -> str:
    return dated(ago(moment), moment)


@register.filter("left")
def left_shown(moment: datetime | None) -> str:
    return dated(left(moment), moment)


@register.filter("due")
def due_shown(moment: datetime | None) -> str:
    return dated(due(moment), moment)


for plain in (when, ago, left, due):
    register.filter(f"{plain.__name__}_said", plain)


@register.filter
def day(value: date | None, form: str = "") -> str:
    """A day of the calendar, which is no moment: 2026-11-20, or as 20 Nov 2026 (`words`)."""
    if not value:  # what a template does not find is an empty text
        return "–"
    words = dateformat.format(value, "j M Y") if form == "words" else f"{value:%Y-%m-%d}"
    iso = f"{value:%Y-%m-%d}"
    return format_html('<time datetime="{}" title="{}">{}</time>', iso, iso, words)


@register.filter
def day_said(value: date | None) -> str:
    """As a field for days holds it; empty where there is none."""
    return f"{value:%Y-%m-%d}" if value else ""


@register.filter
def signed(value: float, digits: int = 2) -> str:
    """+0.42 or −0.42: a direction is never guessed from a colour alone."""
    return figure(f"{value:+.{digits}f}").replace("-", "−")


@register.filter
def item(words: dict[str, str], name: str) -> str:
    """What a name is called; itself where nobody has said."""
    return words.get(name, name)


@register.filter
def unlocalized(value: float) -> str:
    """A number as an attribute wants it: never a NaN, never a comma."""
    return "0" if value != value else f"{value:.4f}"


@register.filter
def masked_if(value: str, hidden: bool) -> str:
    """The value, or only its ends for someone who may look but not work: `us…11`."""
    if not hidden or not value:
        return value
    return f"{value[:2]}…{value[-2:]}" if len(value) >= 6 else "…"


@register.filter
def actor_in_words(actor: str) -> str:
    """Who did it: a user name, or a worker, a command, a key."""
    return trail.actor_in_words(actor)


@register.filter
def kind_in_words(object_type: str) -> str:
    """What an object of the trail is called: alert, case, list entry."""
    return trail.kind_in_words(object_type)
