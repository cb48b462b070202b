"""How much work waits, and for how long: asked of the rows, which are the queue."""

from dataclasses import dataclass

from django.apps import apps
from django.db import connection

from anomalyshield.leases import Leased

COUNT = """
SELECT count(*), coalesce(extract(epoch FROM statement_timestamp() - min(due_at)), 0)::float8,
    (SELECT count(*) FROM {table} WHERE state = 'QUARANTINED')
FROM {table} WHERE state = 'READY' AND due_at <= statement_timestamp()
"""


@dataclass(frozen=True)
class Waiting:
    """One kind of work: rows ready, the age of the oldest in seconds, rows set aside."""

    name: str
    ready: int
    oldest: float
    quarantined: int


def waiting() -> list[Waiting]:
    """Every kind of work, in the order of the apps; a new one is in here by being `Leased`."""
    found = []
    with connection.cursor() as cursor:
        for model in apps.get_models():
            if issubclass(model, Leased):
                table = connection.ops.quote_name(model._meta.db_table)
                cursor.execute(COUNT.format(table=table))
                found.append(Waiting(model._meta.model_name, *cursor.fetchone()))
    return found
