"""Who met whom, read from the payments by index: each entity's latest ones, up to so many.

Nothing is stored and nothing walks all payments: every branch begins at one key of one index and
ends after a fixed number of rows, so a supermarket costs no more than a corner shop. Places have no
index: they are met on the way and never begun with.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from anomalyshield.together import Part, Sql, alone
from scoring.engine.history import KINDS

EACH = 400  # payments read of one entity while looking around
EXACT = 2000  # payments read of one customer to count what an edge stands on
FRAUDS_EACH = 50
HUB = 50  # with more customers than this among what was read, it says nothing about anybody


class Id(NamedTuple):
    """An entity as the payments index it; written `device.-17` in addresses, which name nobody."""

    kind: str
    key: int

    def __str__(self) -> str:
        return f"{self.kind}.{self.key}"


class Met(NamedTuple):
    """One customer and one thing that shared payments."""

    user: int
    user_id: str
    thing: Id
    value: str
    payments: int
    last: datetime
    degree: int  # customers of the thing among what was read; 0: not looked at


class Evidence(NamedTuple):
    """What an edge stands on; `at_least`: the customer has more payments than were read."""

    payments: int
    first: datetime
    last: datetime
    units: int
    frauds: int
    at_least: bool


@dataclass(frozen=True)
class Span:
    """Whose payments of which time are read; `source` alone for a key that is bound to it."""

    since: datetime
    until: datetime
    source: int | None = None

    @property
    def params(self) -> dict[str, Any]:
        return {"since": self.since, "until": self.until, "source": self.source}


WITHIN = (
    "event_time >= %(since)s AND event_time <= %(until)s"
    " AND (%(source)s::int8 IS NULL OR source_id = %(source)s::int8)"
)
READ = (
    "id, event_time, amount_units, user_id, card_key, card_id, device_key, device_id,"
    " merchant_key, merchant_name, place_key, location, country"
)
THINGS = """
(VALUES ('card', card_key, card_id), ('device', device_key, device_id),
    ('merchant', merchant_key, merchant_name),
    ('place', place_key, coalesce(nullif(location, ''), country))) AS met (kind, key, value)
"""
OF_USERS = f"""
SELECT whose.key, max(paid.user_id), met.kind, met.key, max(met.value), count(*), max(event_time), 0
FROM unnest(%(users)s::int8[]) AS whose (key)
CROSS JOIN LATERAL (
    SELECT {READ} FROM scoring_transaction WHERE user_key = whose.key AND {WITHIN}
    ORDER BY event_time DESC LIMIT {EACH}
) AS paid
CROSS JOIN LATERAL {THINGS}
WHERE met.key <> 0 GROUP BY whose.key, met.kind, met.key
"""
OF_ONE_KIND = f"""
SELECT paid.user_key, max(paid.user_id) AS user_id, '{{kind}}' AS kind, whose.key,
    max({{text}}) AS value, count(*) AS payments, max(event_time) AS last
FROM unnest(%({{kind}})s::int8[]) AS whose (key)
CROSS JOIN LATERAL (
    SELECT user_key, user_id, {{text}}, event_time FROM scoring_transaction
    WHERE {{kind}}_key = whose.key AND {{kind}}_key <> 0 AND {WITHIN}
    ORDER BY event_time DESC LIMIT {EACH}
) AS paid
GROUP BY whose.key, paid.user_key
"""
TEXTS = {"card": "card_id", "device": "device_id", "merchant": "merchant_name"}
# Of a hub one row comes back, which says how many customers it has.
OF_THINGS = """
SELECT user_key, user_id, kind, key, value, payments, last, degree
FROM (
    SELECT *, count(*) OVER whole AS degree,
        row_number() OVER (PARTITION BY kind, key ORDER BY payments DESC, user_key) AS place
    FROM ({branches}) AS met
    WINDOW whole AS (PARTITION BY kind, key)
) AS counted
WHERE place <= CASE WHEN degree > %(hub)s THEN %(of_hubs)s ELSE degree END
""".format(
    branches=" UNION ALL ".join(
        OF_ONE_KIND.format(kind=kind, text=text) for kind, text in TEXTS.items()
    )
)
EDGES = f"""
SELECT whose.key, met.kind, met.key, max(met.value), count(*), min(event_time), max(event_time),
    sum(amount_units)::int8, count(*) FILTER (WHERE paid.id = ANY(%(frauds)s::int8[])),
    bool_or(paid.more)
