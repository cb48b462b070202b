"""One list of columns for every door: how a parsed transaction becomes a row."""

import json
from collections.abc import Iterable, Sequence
from operator import attrgetter

from django.db import connection
from psycopg.types.json import Jsonb

from scoring import wire
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
_kinds = zip(COLUMNS, TYPES, strict=True)
TEXTS = tuple(column for column, kind in _kinds if kind == "text")
texts_of = attrgetter(*TEXTS)
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


def packed(found: Iterable[tuple[int, Transaction]], source: int, upload: int | None) -> bytes:
    """Parsed transactions as `copy_straight` sends them; asks nothing of the database."""
    front = _front(source, upload)
    return wire.lines(front + line(one) for _, one in found)


def copy_straight(rows: bytes) -> None:
    """Put packed transactions where they belong; IntegrityError if one is known, or comes twice."""
    _copy("scoring_transaction", COLUMNS, rows)


def copy_in(
    found: Iterable[tuple[int, Transaction]], *, source: int, upload: int | None = None
) -> None:
    """Put parsed transactions with their positions into `incoming`, inside a transaction."""
    front = _front(source, upload)
    with connection.cursor() as cursor:
        cursor.execute(INCOMING)
        cursor.execute("DELETE FROM incoming")  # of the block before, if it is not committed yet
    rows = wire.lines(f"{position}\t{front}{line(one)}" for position, one in found)
    _copy("incoming", ("position", *COLUMNS), rows)


def _front(source: int, upload: int | None) -> str:
    return f"{source}\t{_or_null(upload)}\t"


def line(one: Transaction) -> str:
    """The columns FIELDS and `extra` as COPY's text format has them.

    Nearly no text holds what that format escapes, so all of them are looked at together.
    """
    if wire.SPECIAL.search("".join(texts_of(one))):
        one = one._replace(**dict(zip(TEXTS, map(wire.escaped, texts_of(one)), strict=True)))
    return (
        f"{one.external_id}\t{one.event_time}\t{one.amount}\t{one.currency}\t{one.amount_units}"
        f"\t{one.user_id}\t{one.card_id}\t{one.device_id}\t{one.merchant_name}"
        f"\t{one.merchant_category}\t{one.mcc}\t{one.location}\t{one.country}"
        f"\t{_or_null(one.latitude)}\t{_or_null(one.longitude)}\t{one.channel}"
        f"\t{_or_null(one.is_online)}\t{one.timezone}\t{one.user_key}\t{one.card_key}"
        f"\t{one.device_key}\t{one.merchant_key}\t{one.place_key}\t{one.category_key}"
        f"\t\\\\x{one.digest.hex()}"
        f"\t{wire.escaped(json.dumps(one.extra)) if one.extra else wire.NULL}"
    )


def _or_null(value: float | bool | None) -> str:
    return wire.NULL if value is None else str(value)


def _copy(table: str, columns: Sequence[str], rows: bytes) -> None:
    sql = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(sql) as copy,
    ):
        copy.write(rows)
