"""Real workers, tickers and servers, killed and stopped: no row lost, none done twice.

The servers are shared; before each test they are made to answer, leftovers are cleared and every
worker child has shown that it works, so that one failure says nothing about the next test.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.chaos.stack import LEASE_SECONDS, Stack, booted, promised, until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="finds the pool's children in /proc"),
]
RESUMED = 5  # seconds after the death of its worker
LOOKED = 6  # seconds after which a row is found without any bell


@pytest.fixture(scope="module")
def site() -> Iterator[Stack]:
    with booted() as stack:
        yield stack


@pytest.fixture
def stack(site: Stack) -> Stack:
    site.recover()
    return site


def done(stack: Stack) -> bool:
    stack.replace_dead_workers()
    return stack.open_chunks() == 0


def resumed(stack: Stack, number: int) -> float:
    """Seconds from the kill of a chunk's worker to the next begin of that chunk."""
    stack.order(number, "sleep", 1.5)
    [chunk] = stack.put(number, 1, 1)
    until(lambda: stack.begun(chunk), "the chunk begun")
    # Far away, so that it is the freed lock that gives the row back, and not the lease.
    stack.ask("UPDATE scoring_chunk SET lease_until = now() + interval '1 h' WHERE id = %s", chunk)
    os.kill(stack.begun(chunk)[0], signal.SIGKILL)
    waited = promised(lambda: len(stack.begun(chunk)) > 1, RESUMED, "the chunk begun again")
    until(lambda: stack.made(number, 1), "the chunk done")
    return waited


def test_a_killed_workers_chunk_is_resumed_within_five_seconds(stack, capsys):
    waits = [resumed(stack, number) for number in (1000, 1001, 1002)]
    assert stack.made(1000, 3) == [1000, 1001, 1002]
    with capsys.disabled():
        print(f"\n  resumed after kill -9: {', '.join(f'{wait:.1f} s' for wait in waits)}")


def test_children_killed_all_the_time_lose_and_double_nothing(stack, capsys):
    for number in range(2000, 2600, 3):
        stack.order(number, "sleep", 0.1)
    stack.put(2000, 600, 3)
    dice, end, deaths = random.Random(7), time.monotonic() + 4, 0
    while time.monotonic() < end:
        with suppress(ProcessLookupError, IndexError):
            os.kill(dice.choice(stack.children_at_work()), signal.SIGKILL)
            deaths += 1
        time.sleep(0.4)
    waited = until(lambda: done(stack), "everything done")
    assert stack.made(2000, 600) == [*range(2000, 2600)]
    assert deaths
    with capsys.disabled():
        print(f"\n  {deaths} children killed; all done {waited:.1f} s after the last")


def test_a_whole_worker_killed_is_replaced_by_the_other(stack):
    for number in range(3000, 3060, 2):
        stack.order(number, "sleep", 0.1)
    stack.put(3000, 60, 2)
    time.sleep(0.5)
    stack.kill(stack.workers.pop())
    until(lambda: stack.open_chunks() == 0, "everything done by the other worker")
    assert stack.made(3000, 60) == [*range(3000, 3060)]


def test_a_stopped_worker_that_wakes_after_its_lease_cannot_commit(stack, capsys):
    stack.order(4000, "sleep", 1)
    [chunk] = stack.put(4000, 3, 3)
    until(lambda: stack.begun(chunk), "the chunk begun")
    sleeper = stack.begun(chunk)[0]
    os.kill(sleeper, signal.SIGSTOP)
    try:
        waited = until(lambda: stack.made(4000, 3), "the chunk done by another worker")
    finally:
        os.kill(sleeper, signal.SIGCONT)
    said = f"chunk {chunk} is no longer ours"
    until(lambda: said in stack.logs(), "the late worker refused")
    assert stack.made(4000, 3) == [4000, 4001, 4002]
    with capsys.disabled():
        print(
            f"\n  a stopped worker's chunk was done by another after {waited:.1f} s"
            f" (lease {LEASE_SECONDS} s)"
        )


def test_a_flushed_and_a_dead_broker_only_delay(stack, capsys):
    for number in range(5000, 5200, 2):
        stack.order(number, "sleep", 0.05)
    stack.put(5000, 100, 2)
    with stack.servers._valkey() as broker:
        broker.flushall()
    stack.servers.valkey.process.kill()
    stack.servers.valkey.process.wait()
    stack.put(5100, 100, 2)
    waited = until(lambda: done(stack), "everything done without a broker")
    assert stack.made(5000, 200) == [*range(5000, 5200)]
    stack.put(5200, 1, 1)
    alone = promised(lambda: stack.made(5200, 1), LOOKED, "a row found without any bell")
    stack.servers.start_valkey()
    heard = "SELECT 1 FROM anomalyshield_heartbeat WHERE name = 'bell:detect' AND at > %s"
    [[now]] = stack.ask("SELECT now()")

    def ringing() -> bool:
        stack.put(5300, 1, 1)
        time.sleep(0.3)
        return bool(stack.ask(heard, now))

    back = until(ringing, "a bell heard again")
    until(lambda: done(stack), "everything done")
    with capsys.disabled():
        print(
            f"\n  broker flushed and killed: 100 chunks in {waited:.1f} s; one row without a bell "
            f"{alone:.1f} s; a bell heard {back:.1f} s after its return"
        )


