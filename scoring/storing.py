"""One list of columns for every door: how a parsed transaction becomes a row."""

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
DECLARED = ", ".join(f"{c} {t}" for c, t in zip(COLUMNS, TYPES, strict=True))


def values(transaction: Transaction, source: int, upload: int | None) -> list[object]:
    """The row in the order of COLUMNS."""
    row: list[object] = [source, upload]
    row += [getattr(transaction, field) for field in FIELDS]
    row.append(Jsonb(transaction.extra) if transaction.extra else None)
    return row
