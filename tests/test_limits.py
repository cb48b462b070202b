"""Rates are exact: with Valkey, without it, and with many who count at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from anomalyshield import limits
from anomalyshield.accounts.models import RateWindow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    limits.forget()
    # An hour, so that no test meets the end of a window.
    monkeypatch.setattr(limits, "WINDOW", 3600)


def asked(who: str, times: int, most: int) -> int:
    """How many of so many requests, made by eight threads at once, passed."""
    start = threading.Barrier(8)

    def ask(_: int) -> int:
        start.wait()
        try:
            return sum(limits.wait_for(who, most) == 0 for _ in range(times // 8))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as many:
        return sum(many.map(ask, range(8)))


def test_exactly_so_many_pass_however_many_ask_at_once() -> None:
    assert asked("a", 160, 50) == 50
    assert not RateWindow.objects.exists()


def test_each_has_a_count_of_its_own_and_is_told_how_long_to_wait() -> None:
    assert limits.wait_for("b", 1) == 0
    assert 0 < limits.wait_for("b", 1) <= 3600
    assert limits.wait_for("c", 1) == 0


def test_without_valkey_the_database_counts_as_exactly(
    settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert asked("d", 80, 30) == 30
    assert RateWindow.objects.get().count == 30
    assert 0 < limits.wait_for("d", 30) <= 3600
    assert "PostgreSQL does" in caplog.text


def test_a_valkey_that_hangs_is_asked_once_and_then_left_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import redis

    calls = []

    class Hanging:
        def eval(self, *_: object) -> None:
            calls.append(1)
            raise redis.TimeoutError("no answer")

    monkeypatch.setattr(limits, "_client", Hanging)
    assert [limits.wait_for("e", 2) for _ in range(3)][:2] == [0, 0]
    assert limits.wait_for("e", 2) > 0
    assert len(calls) == 1
