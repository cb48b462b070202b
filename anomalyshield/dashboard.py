"""The tiles of the first page, asked in plain SQL so that the ground floor imports no room."""

from collections.abc import Callable
from typing import Any

from django.db import connection

Tile = dict[str, Any]


def _one(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def decided(user: Any) -> Tile:
    """Decisions of the last 24 hours."""
    count = _one(
        "SELECT count(*) FROM scoring_decision WHERE decided_at > now() - interval '24 hours'"
    )
    return {"label": "Decisions, 24 h", "figure": f"{count:,}", "url": "transactions"}


def waiting(user: Any) -> Tile:
    """Alerts nobody has decided, in all queues."""
    count = _one("SELECT count(*) FROM alerts_alert WHERE status <> 'CLOSED'")
    late = _one("SELECT count(*) FROM alerts_alert WHERE status <> 'CLOSED' AND due_at < now()")
    hint = f"{late:,} past their time" if late else "all in time"
    return {"label": "Open alerts", "figure": f"{count:,}", "hint": hint, "url": "alerts"}


def investigated(user: Any) -> Tile:
    count = _one("SELECT count(*) FROM cases_case WHERE status <> 'CLOSED'")
    return {"label": "Open cases", "figure": f"{count:,}", "url": "cases"}


def imported(user: Any) -> Tile:
    count = _one("SELECT count(*) FROM scoring_upload WHERE state IN ('READY', 'RUNNING')")
    rejected = _one("SELECT count(*) FROM scoring_rejectedrecord")
    hint = f"{rejected:,} rejected records"
    return {"label": "Files under way", "figure": f"{count:,}", "hint": hint, "url": "uploads"}


def champion(user: Any) -> Tile:
    number = _one("SELECT max(number) FROM scoring_modelversion WHERE state = 'CHAMPION'")
    asked = _one("SELECT count(*) FROM scoring_promotionrequest WHERE state = 'OPEN'")
    hint = f"{asked} promotion waits for an answer" if asked else "no promotion waits"
    return {
        "label": "Champion",
        "figure": f"v{number}" if number else "none",
        "hint": hint,
        "url": "models",
    }


TILES: list[tuple[str, Callable[[Any], Tile]]] = [
    ("alert.view", waiting),
    ("case.view", investigated),
    ("transaction.view", decided),
    ("source.view", imported),
    ("model.view", champion),
]
