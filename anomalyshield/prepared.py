"""Statements of the request path: prepared once per connection, one round trip each.

Django's own cursors send the whole text every time and PostgreSQL plans it anew; for the two
statements of `/detect` planning was most of the time. They go straight to libpq, in binary: the
driver's cursor took 0.15 ms of a core for each, five times what sending and receiving takes.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import (
    DEFAULT_DB_ALIAS,
    InterfaceError,
    OperationalError,
    connection,
    connections,
)
from psycopg import pq
from psycopg.errors import InvalidSqlStatementName, error_from_result

Params = Sequence[object] | Mapping[str, object]
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
TEXT, BINARY = 0, 1


def _instant(value: Any) -> bytes:
    """A moment, or microseconds since 2000-01-01 UTC."""
    return _int8(value if type(value) is int else (value - EPOCH) // MICROSECOND)


def _day(value: date) -> bytes:
    return struct.pack(">i", value.toordinal() - EPOCH.toordinal())


def _array(words: list[str]) -> bytes:
    quoted = (str(word).replace("\\", r"\\").replace('"', r"\"") for word in words)
    return ("{" + ",".join(f'"{word}"' for word in quoted) + "}").encode()


_int8 = struct.Struct(">q").pack
# Of each type of parameter: its format on the wire, and how a value is written so.
CODES: dict[str, tuple[int, Callable[[Any], bytes]]] = {
    "int8": (BINARY, _int8),
    "float8": (BINARY, struct.Struct(">d").pack),
    "bool": (BINARY, struct.Struct("?").pack),
    "text": (BINARY, str.encode),
    "bytea": (BINARY, bytes),
    "timestamptz": (BINARY, _instant),
    "date": (BINARY, _day),
    "jsonb": (TEXT, str.encode),  # JSON text
    "numeric": (TEXT, lambda value: str(value).encode()),
    "text[]": (TEXT, _array),
}


class Statement:
    """A statement with the types of its parameters, in their order or by their names.

    Its text is written like any other: `%s`, or `%(name)s` as often as needed.
    """

    def __init__(self, sql: str, types: Sequence[str] | Mapping[str, str]) -> None:
        named = isinstance(types, Mapping)
        kinds = list(types.values()) if isinstance(types, Mapping) else list(types)
        places = [f"${number}::{kind}" for number, kind in enumerate(kinds, 1)]
        text = sql % (dict(zip(types, places, strict=True)) if named else tuple(places))
        self.sql = text.encode()
        self.name = f"as_{sha256(self.sql).hexdigest()[:16]}".encode()
        self.formats = [CODES[kind][0] for kind in kinds]
        self.writers = [CODES[kind][1] for kind in kinds]

    def values(self, params: Sequence[object]) -> list[bytes | None]:
        """The parameters as they are sent."""
        return [
            None if value is None else write(value)
            for write, value in zip(self.writers, params, strict=True)
        ]


_known: "WeakKeyDictionary[Any, set[bytes]]" = WeakKeyDictionary()  # by connection: names


def run(statement: Statement, params: Sequence[object]) -> Any:
    """The result in binary, as libpq holds it. In Django's transaction, if there is one."""
    own = connections[DEFAULT_DB_ALIAS]  # asked once: its proxy looks for the thread's each time
    own.ensure_connection()
    with own.wrap_database_errors:
        line = own.connection
        if not line.autocommit and line.info.transaction_status == pq.TransactionStatus.IDLE:
            line.execute("SELECT 1")  # begins the transaction
        values = statement.values(params)
        try:
            return _executed(line, statement, values)
        except InvalidSqlStatementName:  # a pooler gave us another server process
            _known.pop(line, None)
            return _executed(line, statement, values)


def _executed(line: Any, statement: Statement, values: list[bytes | None]) -> Any:
    known = _known.setdefault(line, set())
    if statement.name not in known:
        _checked(line, line.pgconn.prepare(statement.name, statement.sql))
        known.add(statement.name)
    asked = statement.name, values, statement.formats, BINARY
    return _checked(line, line.pgconn.exec_prepared(*asked))


def _checked(line: Any, result: Any) -> Any:
    if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        return result
    if line.closed:
        raise psycopg.OperationalError(result.get_error_message())
    raise error_from_result(result)


def run_again(statement: Statement, params: Sequence[object]) -> Any:
    """The same for a read: when the connection turns out to be dead, on a new one.

    This replaces the ping before the first query, which would cost a round trip per request.
    """
    try:
        return run(statement, params)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or not _dead():
            raise
        connection.close()
        return run(statement, params)


def _dead() -> bool:
    return connection.connection is None or connection.connection.closed


def once(sql: str, params: Params) -> Any:
    """The result of a statement that is not worth preparing, in binary, as libpq holds it."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = psycopg.Cursor(connection.connection)
        return cursor.execute(sql, params, prepare=False, binary=True).pgresult
