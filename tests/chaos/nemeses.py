"""What befalls an installation: each nemesis acts for some seconds and leaves all well again.

Adding one is one function and one line in NEMESES; the same check follows each.
"""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from tests.chaos.stack import LEASE_SECONDS, until
from tests.chaos.whole import Kept, Whole

LIBRARIES = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
FAKETIME = next(LIBRARIES, None)
CHANCE = random.Random(17)
GREEDY = "greedy"


@dataclass(frozen=True)
class Nemesis:
    """A name for the table, and what it does to a stack for so many seconds."""

    name: str
    act: Callable[[Whole, float], None]
    missing: str = ""  # why it cannot act on this machine
    # What is so before the first client comes and until the last has gone.
    around: Callable[[Whole], AbstractContextManager[None]] = nullcontext


def turns(seconds: float, pause: float) -> Iterator[None]:
    """Once every `pause` seconds until the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(pause)


def killed(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def told(pid: int, order: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, order)


# --- processes ------------------------------------------------------------------------------------
def calm(stack: Whole, seconds: float) -> None:
    """Nothing happens: what the others are compared with."""
    time.sleep(seconds)


def kill_web(stack: Whole, seconds: float) -> None:
    """Web processes die one after another; once the one that starts them."""
    for turn, _ in enumerate(turns(seconds, 0.7)):
        masters = [one.pid for one in stack.named("web")]
        for pid in (stack.children("web") if turn != 2 else []) or masters:
            killed(pid)
            break


def kill_workers(stack: Whole, seconds: float) -> None:
    """Children of the workers die, and now and then a worker with all of them."""
    for turn, _ in enumerate(turns(seconds, 0.5)):
        workers = stack.named("worker")
        if turn % 6 == 5 and workers:
            killed(CHANCE.choice(workers).pid)
        elif children := stack.children("worker"):
            killed(CHANCE.choice(children))


def kill_tickers(stack: Whole, seconds: float) -> None:
    """Each clock of the platform dies as soon as it stands again."""
    for _ in turns(seconds, 0.5):
        for one in stack.named("ticker"):
            killed(one.pid)


def kill_anyone(stack: Whole, seconds: float) -> None:
    """Any process of any kind, at any moment."""
    for _ in turns(seconds, 0.5):
        everyone = [one.pid for one in stack.named("web", "worker", "ticker")]
        killed(CHANCE.choice([*everyone, *stack.children("web", "worker")] or [0]))


def stop_beyond_the_lease(stack: Whole, seconds: float) -> None:
    """Workers stand still for longer than their lease, then go on as if nothing had been."""
    still = stack.children("worker")
    for pid in still:
        told(pid, signal.SIGSTOP)
    time.sleep(max(seconds, LEASE_SECONDS + 2))
    for pid in still:
        told(pid, signal.SIGCONT)


def ring_a_hundred_times(stack: Whole, seconds: float) -> None:
    """Every doorbell rings a hundred times over."""
    for _ in turns(seconds, 0.2):
        stack.ask("SELECT pg_notify('work', 'chunk') FROM generate_series(1, 100)")
        for one in stack.named("ticker"):
            told(one.pid, signal.SIGCONT)


# --- Valkey ---------------------------------------------------------------------------------------
def kill_valkey(stack: Whole, seconds: float) -> None:
    """It is killed with all it held, stays away, and comes back empty."""
    process = stack.servers.valkey.process
    assert process is not None
    killed(process.pid)
    process.wait()
    time.sleep(seconds)
    stack.servers.start_valkey()


def flush_valkey(stack: Whole, seconds: float) -> None:
    """Everything in it is forgotten, again and again."""
    for _ in turns(seconds, 0.3):
        with redis.Redis.from_url(stack.servers.redis_url) as valkey:
            valkey.flushall()


def stall_valkey(stack: Whole, seconds: float) -> None:
    """It takes connections and says nothing."""
    process = stack.servers.valkey.process
    assert process is not None
    told(process.pid, signal.SIGSTOP)
    time.sleep(seconds)
    told(process.pid, signal.SIGCONT)


def slow_valkey(stack: Whole, seconds: float) -> None:
    """It answers a byte a second."""
    stack.bell.dribbles = 1.0
    time.sleep(seconds)
    stack.bell.dribbles = 0.0


def cut_valkey(stack: Whole, seconds: float) -> None:
    """Every connection to it ends, again and again."""
    for _ in turns(seconds, 0.5):
        stack.bell.cut()


def fill_valkey(stack: Whole, seconds: float) -> None:
    """There is no room left in it: whatever would write is refused, what reads is answered."""
    with redis.Redis.from_url(stack.servers.redis_url) as valkey:
        valkey.config_set("maxmemory", 1)
        try:
            time.sleep(seconds)
        finally:
            valkey.config_set("maxmemory", 0)


# --- PostgreSQL, disk, clock, network -------------------------------------------------------------
def restart_postgres(stack: Whole, seconds: float) -> None:
    """An immediate shutdown: no session is ended, no page written; then recovery."""
    for _ in turns(seconds, 3):
        postgres = stack.servers.postgres
        assert postgres.process is not None
        told(postgres.process.pid, signal.SIGQUIT)
        postgres.wait()
        stack.servers.start_postgres()


def end_sessions(stack: Whole, seconds: float) -> None:
    """Every connection to PostgreSQL is cut by its administrator."""
    for _ in turns(seconds, 1):
        with suppress(Exception):
            stack.ask(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )


def take_every_place(stack: Whole, seconds: float) -> None:
    """A neighbour takes all connections that PostgreSQL has, those of the product as well."""
    for _ in turns(seconds, 1.5):
        with ExitStack() as taken:
            for _ in range(3):
                take_places(stack, taken)
                time.sleep(0.4)


def take_places(stack: Whole, taken: ExitStack) -> None:
    """Whoever was there is put out, and before they are back nothing is free."""
    with suppress(psycopg.OperationalError):
        first = taken.enter_context(psycopg.connect(stack.servers.database_url, autocommit=True))
        first.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name <> %s"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
            [GREEDY],
        )
        while True:
            taken.enter_context(
                psycopg.connect(stack.servers.database_url, application_name=GREEDY)
            )


def fill_the_disk(stack: Whole, seconds: float) -> None:
    """Not a byte is left where PostgreSQL and Valkey write; then there is room again."""
    ballast = stack.folder / "ballast"
    for _ in turns(seconds, 2):
        with suppress(OSError), ballast.open("wb") as file:
            while True:
                file.write(b"\0" * 2**20)
                file.flush()
        time.sleep(2)
        ballast.unlink()
        for server, start in (
            (stack.servers.postgres, stack.servers.start_postgres),
            (stack.servers.valkey, stack.servers.start_valkey),
        ):
            if not server.alive:
                start()


@contextmanager
def in_other_times(stack: Whole) -> Iterator[None]:
    """One worker lives ten minutes ahead, the other ten minutes ago; leases are the database's."""
    with skewed(stack, by=600):
        workers = [one for one in stack.kept if one.name == "worker"]
        until(lambda: all(map(stack.works, workers)), "workers of other times work")
        yield


