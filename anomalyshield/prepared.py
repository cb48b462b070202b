"""Statements of the request path: prepared once per connection, one round trip each.

Django's own cursors send the whole text every time and PostgreSQL plans it anew; for the two
statements of `/detect` planning was most of the time.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError, connection

Params = Sequence[object] | Mapping[str, object]
AFTER = 3  # executions on one connection


def run(sql: str, params: Params, *, binary: bool = False) -> psycopg.Cursor[Any]:
    """Execute on Django's connection, in its transaction if there is one."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        connection.connection.prepare_threshold = AFTER
        cursor = psycopg.Cursor(connection.connection)
        return cursor.execute(sql, params, binary=binary)


def run_again(sql: str, params: Params, *, binary: bool = False) -> psycopg.Cursor[Any]:
    """The same for a read: when the connection turns out to be dead, on a new one.

    This replaces the ping before the first query, which would cost a round trip per request.
    """
    try:
        return run(sql, params, binary=binary)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or not _dead():
            raise
        connection.close()
        return run(sql, params, binary=binary)


def _dead() -> bool:
    return connection.connection is None or connection.connection.closed


def once(sql: str, params: Params) -> Any:
    """The result of a statement that is not worth preparing, in binary, as libpq holds it."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = psycopg.Cursor(connection.connection)
        return cursor.execute(sql, params, prepare=False, binary=True).pgresult
