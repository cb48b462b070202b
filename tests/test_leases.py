"""Rows as the queue: claimed once, freed when their worker is gone, fenced, given up in the end."""

import threading
import time
from datetime import timedelta

import psycopg
import pytest
from django.db import DataError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from anomalyshield import holder, leases
from anomalyshield.audit.models import AuditEvent
from anomalyshield.finishing import advance_all, finish_all
from anomalyshield.leases import LeaseLost
from scoring import bisection, tasks
from scoring.models import Chunk
from scoring.tasks import Work

pytestmark = pytest.mark.django_db(transaction=True)
State = Chunk.State


def chunk(rows: int = 4, **fields: object) -> Chunk:
    return Chunk.objects.create(
        transaction_ids=list(range(1, rows + 1)), known_at=timezone.now(), **fields
    )


def claimed(rows: int = 4, **fields: object) -> Chunk:
    chunk(rows, **fields)
    return leases.claim(Chunk)[0]


def now(row: Chunk) -> Chunk:
    return Chunk.objects.get(pk=row.pk)


def finished(row: Chunk) -> Chunk:
    with transaction.atomic():
        leases.finish(row)
    return now(row)


def expire(row: Chunk) -> None:
    Chunk.objects.filter(pk=row.pk).update(lease_until=Now() - timedelta(seconds=1))


@pytest.fixture
def stranger():
    """Another process's session: it holds a lock until it is closed, as a worker does."""
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as session:
        session.execute("SELECT pg_advisory_lock(4711)")
        yield session


def test_a_row_is_claimed_once_with_its_attempt_counted():
    row = claimed()
    assert (row.state, row.attempts, row.holder) == (State.RUNNING, 1, holder.key())
    assert leases.claim(Chunk) == []
    assert not leases.ready(Chunk)
    assert finished(row).state == State.DONE
    assert now(row).lease_token is None