def test_a_stalled_broker_stops_neither_ticker_nor_workers(stack):
    os.kill(stack.servers.valkey.process.pid, signal.SIGSTOP)
    [[now]] = stack.ask("SELECT now()")
    # Later than any wait of a ticker or worker that hangs at the broker's socket could hide.
    later = "SELECT 1 FROM anomalyshield_heartbeat WHERE name = %s AND at > %s + interval '3 s'"
    stack.put(6000, 20, 2)
    promised(lambda: stack.made(6000, 20) == [*range(6000, 6020)], 10, "done without a bell")
    for name in ("ticker", "queue:detect"):
        promised(lambda name=name: stack.ask(later, name, now), 10, f"a sign of {name} since then")


def test_poison_is_set_aside_alone_whether_it_raises_or_kills(stack, capsys):
    stack.order(7005, "raise")
    stack.order(7101, "kill")
    stack.put(7000, 16, 16)
    stack.put(7100, 4, 4)
    waited = until(lambda: done(stack), "both chunks halved to the end")
    assert stack.made(7000, 16) == [n for n in range(7000, 7016) if n != 7005]
    assert stack.made(7100, 4) == [7100, 7102, 7103]
    aside = (
        "SELECT transaction_ids, error FROM scoring_chunk WHERE state = 'QUARANTINED' ORDER BY id"
    )
    found = {tuple(ids): error for ids, error in stack.ask(aside)}
    assert set(found) == {(7005,), (7101,)}
    assert "7005 is poison" in found[(7005,)]
    assert "its worker died 3 times" in found[(7101,)]
    with capsys.disabled():
        print(f"\n  poison that raises and poison that kills set aside in {waited:.1f} s")


def test_everything_reconnects_after_the_database_crashed(stack, capsys):
    for number in range(8000, 8100, 2):
        stack.order(number, "sleep", 0.1)
    stack.put(8000, 100, 2)
    time.sleep(0.5)
    os.kill(stack.servers.postgres.process.pid, signal.SIGQUIT)  # "immediate"
    stack.servers.postgres.process.wait()
    stack.servers.start_postgres()
    until(lambda: done(stack), "everything done after the crash")
    assert stack.made(8000, 100) == [*range(8000, 8100)]
    [[now]] = stack.ask("SELECT now()")
    signs = "SELECT name FROM anomalyshield_heartbeat WHERE at > %s"
    expected = {("ticker",), ("queue:detect",)}
    waited = until(lambda: expected <= {*stack.ask(signs, now)}, "all alive again")
    with capsys.disabled():
        print(f"\n  ticker and workers alive {waited:.1f} s after the database's crash was mended")


def test_two_tickers_make_one_chain_and_run_each_slot_once(stack):
    [[before]] = stack.ask("SELECT count(*) FROM audit_auditevent")
    stack.order(8500, "raise")
    stack.order(8501, "raise")
    stack.put(8500, 2, 1)  # quarantined, which leaves an event each on the trail
    until(lambda: done(stack), "both rows set aside")
    unsealed = "SELECT count(*) FROM audit_auditevent WHERE number IS NULL"
    until(lambda: stack.ask(unsealed) == [(0,)], "everything sealed")
    [[count, last]] = stack.ask("SELECT count(*), max(number) FROM audit_auditevent")
    assert count == last == before + 2
    slots = "SELECT job, count(*), count(DISTINCT slot) FROM scoring_jobslot GROUP BY job"
    until(lambda: stack.ask(slots), "a slot taken")
    for job, runs, distinct in stack.ask(slots):
        assert runs == distinct, job
    made = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'scoring_snapshot'::regclass"
    until(lambda: stack.ask(made) >= [(9,)], "the partitions of the days to come")
    assert all(ticker.poll() is None for ticker in stack.tickers)


def test_a_worker_asked_to_stop_finishes_its_row(stack):
    stack.order(9000, "sleep", 1)
    [chunk] = stack.put(9000, 1, 1)
    until(lambda: stack.begun(chunk), "the chunk begun")
    for worker in stack.workers:
        worker.terminate()
    for worker in stack.workers:
        worker.wait(timeout=60)
    assert stack.made(9000, 1) == [9000]
    assert len(stack.begun(chunk)) == 1
