"""Whom an alert leads to: card, device and merchant of its payment, and who else shares them.

Each is looked up by its index and read no further than is shown: a supermarket costs no more than
a corner shop.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from alerts.entities import COLUMNS, Kind
from alerts.linkrows import Id, frauds
from alerts.models import Alert, EntityNote
from scoring.models import ListEntry
from scoring.withheld import readable_entries

SHARED = 6  # other customers named of one card or device
READ = 400  # payments of each looked through for them
NOTES = 5
OTHERS = """
SELECT DISTINCT ON (thing, paid.user_key) thing, paid.user_key, paid.user_id
FROM unnest(%s::text[], %s::bigint[]) AS asked (thing, key)
JOIN LATERAL (
    (SELECT user_key, user_id FROM scoring_transaction
     WHERE asked.thing = 'card' AND card_key = asked.key AND card_key <> 0
     ORDER BY event_time DESC LIMIT {read})
    UNION ALL
    (SELECT user_key, user_id FROM scoring_transaction
     WHERE asked.thing = 'device' AND device_key = asked.key AND device_key <> 0
     ORDER BY event_time DESC LIMIT {read})
) AS paid ON paid.user_key <> %s
"""


@dataclass
class Linked:
    """One entity beside the alert: what is known of it, and who else shares it."""

    kind: str
    value: str
    key: int
    frauds: int = 0
    listed: str = ""  # DENY or ALLOW, while in force
    others: list["Linked"] = field(default_factory=list)  # customers who share it
    more: int = 0

    @property
    def title(self) -> str:
        return str(Kind(self.kind).label)

    @property
    def id(self) -> Id:
        return Id(self.kind, self.key)


@dataclass(frozen=True)
class Around:
    """Customer, card, device and merchant of the leading payment, and notes pinned to them."""

    entities: list[Linked]
    notes: list[EntityNote]


def around(alert: Alert, reader: Any, *, with_notes: bool) -> Around:
    """In four queries."""
    paid = alert.transaction
    named = [
        Linked(str(kind), str(getattr(paid, text)), int(getattr(paid, key)))
        for kind, (key, text) in COLUMNS.items()
        if getattr(paid, text)
    ]
    _share(named, paid.user_key)
    known = [one for thing in named for one in (thing, *thing.others)]
    said = frauds([one.id for one in known])
    listed = _listed(known, reader)
    for one in known:
        one.frauds, one.listed = len(said.get(one.id, {})), listed.get(one.id, "")
    return Around(named, _notes(named) if with_notes else [])


def _share(named: Sequence[Linked], user_key: int) -> None:
    """Other customers of the card and the device, in the order of their names."""
    things = [one for one in named if one.kind in (Kind.CARD, Kind.DEVICE)]
    if not things:
        return
    asked = [[one.kind for one in things], [one.key for one in things], user_key]
    with connection.cursor() as cursor:
        cursor.execute(OTHERS.format(read=READ), asked)
        rows = cursor.fetchall()
    for thing in things:
        found = [Linked("user", value, key) for kind, key, value in rows if kind == thing.kind]
        found.sort(key=lambda one: one.value)
        thing.others, thing.more = found[:SHARED], max(len(found) - SHARED, 0)


def _listed(known: Sequence[Linked], reader: Any) -> dict[Id, str]:
    rows = ListEntry.objects.filter(state="ACTIVE", key__in={one.key for one in known})
    rows = readable_entries(rows, reader)
    said = rows.values_list("entity", "key", "kind")
    return {Id(entity, key): kind for entity, key, kind in said}


def _notes(named: Sequence[Linked]) -> list[EntityNote]:
    """Those that stand, of any of them, latest first."""
    kept = EntityNote.objects.filter(key__in=[one.key for one in named], retracted_at=None)
    wanted, rows = {one.id for one in named}, kept.select_related("author")[:50]
    return [note for note in rows if Id(note.kind, note.key) in wanted][:NOTES]
