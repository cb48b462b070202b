"""Keyset paging: a page begins where the one before ended, whatever came or went meanwhile."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from anomalyshield.problems import Problem


def latest_first(rows: QuerySet[Any], asked: dict[str, Any]) -> dict[str, Any]:
    """A page of rows that are read by descending id; the cursor is the last one's id."""
    if "cursor" in asked:
        rows = rows.filter(pk__lt=number_of(asked["cursor"]))
    found = list(rows.order_by("-pk")[: asked["limit"] + 1])
    return paged(found, asked["limit"], lambda row: str(row.pk))


def latest_made_first(rows: QuerySet[Any], asked: dict[str, Any], made: str) -> dict[str, Any]:
    """The same for rows whose ids tell no order: by the moment they were made, then by id."""
    if "cursor" in asked:
        at, pk = _moment_of(asked["cursor"], rows.model._meta.pk)
        rows = rows.filter(Q(**{f"{made}__lt": at}) | Q(**{made: at, "pk__lt": pk}))
    found = list(rows.order_by(f"-{made}", "-pk")[: asked["limit"] + 1])
    return paged(found, asked["limit"], lambda row: f"{getattr(row, made).isoformat()}~{row.pk}")


def _moment_of(cursor: str, key: Any) -> tuple[datetime, Any]:
    moment, _, pk = cursor.partition("~")
    try:
        at = datetime.fromisoformat(moment)
        return (at, key.to_python(pk)) if at.tzinfo else unreadable()
    except (ValueError, ValidationError):
        unreadable()


def paged(found: Sequence[Any], limit: int, cursor_of: Any) -> dict[str, Any]:
    """`found` is one row longer than the page when there is a next one."""
    more = cursor_of(found[limit - 1]) if len(found) > limit else None
    return {"results": found[:limit], "next": more}


def number_of(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and 0 < len(cursor) < 19):
        unreadable()
    return int(cursor)


def unreadable() -> NoReturn:
    """A cursor nobody gave out must not start again at the first page: it would never end."""
    raise Problem(400, "unknown_cursor", "Send `next` as it was given.", pointer="/cursor")
