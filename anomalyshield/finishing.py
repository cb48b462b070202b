"""Many rows of work held or finished at once: one statement instead of one for each."""

import json
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import connection

from anomalyshield import faults
from anomalyshield.leases import Leased, LeaseLost

# The table itself says of which type each value is.
FINISH = """
UPDATE {table} AS work
SET state = 'DONE', finished_at = now(), error = '', lease_until = NULL, lease_token = NULL,
    holder = NULL, {changes}
FROM jsonb_populate_recordset(NULL::{table}, %s) AS found
WHERE work.id = found.id AND work.lease_token = found.lease_token AND work.state = 'RUNNING'
"""

HOLD = """
UPDATE {table} AS work
SET lease_until = statement_timestamp() + make_interval(secs => %s)
FROM unnest(%s::int8[], %s::uuid[]) AS mine (id, token)
WHERE work.id = mine.id AND work.lease_token = mine.token AND work.state = 'RUNNING'
"""


def advance_all(rows: Sequence[Leased]) -> None:
    """`advance` of many rows of one model. Raises LeaseLost when one of them is no longer ours."""
    meta = rows[0]._meta
    mine = [row.pk for row in rows], [row.lease_token for row in rows]
    with connection.cursor() as cursor:
        sql = HOLD.format(table=connection.ops.quote_name(meta.db_table))
        cursor.execute(sql, [settings.LEASE_SECONDS, *mine])
        _all_ours(rows, cursor.rowcount)


def finish_all(rows: Sequence[Leased], changes: Sequence[dict[str, Any]]) -> None:
    """`finish` of many rows of one model by one statement; each changes the same columns.

    Raises LeaseLost when one of them is no longer ours.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("finish_all() belongs in the transaction that stores the results.")
    meta, quote = rows[0]._meta, connection.ops.quote_name
    columns = ", ".join(f"{quote(name)} = found.{quote(name)}" for name in changes[0])
    told = [
        {**some, "id": row.pk, "lease_token": str(row.lease_token or "") or None}
        for row, some in zip(rows, changes, strict=True)
    ]
    with connection.cursor() as cursor:
        sql = FINISH.format(table=quote(meta.db_table), changes=columns)
        cursor.execute(sql, [json.dumps(told, allow_nan=False)])
        _all_ours(rows, cursor.rowcount)
    for row, some in zip(rows, changes, strict=True):
        vars(row).update(some, state=Leased.State.DONE, error="")
    faults.point(f"{meta.model_name}.before_commit")


def _all_ours(rows: Sequence[Leased], found: int) -> None:
    if lost := len(rows) - found:
        what = rows[0]._meta.model_name
        raise LeaseLost(f"{lost} of {len(rows)} {what} rows are no longer ours")
