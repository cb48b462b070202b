"""How what a model may learn from is asked of the database."""

import pytest
from django.db import connection, transaction
from django.utils import timezone

from scoring import dataset
from scoring.engine.features import widths

pytestmark = pytest.mark.django_db
EXPLAIN = "EXPLAIN DECLARE learning CURSOR FOR "
# Temporary ones hide the others. Emptying these would not do: what was counted of their columns
# outlives every row, and which tests ran before decides whether anything was.
UNCOUNTED = "CREATE TEMPORARY TABLE IF NOT EXISTS {0} (LIKE {0} INCLUDING ALL)"


def plan(settings: str) -> str:
    said = {"cutoff": timezone.now(), "since": None, "specs": list(widths()), "most": 500_000}
    with transaction.atomic(), connection.cursor() as cursor:
        for table in ("scoring_transaction", "scoring_snapshot", "scoring_label"):
            cursor.execute(UNCOUNTED.format(table))
        cursor.execute(settings)
        cursor.execute(EXPLAIN + dataset.ROWS, said)
        return "\n".join(line for (line,) in cursor.fetchall())


def test_tables_nobody_has_counted_yet_are_read_once_and_not_once_for_each_payment() -> None:
    assert "Nested Loop" in plan("SELECT 1"), "the trap this avoids is gone"
    assert "Nested Loop" not in plan(dataset.PLAN)
