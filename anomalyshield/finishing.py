"""Many rows of work finished at once: one statement instead of one for each."""

import json
from collections.abc import Sequence
from typing import Any

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
        if cursor.rowcount != len(rows):
            lost = len(rows) - cursor.rowcount
            raise LeaseLost(f"{lost} of {len(rows)} {meta.model_name} rows are no longer ours")
    for row, some in zip(rows, changes, strict=True):
        vars(row).update(some, state=Leased.State.DONE, error="")
    faults.point(f"{meta.model_name}.before_commit")