def test_many_claiming_at_once_share_the_rows_without_overlap():
    for _ in range(40):
        chunk(1)
    taken: list[int] = []

    def worker() -> None:
        while rows := leases.claim(Chunk, limit=3):
            taken.extend(row.pk for row in rows)
        connection.close()

    workers = [threading.Thread(target=worker) for _ in range(4)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    assert sorted(taken) == sorted(Chunk.objects.values_list("pk", flat=True))
    assert len(taken) == 40


def test_a_row_that_is_not_due_or_waits_for_another_is_not_claimed():
    chunk(due_at=timezone.now() + timedelta(minutes=1))
    chunk(state=State.WAITING)
    assert leases.claim(Chunk) == []


def test_the_claim_must_not_hide_in_a_transaction_that_could_roll_back():
    chunk()
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        leases.claim(Chunk)


def test_finishing_belongs_in_the_transaction_of_the_result():
    with pytest.raises(RuntimeError, match="transaction"):
        leases.finish(claimed())


def test_whoever_lost_the_lease_cannot_commit_a_result():
    late = claimed()
    expire(late)
    [second] = leases.claim(Chunk)
    assert (second.pk, second.attempts) == (late.pk, 2)
    with pytest.raises(LeaseLost):
        finished(late)
    assert finished(second).state == State.DONE
    with pytest.raises(LeaseLost):
        finished(second)


def finished_together(rows: list[Chunk], *counts: int) -> list[Chunk]:
    with transaction.atomic():
        finish_all(rows, [{"transaction_ids": list(range(count))} for count in counts])
    return [now(row) for row in rows]


def test_many_are_finished_at_once_each_with_its_own_result():
    for _ in range(3):
        chunk()
    rows = leases.claim(Chunk, limit=3)
    done = finished_together(rows, 1, 2, 3)
    assert [len(row.transaction_ids) for row in done] == [1, 2, 3]
    assert {(row.state, row.lease_token, row.holder, row.error) for row in done} == {
        (State.DONE, None, None, "")
    }
    assert all(row.finished_at for row in done)
    assert [row.transaction_ids for row in rows] == [row.transaction_ids for row in done]


def test_of_many_none_is_finished_when_one_was_lost():
    for _ in range(2):
        chunk()
    rows = leases.claim(Chunk, limit=2)
    assert leases.cancel(rows[1])
    with pytest.raises(LeaseLost, match="1 of 2 chunk rows"):
        finished_together(rows, 1, 2)
    assert [now(row).state for row in rows] == [State.RUNNING, State.CANCELLED]
    assert len(now(rows[0]).transaction_ids) == 4
    with pytest.raises(RuntimeError, match="transaction"):
        finish_all(rows, [{}, {}])


def test_many_are_held_on_to_at_once_or_none_when_one_was_lost(settings):
    for _ in range(2):
        chunk()
    rows = leases.claim(Chunk, limit=2)
    Chunk.objects.update(lease_until=timezone.now())
    advance_all(rows)
    ends = {now(row).lease_until for row in rows}
    assert min(ends) > timezone.now() + timedelta(seconds=settings.LEASE_SECONDS - 5)
    assert leases.cancel(rows[1])
    with pytest.raises(LeaseLost, match="1 of 2 chunk rows"), transaction.atomic():
        advance_all(rows)
    assert now(rows[0]).lease_until in ends


def test_a_cancelled_row_throws_its_result_away():
    row = claimed()
    assert leases.cancel(row)
    with pytest.raises(LeaseLost):
        finished(row)
    assert now(row).state == State.CANCELLED
    assert not leases.cancel(row)


def test_a_row_whose_worker_is_gone_is_free_at_once(stranger):
    row = claimed()
    Chunk.objects.update(holder=4711)
    assert leases.free_orphans(Chunk, work="chunk") == 0  # stopped is not dead
    stranger.close()
    deadline = time.monotonic() + 5
    while not leases.free_orphans(Chunk, work="chunk"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert now(row).state == State.READY
    assert leases.claim(Chunk)[0].attempts == 2


def test_two_sweepers_at_once_free_a_row_once():
    claimed()
    Chunk.objects.update(holder=4711)
    freed: list[int] = []

    def sweeper() -> None:
        freed.append(leases.free_orphans(Chunk, work="chunk"))
        connection.close()

    sweepers = [threading.Thread(target=sweeper) for _ in range(2)]
    for thread in sweepers:
        thread.start()
    for thread in sweepers:
        thread.join()
    assert sorted(freed) == [0, 1]


def test_this_process_takes_its_lock_again_when_its_session_is_killed():
    key = holder.key()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks"
            " WHERE locktype = 'advisory' AND (classid::bigint << 32) | objid::bigint = %s",
            [key],
        )
        assert cursor.rowcount == 1
    deadline = time.monotonic() + 5
    row = chunk()
    Chunk.objects.update(state=State.RUNNING, holder=key, lease_until=Now() + timedelta(minutes=1))
    time.sleep(holder.CHECK_SECONDS + holder.RETRY_SECONDS)
    while leases.free_orphans(Chunk, work="chunk"):
        Chunk.objects.update(state=State.RUNNING, holder=key)
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert holder.key() == key
    assert now(row).state == State.RUNNING


def test_the_lease_is_extended_while_the_work_goes_on_and_not_for_ever(settings):
    settings.LEASE_SECONDS, settings.HEARTBEAT_SECONDS = 2, 0.5
    row = claimed()
    with leases.keep_alive(row, limit=2) as beat:
        time.sleep(1.5)
        assert now(row).lease_until > row.lease_until
        assert not beat.lost.is_set()
        assert beat.lost.wait(3)


def test_work_is_told_when_its_row_was_taken(settings):
    settings.HEARTBEAT_SECONDS = 0.2
    row = claimed()
    with leases.keep_alive(row) as beat:
        leases.cancel(row)
        assert beat.lost.wait(3)


def test_failing_waits_longer_each_time_and_ends_in_quarantine():
    row = claimed()
    for attempt in (1, 2):
        leases.fail(row, ValueError("bad\x00row"))
        row = now(row)
        assert (row.state, row.attempts) == (State.READY, attempt)
        assert row.error == "ValueError: bad\N{REPLACEMENT CHARACTER}row"
        pause = (row.due_at - timezone.now()).total_seconds()
        assert 2 ** (attempt - 1) - 1 < pause <= 2 ** (attempt - 1) + 1
        Chunk.objects.update(due_at=Now())
        [row] = leases.claim(Chunk)
    leases.fail(row, ValueError("still bad"))
    assert (now(row).state, now(row).error) == (State.QUARANTINED, "ValueError: still bad")
    event = AuditEvent.objects.get(action="work.quarantined")
    assert (event.object_id, event.reason) == (str(row.pk), "ValueError: still bad")


def test_a_hopeless_row_is_set_aside_at_once():
    row = claimed()
    leases.fail(row, "the file is not a table", permanent=True)
    assert now(row).state == State.QUARANTINED


def test_an_outage_of_the_database_is_not_the_rows_fault():
    row = claimed(attempts=2)
    try:
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE SQLSTATE '53100' USING MESSAGE = 'disk full'; END $$")
    except Exception as error:
        leases.fail(row, error)
    assert (now(row).state, now(row).attempts) == (State.READY, 2)


def test_a_row_that_killed_its_worker_three_times_is_not_claimed_again():
    row = chunk(1, attempts=3)
    assert leases.claim(Chunk) == []
    assert now(row).state == State.QUARANTINED
    assert "its worker died 3 times" in now(row).error


def test_quarantined_rows_can_be_tried_again():
    row = claimed()
    leases.fail(row, "no", permanent=True)
    assert leases.revive(Chunk.objects.all(), work="chunk") == 1
    assert leases.claim(Chunk)[0].attempts == 1


def test_a_checkpoint_takes_back_the_failed_attempts():
    row = claimed(attempts=2)
    with transaction.atomic():
        leases.checkpoint(row, known_at=row.known_at)
    assert (now(row).attempts, now(row).state) == (1, State.RUNNING)


def test_a_poison_row_is_all_that_a_failing_chunk_loses(monkeypatch):
    decided: list[int] = []

    def perform(row: Chunk) -> None:
        if 13 in row.transaction_ids:
            raise DataError("thirteen")
        with transaction.atomic():
            decided.extend(row.transaction_ids)
            leases.finish(row)

    work = Work("chunk", "scoring.Chunk", "", "detect", 60, tasks.BISECT, tasks.BISECT)
    monkeypatch.setattr(
        Work, "act", lambda self, verb: perform if verb == "perform" else bisection.bisect
    )
    chunk(100)
    while Chunk.objects.filter(state=State.READY).exists():
        Chunk.objects.update(due_at=Now())
        tasks.do_all(work)
    assert sorted(decided) == [n for n in range(1, 101) if n != 13]
    poison = Chunk.objects.get(state=State.QUARANTINED)
    assert poison.transaction_ids == [13]
    assert "thirteen" in poison.error


def test_a_chunk_that_kills_its_workers_is_halved_at_the_third_attempt():
    row = chunk(5, attempts=3)
    halves = leases.claim(Chunk, limit=2, exhausted=bisection.bisect)
    assert [half.transaction_ids for half in halves] == [[1, 2], [3, 4, 5]]
    assert {half.attempts for half in halves} == {3}  # one more death and they are halved, too
    assert now(row).state == State.CANCELLED
    assert "halved" in now(row).error


def test_every_queue_has_a_worker_and_training_shares_its_own_with_nobody():
    from anomalyshield.processes import PROCESSES
    from scoring.tasks import QUEUES, WORK

    def queues(name):
        words = PROCESSES[name]()
        return words[words.index("--queues") + 1].split(",")

    assert queues("trainer") == ["train"]
    assert "train" not in queues("worker")
    assert sorted(queues("worker") + queues("trainer")) == sorted(QUEUES)
    assert {work.queue for work in WORK} == set(QUEUES)


def test_only_a_process_that_does_nothing_urgent_yields(monkeypatch):
    from anomalyshield import worker

    yielded = []
    monkeypatch.setattr(worker.os, "nice", yielded.append)
    worker.yield_to_others(["ingest", "detect", "explain"])
    worker.yield_to_others(["detect", "train"])
    assert yielded == []
    worker.yield_to_others(["train"])
    assert yielded == [worker.NICENESS]
