"""Is everything there that a decision needs?"""

import logging
from typing import Any

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from anomalyshield import pulse
from anomalyshield.together import Sql, rows, together
from anomalyshield.waiting import all_work
from scoring.tasks import QUEUES

log = logging.getLogger(__name__)
PATIENCE = 900  # seconds a row may wait for a worker before something is wrong
CHAMPION = "SELECT id FROM scoring_modelversion WHERE state = 'CHAMPION'"
EXPECTED = ["ticker", *(f"queue:{queue}" for queue in QUEUES)]
_seen = {"tables": False}  # migrations are never taken back while a process runs


def state() -> dict[str, Any]:
    """What is asked of this process, and in `problems` why it cannot do it, in words."""
    try:
        connection.ensure_connection()
        if not tables_there():
            return _said(["The database lacks tables: run manage.py migrate."])
        work, champion = together(all_work(), rows(Sql(CHAMPION)))
        oldest = max((one.oldest for one in work), default=0.0)
        return _said(
            [*_without(champion), *_too_old(oldest)], oldest_ready_seconds=round(oldest, 1)
        )
    except Error as error:
        log.warning("The database does not answer: %s", error)  # its words name hosts and paths
        connection.close()  # the next probe begins anew
        return _said(["The database does not answer."])


def deep() -> dict[str, Any]:
    """The same, and the seconds since each process that must keep going last showed a sign."""
    found = state()
    try:
        signs = pulse.ages()
        silent = pulse.stale(EXPECTED, signs)
    except Error:  # said above already
        connection.close()
        return found
    words = [f"No sign of life of {name}: is it running?" for name in silent]
    seconds = {name: round(age, 1) for name, age in sorted(signs.items())}
    return {**found, **_said([*found["problems"], *words]), "signs": seconds, "silent": silent}


def _said(problems: list[str], **more: Any) -> dict[str, Any]:
    return {"status": "unavailable" if problems else "ok", "problems": problems, **more}


def tables_there() -> bool:
    """Whether all migrations are applied; asked until they are."""
    if not _seen["tables"]:
        executor = MigrationExecutor(connection)
        _seen["tables"] = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _seen["tables"]


def _without(champion: list[Any]) -> list[str]:
    return [] if champion else ["No model is champion yet: train and promote one."]


def _too_old(oldest: float) -> list[str]:
    if oldest <= PATIENCE:
        return []
    return [f"Work waits for {oldest:,.0f} s: is a worker running?"]
