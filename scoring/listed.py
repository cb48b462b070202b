"""The lists as the engine asks them: those in force now, and those a past decision met."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from scoring import personal
from scoring.engine.decision import ALLOW, DENY
from scoring.engine.keys import entity_key
from scoring.engine.lists import Entry, Lists
from scoring.models import ListEntry, Source
from scoring.models.lists import ListEntryQuerySet

VEILED = {"user", "card", "device"}  # whom a source may declare personal
CODES = {ListEntry.Kind.DENY: DENY, ListEntry.Kind.ALLOW: ALLOW}
FIELDS = ("pk", "kind", "entity", "key")


def entries_in_force() -> list[Entry]:
    """The entries, for whoever makes lists of them elsewhere."""
    asked = ListEntry.objects.in_force().order_by("pk")
    return [*_entries(asked.values_list(*FIELDS)), *_under_the_veil(asked)]


def in_force() -> tuple[Lists, datetime | None]:
    """The lists, and when the first of their entries runs out."""
    asked = ListEntry.objects.in_force().order_by()
    rows = list(asked.values_list(*FIELDS, "expires_at"))
    ends = min((row[-1] for row in rows if row[-1] is not None), default=None)
    return Lists([*_entries(row[:-1] for row in rows), *_under_the_veil(asked)]), ends


def numbers_in(hits: Sequence[dict[str, Any]]) -> tuple[int, ...]:
    """The entries that the hits of a decision name."""
    return tuple(int(hit["observed"]) for hit in hits if hit["code"] in CODES.values())


def numbered(numbers: Sequence[int]) -> list[Entry]:
    """Those entries, ended or not: what they say of whom is never edited."""
    if not numbers:
        return []
    asked = ListEntry.objects.filter(pk__in=numbers).order_by()
    return [*_entries(asked.values_list(*FIELDS)), *_under_the_veil(asked)]


def _under_the_veil(asked: ListEntryQuerySet) -> Iterable[Entry]:
    """The same people as they are stored by a source that declares their ids personal."""
    if not Source.objects.exclude(pii=[]).exists():
        return []
    rows = asked.filter(entity__in=VEILED).values_list(*FIELDS[:3], "value")
    return _entries((*row[:3], entity_key(personal.token_of(row[3]))) for row in rows)


def _entries(rows: Iterable[tuple[int, str, str, int]]) -> Iterable[Entry]:
    return (
        Entry(number, CODES[ListEntry.Kind(kind)], entity, key)
        for number, kind, entity, key in rows
    )
