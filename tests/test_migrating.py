"""`manage.py migrate` beside those who work: it gives way, says so, and comes back."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO

import psycopg
import pytest
from django.conf import settings as ours
from django.core.management import CommandError, call_command
from django.db import connection

from tests.chaos.stack import promised, until

pytestmark = pytest.mark.django_db(transaction=True)
WHILE = 6.0  # seconds that somebody reads, longer than anybody else may wait
READ = "SELECT count(*) FROM scoring_transaction"
WRITE = "UPDATE scoring_transaction SET external_id = external_id"
COLUMN = "SELECT count(*) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = 'toy'"


@pytest.fixture
def release(settings) -> Iterator[None]:
    """This code and an app more, whose tables are not there yet; gone again at the end."""
    settings.INSTALLED_APPS = [*ours.INSTALLED_APPS, "tests.toy_release"]
    yield
    call_command("migrate", "toy_release", "zero", verbosity=0)


@contextmanager
def session() -> Iterator[psycopg.Connection]:
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        yield other


@contextmanager
def in_the_way(sql: str = READ) -> Iterator[psycopg.Connection]:
    """Somebody who has read, or written, and has not finished."""
    with session() as other:
        other.execute("BEGIN")
        other.execute(sql)
        yield other
        if not other.closed:
            other.execute("COMMIT")


class Migrate(threading.Thread):
    """The command in a thread, and so in a session, of its own."""

    def __init__(self, *arguments: str, **options: object) -> None:
        super().__init__(daemon=True)
        self.arguments, self.options = arguments, options
        self.said, self.error = StringIO(), None
        self.start()

    def run(self) -> None:
        try:
            call_command("migrate", *self.arguments, stdout=self.said, **self.options)
        except CommandError as error:
            self.error = error
        finally:
            connection.close()

    def waits(self) -> bool:
        return "no lock within" in self.said.getvalue() or not self.is_alive()


def there() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(COLUMN, ["scoring_transaction"])
        return cursor.fetchone() == (1,)


def at_work(seconds: float, other: psycopg.Connection) -> list[float]:
    """What each of a stream of reads and writes took, in seconds."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        for sql in (READ, WRITE):
            began = time.monotonic()
            other.execute(sql)
            took.append(time.monotonic() - began)
        time.sleep(0.02)
    return took


def test_nobody_waits_long_while_it_waits_for_a_long_reader(release):
    with in_the_way(), session() as other:
        migrate = Migrate("toy_release", "0001")
        slowest = [0.0]
        worker = threading.Thread(target=lambda: slowest.extend(at_work(WHILE, other)))
        worker.start()
        # One request may meet two tries; the machine may be busy: what is broken takes WHILE.
        promised(lambda: not worker.is_alive(), WHILE + 3, "everybody went on working")
        assert len(slowest) > 10
        assert max(slowest) < WHILE - 2, f"somebody waited {max(slowest):.1f} s"
        assert migrate.waits()
        assert not there()
    until(lambda: not migrate.is_alive(), "the change when the reader has ended", 60)
    assert migrate.error is None
    assert there()
    said = migrate.said.getvalue()
    assert "toy_release.0001_a_column: no lock within 1.3 s for 'ALTER TABLE scoring_tr" in said
    assert "(oldest transaction: process" in said


def test_one_that_gets_no_lock_at_all_ends_with_a_sentence(release):
    with in_the_way():
        with pytest.raises(CommandError, match="Given up after 1 s of trying") as refusal:
            call_command("migrate", "toy_release", "0001", patience=1, stdout=StringIO())
        assert "What was applied stays; run it again." in str(refusal.value)
    assert not there()


def test_an_index_made_beside_writers_waits_for_them_as_long_as_it_takes(release):
    call_command("migrate", "toy_release", "0001", verbosity=0)
    with in_the_way("INSERT INTO toy_release_toy DEFAULT VALUES"):
        migrate = Migrate("toy_release", "0002")
        time.sleep(3)  # more than twice what a lock of others' may take
        assert migrate.is_alive()
    until(lambda: not migrate.is_alive(), "the index when the writer has ended", 60)
    assert migrate.error is None


def test_what_may_be_half_done_is_not_done_again(release):
    call_command("migrate", "toy_release", "0002", verbosity=0)
    with in_the_way():
        with pytest.raises(CommandError, match="not one transaction, so part of it") as refusal:
            call_command("migrate", "toy_release", "0003", stdout=StringIO())
        assert str(refusal.value).startswith("toy_release.0003_in_two_parts: no lock within")
    call_command("migrate", "toy_release", "0003", verbosity=0)


@pytest.mark.parametrize("quietly", [{"plan": True}, {"verbosity": 0}])
def test_the_session_waits_afterwards_as_long_as_before(
    release, quietly: dict[str, object], capsys: pytest.CaptureFixture[str]
):
    shown = Shown("SHOW lock_timeout"), Shown("SHOW statement_timeout")
    before = [show() for show in shown]
    call_command("migrate", "toy_release", "0002", **quietly)
    assert [show() for show in shown] == before == ["10s", "1min"]
    said = capsys.readouterr().out
    assert ("toy_release.0001_a_column" in said) == ("plan" in quietly)
    assert there() == ("plan" not in quietly)


def test_whoever_asks_whether_anything_is_left_is_told_at_once(release):
    with pytest.raises(SystemExit), in_the_way():
        call_command("migrate", check_unapplied=True)
    call_command("migrate", verbosity=0)
    call_command("migrate", check_unapplied=True)


def Shown(sql: str) -> Callable[[], str]:
    def shown() -> str:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return str(cursor.fetchone()[0])

    return shown