@contextmanager
def skewed(stack: Whole, *, by: int) -> Iterator[None]:
    """Seconds by which the clock of one worker is fast, and that of the other slow."""
    workers: list[Kept] = [one for one in stack.kept if one.name == "worker"]
    for one, skew in zip(workers, (f"+{by}s", f"-{by}s"), strict=True):
        stack.again(one, LD_PRELOAD=str(FAKETIME), FAKETIME=skew, FAKETIME_DONT_FAKE_MONOTONIC="1")
    try:
        yield
    finally:
        for one in workers:
            stack.again(one)


def lose_answers(stack: Whole, seconds: float) -> None:
    """A third of the answers is lost on the way, after the request has arrived."""
    stack.door.answers_lost = 0.33
    time.sleep(seconds)
    stack.door.answers_lost = 0.0


def everything_at_once(stack: Whole, seconds: float) -> None:
    """Answers are lost, Valkey forgets, any process dies, and workers differ about the time."""
    stack.door.answers_lost = 0.2
    with skewed(stack, by=240) if FAKETIME else nullcontext():
        for _ in turns(seconds, 0.2):
            flush_valkey(stack, 0.1)
            kill_anyone(stack, 0.3)
    stack.door.answers_lost = 0.0


def faketime_missing() -> str:
    return "" if FAKETIME else "needs libfaketime (Debian's package of that name)"


def mount_missing() -> str:
    """Tried, because a container's root is none."""
    if os.geteuid() or not shutil.which("mount"):
        return "needs root, to mount a small file system"
    probe = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True
    )
    return "" if probe.returncode == 0 else "this machine does not let us mount a file system"


SHORT = [Nemesis("everything at once", everything_at_once)]
NEMESES = [
    Nemesis("nothing", calm),
    Nemesis("kill -9 web", kill_web),
    Nemesis("kill -9 workers", kill_workers),
    Nemesis("kill -9 tickers", kill_tickers),
    Nemesis("kill -9 anyone", kill_anyone),
    Nemesis("workers stopped beyond the lease", stop_beyond_the_lease),
    Nemesis("doorbells a hundred times", ring_a_hundred_times),
    Nemesis("Valkey killed", kill_valkey),
    Nemesis("Valkey flushed", flush_valkey),
    Nemesis("Valkey stalled", stall_valkey),
    Nemesis("Valkey a byte a second", slow_valkey),
    Nemesis("Valkey cut off", cut_valkey),
    Nemesis("Valkey without room", fill_valkey),
    Nemesis("PostgreSQL restarted at once", restart_postgres),
    Nemesis("PostgreSQL sessions ended", end_sessions),
    Nemesis("PostgreSQL without a place", take_every_place),
    Nemesis("answers lost on the way", lose_answers),
    Nemesis("clocks ±10 min", calm, faketime_missing(), in_other_times),
    *SHORT,
]
DISK = Nemesis("disk full", fill_the_disk, mount_missing())
