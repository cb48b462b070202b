"""How much work waits, and for how long: asked of the rows, which are the queue."""

from dataclasses import dataclass

from django.apps import apps
from django.db import connection

from anomalyshield.leases import Leased
from anomalyshield.together import Part, Sql, alone

COUNT = """
SELECT {place}, count(*),
    coalesce(extract(epoch FROM statement_timestamp() - min(due_at)), 0)::float8,
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
    """Every kind of work, in the order of the apps; a new one is in here by being `Leased`.

    In one statement, however many kinds there are.
    """
    return alone(all_work())


def all_work() -> Part[list[Waiting]]:
    """The same, asked along with something else."""
    models = [model for model in apps.get_models() if issubclass(model, Leased)]
    quoted = connection.ops.quote_name
    parts = [
        COUNT.format(place=place, table=quoted(model._meta.db_table))
        for place, model in enumerate(models)
    ]
    rows = yield Sql(f"{' UNION ALL '.join(parts)} ORDER BY 1")
    return [Waiting(models[row[0]]._meta.model_name, *row[1:]) for row in rows]
