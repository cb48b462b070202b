"""What comes round: slots run once, partitions made ahead, signs of life, a bell that may fail."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from anomalyshield import faults, pulse
from anomalyshield.ticker import Ringer
from scoring import retention, schedule
from scoring.models import JobSlot
from scoring.tasks import Job

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_slot_is_run_once_by_two_tickers_and_once_after_a_pause(monkeypatch):
    ran: list[float] = []
    monkeypatch.setattr(schedule, "SCHEDULE", [Job("test.job", 3600, "tests.test_ticker.noted")])
    monkeypatch.setattr("tests.test_ticker.noted", lambda: ran.append(1), raising=False)

    def ticker() -> None:
        schedule.run_due()
        connection.close()

    tickers = [threading.Thread(target=ticker) for _ in range(2)]
    for thread in tickers:
        thread.start()
    for thread in tickers:
        thread.join()
    assert len(ran) == 1
    JobSlot.objects.all().delete()
    JobSlot.objects.create(job="test.job", slot=timezone.now() - timedelta(days=3))
    schedule.run_due()
    assert len(ran) == 2


def noted() -> None:
    """Stands in for a job; replaced by the tests that count."""


def test_a_job_that_fails_gives_its_slot_back(monkeypatch):
    monkeypatch.setattr(schedule, "SCHEDULE", [Job("bad.job", 3600, "tests.test_ticker.broken")])
    monkeypatch.setattr("tests.test_ticker.broken", lambda: 1 / 0, raising=False)
    assert schedule.run_due() == []
    assert not JobSlot.objects.exists()
    assert schedule.run_due() == []  # and it is not hammered


def broken() -> None:
    """Stands in for a job that fails."""


def test_a_missed_slot_without_catch_up_is_skipped(monkeypatch):
    job = Job("rare.job", 10**9, "tests.test_ticker.noted", catch_up=False)
    monkeypatch.setattr(schedule, "SCHEDULE", [job])
    assert schedule.run_due() == []
    assert JobSlot.objects.filter(job="rare.job").exists()


def test_partitions_are_made_ahead_even_when_their_rows_came_first():
    today = retention._today()
    snapshot = "INSERT INTO scoring_snapshot VALUES (%s, %s, 'spec', '\\x00')"
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"scoring_snapshot_{today:%Y%m%d}"])
        if cursor.fetchone()[0]:
            cursor.execute(f"DROP TABLE scoring_snapshot_{today:%Y%m%d}")
        cursor.execute(snapshot, [today, -1])
        assert today in retention.make_partitions()
        assert retention.make_partitions() == []
        cursor.execute(f"SELECT transaction_id FROM scoring_snapshot_{today:%Y%m%d}")
        assert cursor.fetchall() == [(-1,)]
        cursor.execute(
            "SELECT attstorage FROM pg_attribute"
            " WHERE attname = 'vector' AND attrelid = %s::regclass",
            [f"scoring_snapshot_{today:%Y%m%d}"],
        )
        assert cursor.fetchone() in [("e",), (b"e",)]
        cursor.execute("DELETE FROM scoring_snapshot WHERE transaction_id = -1")


def test_signs_of_life_have_ages_on_the_databases_clock():
    pulse._shown.clear()
    pulse.show("ticker")
    assert 0 <= pulse.ages()["ticker"] < 5
    assert pulse.stale(["ticker", "queue:detect"]) == ["queue:detect"]


def test_the_ringer_survives_a_broker_that_is_away(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    ringer = Ringer(threading.Event())
    ringer.ask("chunk")
    ringer.ask("nonsense")
    assert ringer.names == {"chunk"}
    start = time.monotonic()
    assert ringer._ring_all() is False
    assert time.monotonic() - start < 5


def test_fault_points_work_in_tests_only(monkeypatch):
    monkeypatch.setenv("ANOMALYSHIELD_FAULTS", "here=raise")
    monkeypatch.setenv("ANOMALYSHIELD_ENV", "production")
    faults.point("here")
    monkeypatch.setenv("ANOMALYSHIELD_ENV", "test")
    with pytest.raises(RuntimeError, match="fault at here"):
        faults.point("here")
