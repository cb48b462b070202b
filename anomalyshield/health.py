"""Is everything there that a decision needs, and what waits for whom."""

from typing import Any

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from anomalyshield.metrics import QUEUES


def problems() -> list[str]:
    """What keeps this process from deciding, in words; empty when it is ready."""
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return ["The database lacks tables: run manage.py migrate."]
        return [] if _has_champion() else ["No model is champion yet: train and promote one."]
    except DatabaseError as error:
        return [f"The database does not answer: {str(error).splitlines()[0]}"]


def _has_champion() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM scoring_modelversion WHERE state = 'CHAMPION')"
        )
        return bool(cursor.fetchone()[0])


def overdue() -> dict[str, float]:
    """Seconds the oldest claimable row of each kind of work has been waiting."""
    ages = {}
    with connection.cursor() as cursor:
        for table in QUEUES:
            cursor.execute(
                "SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0)"
                f" FROM {table} WHERE state = 'READY' AND due_at <= now()"
            )
            ages[table.removeprefix("scoring_")] = float(cursor.fetchone()[0])
    return ages


def summary(user: Any) -> list[dict[str, Any]]:
    """The tiles of the first page: what waits for a person with this person's rights."""
    from anomalyshield.dashboard import TILES

    return [tile(user) for action, tile in TILES if user.may(action)]
