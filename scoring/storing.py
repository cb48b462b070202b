"""One list of columns for every door: how a parsed transaction becomes a row."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from scoring.engine.transaction import Transaction

# The engine's names are the row's names. `recorded_at` is the database's clock, by default.
FIELDS = (
    "external_id",
    "event_time",
    "amount",
    "currency",
    "amount_units",
    "user_id",
    "card_id",
    "device_id",
    "merchant_name",
    "merchant_category",
    "mcc",
    "location",
    "country",
    "latitude",
    "longitude",
    "channel",
    "is_online",
    "timezone",
    "user_key",
    "card_key",
    "device_key",
    "merchant_key",
    "place_key",
    "category_key",
    "digest",
)
COLUMNS = ("source_id", "upload_id", *FIELDS, "extra")
TYPES = (
    "int8 int8 text timestamptz numeric text int8 text text text text text text text text"
    " float8 float8 text bool text int8 int8 int8 int8 int8 int8 bytea jsonb"
).split()
OWN = len(FIELDS)
if Transaction._fields[:OWN] != FIELDS:  # rows are made by place
    raise RuntimeError("a transaction begins with the columns of its row, in their order")
DECLARED = ", ".join(f"{c} {t}" for c, t in zip(COLUMNS, TYPES, strict=True))


def values(transaction: Transaction, source: int, upload: int | None) -> list[object]:
    """The row in the order of COLUMNS."""
    extra = Jsonb(transaction.extra) if transaction.extra else None
    return [source, upload, *transaction[:OWN], extra]


INCOMING = f"""
CREATE TEMP TABLE IF NOT EXISTS incoming (
    position int8, {DECLARED}
) ON COMMIT DELETE ROWS
"""
INSERT = f"""
INSERT INTO scoring_transaction ({", ".join(COLUMNS)})
SELECT {", ".join(COLUMNS)} FROM incoming ORDER BY position
ON CONFLICT (source_id, external_id) DO NOTHING
"""


def copy_straight(
    found: Iterable[tuple[int, Transaction]], *, source: int, upload: int | None = None
) -> None:
    """Put parsed transactions where they belong; IntegrityError if one is known, or comes twice."""
    with connection.cursor() as cursor:
        _copy(
            cursor,
            "scoring_transaction",
            COLUMNS,
            TYPES,
            (values(transaction, source, upload) for _, transaction in found),
        )


def copy_in(
    found: Iterable[tuple[int, Transaction]], *, source: int, upload: int | None = None
) -> None:
    """Put parsed transactions with their positions into `incoming`, inside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(INCOMING)
        cursor.execute("DELETE FROM incoming")  # of the block before, if it is not committed yet
        _copy(
            cursor,
            "incoming",
            ("position", *COLUMNS),
            ["int8", *TYPES],
            ([position, *values(transaction, source, upload)] for position, transaction in found),
        )


def _copy(
    cursor: Any, table: str, columns: Sequence[str], types: list[str], rows: Iterable[list[object]]
) -> None:
    sql = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    with connection.wrap_database_errors, cursor.copy(sql) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)
