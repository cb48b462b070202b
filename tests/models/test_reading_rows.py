"""How what a model may learn from is asked of the database."""

import pytest
from django.db import connection, transaction
from django.utils import timezone

from scoring import dataset
from scoring.engine.features import widths

pytestmark = pytest.mark.django_db
EXPLAIN = "EXPLAIN DECLARE learning CURSOR FOR "


def plan(settings: str) -> str:
    said = {"cutoff": timezone.now(), "since": None, "specs": list(widths()), "most": 500_000}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE scoring_transaction, scoring_label CASCADE")  # and uncounted
        cursor.execute(settings)
        cursor.execute(EXPLAIN + dataset.ROWS, said)
        return "\n".join(line for (line,) in cursor.fetchall())


def test_tables_nobody_has_counted_yet_are_read_once_and_not_once_for_each_payment() -> None:
    assert "Nested Loop" in plan("SELECT 1"), "the trap this avoids is gone"
    assert "Nested Loop" not in plan(dataset.PLAN)
