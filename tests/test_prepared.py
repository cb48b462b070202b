"""Statements that go straight to the server: types come back as sent, troubles by their names."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DataError, OperationalError, connection, transaction

from anomalyshield import prepared
from scoring.models import JobProgress

MOMENT = datetime(2026, 2, 3, 4, 5, 6, 789, UTC)
TYPES = {
    "int8": -(2**63), "float8": 1e-320, "bool": True, "text": "Zoë’s “café”", "bytea": b"\x00\xff",
    "timestamptz": MOMENT, "date": date(1999, 12, 31), "jsonb": '{"a": ["\\\\", null]}',
    "numeric": Decimal("99999999999999.9999"), "text[]": ['a"b', "c\\d", "", "e,{f}"],
}  # fmt: skip
ECHO = prepared.Statement(
    "SELECT " + ", ".join(f"(%({name})s)::text" for name in TYPES),
    dict(zip(TYPES, TYPES, strict=True)),
)
pytestmark = pytest.mark.django_db


def texts(result) -> list[str | None]:
    values = (result.get_value(0, at) for at in range(result.nfields))
    return [None if value is None else value.decode() for value in values]


def test_values_of_every_type_arrive_as_they_are():
    said = [*TYPES.values()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text, %s::text", [MOMENT, TYPES["text[]"]])
        moment, words = cursor.fetchone()
    assert texts(prepared.run(ECHO, said)) == [
        str(-(2**63)), "1e-320", "true", "Zoë’s “café”", "\\x00ff",
        moment, "1999-12-31", '{"a": ["\\\\", null]}', "99999999999999.9999", words,
    ]  # fmt: skip
    assert texts(prepared.run(ECHO, [None] * len(said))) == [None] * len(said)


def test_a_moment_may_be_given_as_microseconds():
    echo = prepared.Statement("SELECT %s", ["timestamptz"])
    counted = (MOMENT - prepared.EPOCH) // timedelta(microseconds=1)
    first, second = prepared.run(echo, [MOMENT]), prepared.run(echo, [counted])
    assert first.get_value(0, 0) == second.get_value(0, 0)


def test_a_refusal_of_the_server_is_one_of_djangos():
    with pytest.raises(DataError, match="division by zero"), transaction.atomic():
        prepared.run(prepared.Statement("SELECT 1 / %s", ["int8"]), [0])


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_a_forgotten_name_costs_nothing():
    echo = prepared.Statement("SELECT %s, 'again'", ["int8"])
    prepared.run(echo, [1])
    connection.connection.execute(f"DEALLOCATE {echo.name.decode()}")
    assert int.from_bytes(prepared.run(echo, [7]).get_value(0, 0), "big") == 7


@pytest.mark.django_db(transaction=True)
def test_it_takes_part_in_djangos_transaction():
    put = prepared.Statement(
        "INSERT INTO scoring_jobprogress (job, through) VALUES (%s, 1)", ["text"]
    )

    def broken() -> None:
        with transaction.atomic():
            prepared.run(put, ["taken back"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert not JobProgress.objects.exists()
    prepared.run(put, ["kept"])
    assert JobProgress.objects.get().job == "kept"


@pytest.mark.django_db(transaction=True)
def test_a_read_on_a_dead_connection_is_asked_again_on_a_new_one():
    echo = prepared.Statement("SELECT %s", ["int8"])
    prepared.run(echo, [1])
    before = connection.connection
    with connection._nodb_cursor() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [before.info.backend_pid])
    assert int.from_bytes(prepared.run_again(echo, [7]).get_value(0, 0), "big") == 7
    assert connection.connection is not before


@pytest.mark.django_db(transaction=True)
def test_a_write_on_a_dead_connection_is_an_outage():
    echo = prepared.Statement("SELECT %s", ["int8"])
    prepared.run(echo, [1])
    with connection._nodb_cursor() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    with pytest.raises(OperationalError):
        prepared.run(echo, [7])
    connection.close()
