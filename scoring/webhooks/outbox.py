"""The rows of what is told, many in one piece: a chunk of features is ten megabytes of bodies.

Made as models they cost twenty times as much: the driver looks for parameters in all of the text.
"""

import uuid
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection

from scoring import wire
from scoring.models import Delivery, Endpoint

EVENT = ("id", "type", "key", "body")
DELIVERY = ("event_id", "endpoint_id", "state", "attempts", "tries", "error", "said", "final")
UNTRIED = "0\t0\t\t\tf"  # the columns of a delivery from `attempts` on


class Letter(NamedTuple):
    """What is sent, and whose it is. Those with one key keep their order."""

    body: str
    key: str


def put(type: str, letters: Iterable[Letter], endpoints: Sequence[Endpoint]) -> int:
    """Write them down for each endpoint, in the caller's transaction and in their order.

    Those that pause get them later. Tells how many letters there were.
    """
    ids: list[uuid.UUID] = []
    events: list[str] = []
    for letter in letters:
        ids.append(id := uuid.uuid4())
        events.append(f"{id}\t{type}\t{wire.escaped(letter.key)}\t{wire.escaped(letter.body)}")
    _copy("scoring_outboundevent", EVENT, events)
    ends = [f"{one.pk}\t{state_for(one)}\t{UNTRIED}" for one in endpoints]
    _copy("scoring_delivery", DELIVERY, (f"{id}\t{end}" for id in ids for end in ends))
    return len(ids)


def state_for(endpoint: Endpoint) -> str:
    """The state of what is addressed to it now."""
    active = endpoint.state == Endpoint.State.ACTIVE
    return Delivery.State.READY if active else Delivery.State.WAITING


def _copy(table: str, columns: Sequence[str], rows: Iterable[str]) -> None:
    sql = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(sql) as copy,
    ):
        copy.write(wire.lines(rows))
