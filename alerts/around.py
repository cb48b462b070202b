"""Whom an alert leads to: card, device and merchant of its payment, and who else shares them.

Each is looked up by its index and read no further than is shown: a supermarket costs no more than
a corner shop.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from alerts.entities import COLUMNS, Kind
from alerts.linkrows import Id, known_frauds
from alerts.models import Alert, EntityNote
from anomalyshield.together import Part, Sql, side_by_side
from scoring.models import ListEntry
from scoring.withheld import readable_entries

SHARED = 6  # other customers named of one card or device
SHAREABLE = (Kind.CARD, Kind.DEVICE)
READ = 400  # payments of each looked through for them
NOTES = 5
OTHERS = """
SELECT DISTINCT ON (thing, paid.user_key) thing, paid.user_key, paid.user_id
FROM unnest(%(kinds)s::text[], %(keys)s::bigint[]) AS asked (thing, key)
JOIN LATERAL (
    (SELECT user_key, user_id FROM scoring_transaction
     WHERE asked.thing = 'card' AND card_key = asked.key AND card_key <> 0
     ORDER BY event_time DESC LIMIT {read})
    UNION ALL
    (SELECT user_key, user_id FROM scoring_transaction
     WHERE asked.thing = 'device' AND device_key = asked.key AND device_key <> 0
     ORDER BY event_time DESC LIMIT {read})
) AS paid ON paid.user_key <> %(user)s
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


def around(alert: Alert, reader: Any, *, with_notes: bool) -> Part[Around]:
    """In two rounds: who shares them, then what is known of all of these."""
    paid = alert.transaction
    named = [
        Linked(str(kind), str(getattr(paid, text)), int(getattr(paid, key)))
        for kind, (key, text) in COLUMNS.items()
        if getattr(paid, text)
    ]
    shared, notes = yield _sharers(named, paid.user_key), _notes(named, with_notes)
    _share(named, shared)
    known = [one for thing in named for one in (thing, *thing.others)]
    said, listed = yield from side_by_side(
        known_frauds([one.id for one in known]), _listed(known, reader)
    )
    for one in known:
        one.frauds, one.listed = len(said.get(one.id, {})), listed.get(one.id, "")
    wanted = {one.id for one in named}
    return Around(named, [n for n in notes if Id(n.kind, n.key) in wanted][:NOTES])


def _sharers(named: Sequence[Linked], user_key: int) -> Sql:
    """Other customers of the card and the device."""
    things = [one for one in named if one.kind in SHAREABLE]
    kinds, keys = [str(one.kind) for one in things], [one.key for one in things]
    return Sql(OTHERS.format(read=READ), {"kinds": kinds, "keys": keys, "user": user_key})


def _share(named: Sequence[Linked], rows: Sequence[tuple[str, int, str]]) -> None:
    """In the order of their names."""
    for thing in (one for one in named if one.kind in SHAREABLE):
        found = [Linked("user", value, key) for kind, key, value in rows if kind == thing.kind]
        found.sort(key=lambda one: one.value)
        thing.others, thing.more = found[:SHARED], max(len(found) - SHARED, 0)


def _listed(known: Sequence[Linked], reader: Any) -> Part[dict[Id, str]]:
    rows = ListEntry.objects.filter(state="ACTIVE", key__in={one.key for one in known})
    rows = readable_entries(rows, reader)
    said = yield rows.values_list("entity", "key", "kind")
    return {Id(entity, key): kind for entity, key, kind in said}


def _notes(named: Sequence[Linked], shown: bool) -> "QuerySet[EntityNote]":
    """Those that stand, of any of these keys, latest first."""
    if not shown:
        return EntityNote.objects.none()
    kept = EntityNote.objects.filter(key__in=[one.key for one in named], retracted_at=None)
    return kept.select_related("author")[:50]
