"""An entity beside others of its kind that pay about as often.

The others are a sample: of the latest payments of the installation the entities, some of them
chosen by the hash of their key, so that it is the same sample for everybody. Each is looked up by
its index, up to so many payments; nothing walks all payments, and the sample is kept for a while.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from django.db import connection
from django.utils.translation import gettext_noop as _noop

from alerts.baseline import UNITS, Paid, quantile
from alerts.entities import COLUMNS, Entity, Kind

LATEST, SAMPLE, EACH = 5000, 120, 200  # payments looked through; entities; payments of each
DAYS = 30
KEPT = 900  # seconds a sample is kept by a process
ENOUGH, NEAREST = 10, 30  # peers within a factor of two; if fewer, so many of the nearest
FEWEST = 5  # with fewer nothing is said
COUNTED = {
    "user_key": _noop("customers"),
    "card_key": _noop("cards"),
    "device_key": _noop("devices"),
    "merchant_key": _noop("merchants"),
    "place_key": _noop("places"),
}
# The other figures by name; pages tell all of them in the reader's language.
PAID = (_noop("payments"), _noop("median amount"), _noop("90th percentile"))
SQL = """
SELECT chosen.key, paid.count, paid.median, paid.p90, {names}
FROM (
    SELECT key, max(event_time) AS until
    FROM (
        SELECT {key} AS key, event_time FROM scoring_transaction
        ORDER BY event_time DESC LIMIT {latest}
    ) AS recent
    WHERE key <> 0 GROUP BY key ORDER BY hashint8(key), key LIMIT {sample}
) AS chosen
CROSS JOIN LATERAL (
    SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY amount_units) AS median,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY amount_units) AS p90, {counts}
    FROM (
        SELECT amount_units, {names} FROM scoring_transaction
        WHERE {key} = chosen.key AND {key} <> 0 AND event_time <= chosen.until
          AND event_time > chosen.until - interval '{days} days'
        ORDER BY event_time DESC LIMIT {each}
    ) AS part
) AS paid
"""


@dataclass(frozen=True)
class Measure:
    """One figure of the last thirty days beside those of the peers."""

    name: str
    is_money: bool
    value: float
    median: float
    p10: float
    p90: float
    higher_than: float  # share of the peers; those who are equal count half


@dataclass(frozen=True)
class Peers:
    """How many they are, and each measure; no measures where there are too few."""

    count: int
    fewest: int
    most: int
    measures: list[Measure]


def beside(entity: Entity, rows: Sequence[Paid]) -> Peers:
    """Its last thirty days and those of others with about as many payments."""
    own = figures_of(entity.kind, rows)
    others = [row for key, row in sample(entity.kind) if key != entity.key]
    like = _alike(others, own["payments"]) if entity.source is None else []
    if len(like) < FEWEST:
        return Peers(len(like), 0, 0, [])
    counts = [one["payments"] for one in like]
    told = [_measure(name, own[name], [one[name] for one in like]) for name in own]
    return Peers(len(like), int(min(counts)), int(max(counts)), told)


def figures_of(kind: str, rows: Sequence[Paid]) -> dict[str, float]:
    """What the query below computes of others, of these payments; latest first."""
    since = rows[0].event_time - timedelta(days=DAYS)
    part = [row for row in rows[:EACH] if row.event_time > since]
    amounts = sorted(row.worth for row in part)
    found = {"payments": float(len(part)), "median amount": quantile(amounts, 0.5)}
    found["90th percentile"] = quantile(amounts, 0.9)
    for column, name in _counted(kind).items():
        found[name] = float(len({getattr(row, column) for row in part} - {0}))
    return found


def sample(kind: str) -> list[tuple[int, dict[str, float]]]:
    """Key and figures of the entities of the sample."""
    return _sample(kind, int(time.time() // KEPT))


def forget() -> None:
    """Look again at once: for tests, whose payments come and go."""
    _sample.cache_clear()


@lru_cache(maxsize=len(Kind))
def _sample(kind: str, _: int) -> list[tuple[int, dict[str, float]]]:
    counted = _counted(kind)
    sql = SQL.format(
        key=COLUMNS[kind][0],
        names=", ".join(counted),
        counts=", ".join(f"count(DISTINCT nullif({c}, 0)) AS {c}" for c in counted),
        latest=LATEST,
        sample=SAMPLE,
        each=EACH,
        days=DAYS,
    )
    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows = cursor.fetchall()
    names = (*PAID, *counted.values())
    scale = (1.0, 1 / UNITS, 1 / UNITS, *(1.0 for _ in counted))
    return [
        (key, {n: float(v) * s for n, v, s in zip(names, values, scale, strict=True)})
        for key, *values in rows
    ]


def _counted(kind: str) -> dict[str, str]:
    return {column: name for column, name in COUNTED.items() if column != COLUMNS[kind][0]}


def _alike(others: list[dict[str, float]], payments: float) -> list[dict[str, float]]:
    def apart(one: dict[str, float]) -> float:
        return abs(math.log(max(one["payments"], 1) / max(payments, 1)))

    near = [one for one in others if apart(one) <= math.log(2)]
    return near if len(near) >= ENOUGH else sorted(others, key=apart)[:NEAREST]


def _measure(name: str, value: float, others: list[float]) -> Measure:
    ordered = sorted(others)
    below = sum(one < value for one in ordered) + sum(one == value for one in ordered) / 2
    spread = [quantile(ordered, share) for share in (0.5, 0.1, 0.9)]
    money = name in {"median amount", "90th percentile"}
    return Measure(name, money, value, *spread, below / len(ordered))