FROM unnest(%(users)s::int8[]) AS whose (key)
CROSS JOIN LATERAL (
    SELECT *, count(*) OVER () >= {EXACT} AS more FROM (
        SELECT {READ} FROM scoring_transaction WHERE user_key = whose.key AND {WITHIN}
        ORDER BY event_time DESC LIMIT {EXACT}
    ) AS latest
) AS paid
CROSS JOIN LATERAL {THINGS}
JOIN unnest(%(kinds)s::text[], %(keys)s::int8[]) AS wanted (kind, key)
    ON wanted.kind = met.kind AND wanted.key = met.key
GROUP BY whose.key, met.kind, met.key
"""
FRAUDS = f"""
SELECT whose.kind, whose.key, said.transaction_id, said.known_at
FROM unnest(%(kinds)s::int8[], %(keys)s::int8[]) AS whose (kind, key)
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (transaction_id) transaction_id, known_at, fraud
    FROM (
        SELECT id, transaction_id, known_at, fraud FROM scoring_entityfraud AS one
        WHERE one.kind = whose.kind AND one.key = whose.key
        ORDER BY event_time DESC, id DESC LIMIT {FRAUDS_EACH}
    ) AS read
    ORDER BY transaction_id, id DESC
) AS said
WHERE said.fraud AND NOT EXISTS (
    SELECT FROM alerts_alerthit AS hit
    JOIN alerts_review AS review ON review.alert_id = hit.alert_id
    JOIN alerts_verdict AS verdict ON verdict.id = review.verdict_id
    WHERE hit.transaction_id = said.transaction_id
      AND coalesce(review.reviewer_id, review.holder_id) = %(reader)s
      AND review.answered_at IS NULL AND verdict.undone_at IS NULL
)
"""


def of_users(users: Sequence[int], span: Span) -> list[Met]:
    """With what, at whom and where these customers paid."""
    return _met(OF_USERS, {"users": list(users), **span.params})


def of_things(things: Iterable[Id], span: Span, *, of_hubs: int = 1) -> list[Met]:
    """Which customers paid with these cards and devices, and at these merchants.

    Of a hub no more than `of_hubs` of them, those with most payments.
    """
    keys: dict[str, list[int]] = {kind: [] for kind in TEXTS}
    for thing in things:
        keys[thing.kind].append(thing.key)
    return _met(OF_THINGS, {**keys, **span.params, "hub": HUB, "of_hubs": of_hubs})


def edges(
    users: Sequence[int], things: Sequence[Id], frauds: Iterable[int], span: Span
) -> dict[tuple[int, Id], tuple[str, Evidence]]:
    """Of each customer and thing that shared payments what they shared, and the thing's name."""
    asked = {
        "users": list(users),
        "kinds": [thing.kind for thing in things],
        "keys": [thing.key for thing in things],
        "frauds": sorted(frauds),
        **span.params,
    }
    return {
        (user, Id(kind, key)): (value, Evidence(*rest))
        for user, kind, key, value, *rest in _rows(EDGES, asked)
    }


def frauds(ids: Sequence[Id], reader: int = 0) -> dict[Id, dict[int, datetime]]:
    """Of each that has some: the payments called fraud now, and since when that is known; without
    those of alerts that the reader reviews and must not know the verdict of."""
    return alone(known_frauds(ids, reader))


def known_frauds(ids: Sequence[Id], reader: int = 0) -> Part[dict[Id, dict[int, datetime]]]:
    """The same, asked along with something else."""
    known = [one for one in ids if one.kind in KINDS]
    asked: dict[str, Any] = {"kinds": [KINDS[one.kind] for one in known], "reader": reader}
    asked["keys"] = [one.key for one in known]
    names = {number: kind for kind, number in KINDS.items()}
    found: dict[Id, dict[int, datetime]] = {}
    for kind, key, transaction, known_at in (yield Sql(FRAUDS, asked)):
        found.setdefault(Id(names[kind], key), {})[transaction] = known_at
    return found


def _met(sql: str, asked: dict[str, Any]) -> list[Met]:
    return [
        Met(user, user_id, Id(kind, key), value, *rest)
        for user, user_id, kind, key, value, *rest in _rows(sql, asked)
    ]


def _rows(sql: str, asked: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, asked)
        return cursor.fetchall()
