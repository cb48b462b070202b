"""How many alerts each view of the queue holds, all of them in one question to the database."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q, QuerySet

from alerts.listing import Question, narrow
from alerts.models import Alert
from anomalyshield.templatetags.words import figure

MOST = 1_000  # counted no further: nobody acts otherwise on more
LOOKED = 2_000  # of each queue, for what no index serves
# How many does not depend on the order: by this one an index alone knows what is late.
BY_TIME = ("due_at", "id")


@dataclass(frozen=True)
class Count:
    """How many, and whether there may be more than were counted or looked at."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        return figure(f"{self.number:,}") + ("+" if self.more else "")


def counts(asks: Sequence[Question], user: object) -> list[Count]:
    """One count per question, each over at most so many rows."""
    parts, values = [], []
    for one in asks:
        for rows in (_found(one, user), _looked_at(one, user)):
            sql, params = (
                rows.query.sql_with_params() if rows is not None else ("SELECT 1 WHERE FALSE", ())
            )
            parts.append(f"(SELECT count(*) FROM ({sql}) AS counted)")
            values += params
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        told = cursor.fetchone()
    return [
        Count(min(found, MOST), found > MOST or looked >= LOOKED)
        for found, looked in zip(told[::2], told[1::2], strict=True)
    ]


def _found(asks: Question, user: object) -> "QuerySet[Alert] | None":
    alerts = narrow(Alert.objects.all(), asks.filters, user)
    if not asks.queues:
        return None
    if asks.rest is None:
        late = asks.filters.get("status") == "overdue"
        return alerts.across(asks.queues, BY_TIME if late else asks.order, MOST + 1)
    among = Q()
    for queue in asks.queues:
        first = alerts.filter(queue=queue).order_by(*asks.order).values("pk")[:LOOKED]
        among |= Q(pk__in=first)
    return Alert.objects.filter(among).filter(asks.rest).order_by().values("pk")[: MOST + 1]


def _looked_at(asks: Question, user: object) -> "QuerySet[Alert] | None":
    """How many those were that were looked through; none where an index finds them all."""
    if asks.rest is None or not asks.queues:
        return None
    alerts = narrow(Alert.objects.all(), asks.filters, user)
    return alerts.across(asks.queues, asks.order, LOOKED)
