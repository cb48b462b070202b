"""Many rows of one model, written at once."""

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Model


def rewrite(rows: Sequence[Model], names: Sequence[str]) -> None:
    """Save these fields of rows of one model in one statement.

    `bulk_update` makes an expression of each value: a single alert took it 5 ms, of which the
    database needs a tenth.
    """
    if not rows:
        return
    meta, quoted = rows[0]._meta, connection.ops.quote_name
    fields = {quoted(one.column): one for one in map(meta.get_field, names)}
    given = ", ".join(f"{column} {one.db_type(connection)}" for column, one in fields.items())
    new = ", ".join(f"{column} = given.{column}" for column in fields)
    told = [
        {"pk": row.pk, **{one.column: getattr(row, one.attname) for one in fields.values()}}
        for row in rows
    ]
    sql = (
        f"UPDATE {quoted(meta.db_table)} AS kept SET {new}"
        f" FROM jsonb_to_recordset(%s::jsonb) AS given (pk {meta.pk.db_type(connection)}, {given})"
        f" WHERE kept.{quoted(meta.pk.column)} = given.pk"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [json.dumps(told, default=_plain)])


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON here")
