"""A decision has its payment: looked at once for a chunk, not for each row, it holds as well."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from psycopg import errors

from scoring.models import Decision
from tests.scoring import making, paying

pytestmark = pytest.mark.django_db(transaction=True)
COLUMNS = (
    "model_id, policy_id, risk_score, level, outcome, reason_codes, hits, degraded, reviewable,"
    " known_at"
)
# The payment is decided anew, as a chunk that is done twice would.
AGAIN = f"""
INSERT INTO scoring_decision (transaction_id, {COLUMNS})
SELECT %s, {COLUMNS} FROM scoring_decision LIMIT 1
"""
SCANS = """
SELECT table_.seq_scan, index_.numscans FROM pg_stat_xact_user_tables AS table_,
    pg_stat_get_xact_numscans('scoring_transaction_pkey'::regclass) AS index_ (numscans)
WHERE table_.relname = 'scoring_transaction'
"""
FORGET = "DELETE FROM scoring_transaction WHERE id = %s"


@pytest.fixture
def payments() -> list[int]:
    """Those that are decided, and at last one that is not."""
    making.send(making.csv_of(making.ordinary_rows(5)))
    making.work_through()
    [last] = paying.stored(paying.payment("last"))
    return [*Decision.objects.values_list("transaction_id", flat=True), last.pk]


@pytest.fixture
def two() -> Iterator[list[psycopg.Connection[Any]]]:
    told = connection.get_connection_params()
    with psycopg.connect(**told) as one, psycopg.connect(**told) as other:
        yield [one, other]


def ask(sql: str, *said: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, said)


@pytest.mark.parametrize("none", [0, -1, 2**62])
def test_a_payment_that_is_not_there_is_not_decided(payments: list[int], none: int) -> None:
    with pytest.raises(IntegrityError, match="payment that is not there"):
        ask(AGAIN, none)
    ask(AGAIN, payments[-1])


def test_a_decided_payment_neither_goes_nor_gets_another_number(payments: list[int]) -> None:
    with pytest.raises(IntegrityError, match="still named by its decision"):
        ask(FORGET, payments[0])
    with pytest.raises(IntegrityError, match="still named by their decisions"):
        ask("TRUNCATE scoring_transaction CASCADE")
    with pytest.raises(IntegrityError, match="keeps its number"):
        ask("UPDATE scoring_transaction SET id = id + 1000 WHERE id = %s", payments[0])
    with pytest.raises(IntegrityError, match="stays with its payment"):
        ask("UPDATE scoring_decision SET transaction_id = %s", payments[-1])
    ask("DELETE FROM scoring_transaction WHERE id = %s", payments[-1])
    assert Decision.objects.count() == 5


def later(session: psycopg.Connection[Any], sql: str, payment: int) -> tuple[Any, list[Any]]:
    """Asked in a thread, because it waits for somebody; and what came of it."""
    came: list[Any] = []

    def run() -> None:
        try:
            session.execute(sql, [payment])
            session.commit()
            came.append("done")
        except psycopg.Error as error:
            session.rollback()
            came.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, came


def waits(session: psycopg.Connection[Any]) -> bool:
    for _ in range(500):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_blocking_pids(%s) <> '{}'", [session.info.backend_pid])
            if cursor.fetchone()[0]:
                return True
    return False


def test_who_deletes_waits_for_who_decides(
    payments: list[int], two: list[psycopg.Connection[Any]]
) -> None:
    decides, deletes = two
    decides.execute(AGAIN, [payments[-1]])
    thread, came = later(deletes, FORGET, payments[-1])
    assert waits(deletes)
    decides.commit()
    thread.join()
    assert isinstance(came[0], errors.ForeignKeyViolation)
    assert Decision.objects.count() == 6


def test_who_decides_waits_for_who_deletes(
    payments: list[int], two: list[psycopg.Connection[Any]]
) -> None:
    decides, deletes = two
    deletes.execute(FORGET, [payments[-1]])
    thread, came = later(decides, AGAIN, payments[-1])
    assert waits(decides)
    deletes.commit()
    thread.join()
    assert isinstance(came[0], errors.ForeignKeyViolation)
    assert Decision.objects.count() == 5


def test_the_look_is_by_number_however_few_payments_there_were_at_first(
    payments: list[int],
) -> None:
    """The plan is kept by a session: read as a whole, a table that grew would be millions."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SCANS)
        whole, by_number = cursor.fetchone()
        cursor.execute(AGAIN, [payments[-1]])
        cursor.execute(SCANS)
        assert cursor.fetchone() == (whole, by_number + 1)
