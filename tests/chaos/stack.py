"""Real servers and processes that a test may kill, and the questions asked of them afterwards."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from anomalyshield.embedded import DATABASE, Servers
from tests import ready_made
from tests.chaos.toy.work import TABLES

PROJECT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 6
PATIENCE = 90.0  # for what must come, but of which nobody promised when
MOST_STRETCH = 6.0  # a promise is never stretched further than this, however busy the machine
TICKERS = WORKERS = CHILDREN = 2


def until(happens: Callable[[], Any], what: str, seconds: float = PATIENCE) -> float:
    """Wait for it; how long that took. Fails with words when it does not come."""
    start = time.monotonic()
    while not happens():
        assert time.monotonic() - start < seconds, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - start


def promised(happens: Callable[[], Any], seconds: float, what: str) -> float:
    """The same for a promise in seconds, which is one about a machine with a processor to spare.

    While we wait we count who wants to run. On a quiet machine that is at most one process per
    processor and the promise is meant literally; with three per processor everything takes three
    times as long and so may this, up to MOST_STRETCH. What is broken stays late all the same.
    """
    start, looks, wanted = time.monotonic(), 0, 0.0
    while not happens():
        looks, wanted = looks + 1, wanted + crowd()
        stretch = min(max(wanted / looks, 1.0), MOST_STRETCH)
        waited = time.monotonic() - start
        assert waited < seconds * stretch, (
            f"not within {seconds:g} s × {stretch:.1f} for {wanted / looks:.1f} processes that"
            f" want each processor: {what}"
        )
        time.sleep(0.05)
    return time.monotonic() - start


def crowd() -> float:
    """Processes that want to run at this moment, per processor."""
    runnable = Path("/proc/loadavg").read_text().split()[3].partition("/")[0]
    return int(runnable) / (os.cpu_count() or 1)


@contextmanager
def booted(settings: str = "tests.chaos.settings") -> Iterator["Stack"]:
    """A stack in a folder of its own; gone with everything it started at the end."""
    folder = Path(tempfile.mkdtemp(prefix="anomalyshield-chaos-"))
    folder.chmod(0o755)  # as root the servers run as `nobody` and must get in
    stack = Stack(folder, settings)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Stack:
    """Two servers and any number of workers and tickers, all in one folder."""

    folder: Path
    settings: str = "tests.chaos.settings"
    code: Path = PROJECT  # the folder of the release that runs
    faults: str = ""  # fault points of the workers started from now on
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    tickers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        self.servers = Servers(self.folder / "servers", self.folder / "log", durable=False)
        self.servers.start_postgres()
        self.servers.start_valkey()
        self.migrate()
        self.ask(TABLES)

    def migrate(self) -> None:
        """From the copy that other tests have left, if they have; that is ten times as quick."""
        ours = self.code == PROJECT
        if not (ours and ready_made.filled(str(self.servers.site.sockets), DATABASE)):
            arguments = [sys.executable, "manage.py", "migrate", "-v0"]
            subprocess.run(arguments, cwd=self.code, env=self.env, check=True)

    def shell(self, program: str) -> None:
        """Run a few lines inside the platform."""
        arguments = [sys.executable, "manage.py", "shell", "-v0", "-c", program]
        subprocess.run(arguments, cwd=self.code, env=self.env, check=True)

    def stop(self) -> None:
        self.kill_all()
        self.servers.stop()

    # --- between tests ----------------------------------------------------------------------------
    def recover(self) -> None:
        """Whatever the test before did or failed at: servers answer, no work is left, and every
        child of two workers has just done a row. What was not in order is started anew."""
        self.restore_servers()
        if not self.in_order():
            self.kill_all()
        for table in ("scoring_chunk", "toy_order", "toy_begun", "toy_made"):
            self.ask(f"DELETE FROM {table}")
        self.tickers += [self.ticker() for _ in range(TICKERS - len(self.tickers))]
        self.workers += [self.worker(CHILDREN) for _ in range(WORKERS - len(self.workers))]
        until(self.everyone_works, "a row done by every child of every worker")

    def restore_servers(self) -> None:
        starts = [
            (self.servers.postgres, self.servers.start_postgres),
            (self.servers.valkey, self.servers.start_valkey),
        ]
        for server, start in starts:
            if server.alive and server.process is not None:
                os.kill(server.process.pid, signal.SIGCONT)
            else:
                start()

    def in_order(self) -> bool:
        """Does everything live that was started, and is no work left over?"""
        return self.open_chunks() == 0 and all(
            process.poll() is None for process in (*self.workers, *self.tickers)
        )

    def everyone_works(self) -> bool:
        children = {pid for worker in self.workers for pid in self.forked(worker)}
        if len(children) < WORKERS * CHILDREN:
            return False
        for number in range(8):
            self.ask(
                "INSERT INTO toy_order VALUES (%s, 'sleep', 0.2) ON CONFLICT DO NOTHING", number
            )
        self.put(0, 8, 1)
        until(lambda: self.open_chunks() == 0, "the rows that show who works")
        return children <= {pid for (pid,) in self.ask("SELECT DISTINCT pid FROM toy_begun")}

    def kill_all(self) -> None:
        for process in self.processes:
            self.kill(process)
        self.processes.clear()
        self.workers.clear()
        self.tickers.clear()

    def replace_dead_workers(self) -> None:
        """As `manage.py up` does; Celery gives up when its children die while it starts."""
        self.workers = [
            self.worker(CHILDREN) if worker.poll() is not None else worker
            for worker in self.workers
        ]

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": self.settings,
            "DATABASE_URL": self.servers.database_url,
            "REDIS_URL": self.servers.redis_url,
            "ANOMALYSHIELD_VAR": str(self.folder / "var"),
            "ANOMALYSHIELD_ENV": "test",
            "ANOMALYSHIELD_FAULTS": self.faults,
            "ANOMALYSHIELD_CHUNK_ROWS": "100",
            "ANOMALYSHIELD_LEASE_SECONDS": str(LEASE_SECONDS),
            "OMP_NUM_THREADS": "1",
        }

    # --- processes --------------------------------------------------------------------------------
    def worker(self, concurrency: int = 2) -> subprocess.Popen[bytes]:
        quiet = ["--without-mingle", "--without-gossip", "--without-heartbeat"]
        arguments = ["-m", "celery", "-A", "anomalyshield", "worker", "-Q", "ingest,detect,explain"]
        name = f"w{len(self.logged())}@test"
        return self._run([*arguments, "-c", str(concurrency), "-n", name, *quiet])

    def ticker(self) -> subprocess.Popen[bytes]:
        return self._run(["manage.py", "tick"])

    def _run(self, arguments: list[str]) -> subprocess.Popen[bytes]:
        log = self.folder / "log" / f"process{len(self.logged()):03}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.code,
                env=self.env,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """kill -9 of a process and all it forked."""
        try:
            os.killpg(process.pid, signal.SIGCONT)
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()

    def logged(self) -> list[Path]:
        return sorted((self.folder / "log").glob("process*.log"))

    def logs(self) -> str:
        return "\n".join(file.read_text(errors="replace") for file in self.logged())

    # --- rows -------------------------------------------------------------------------------------
    def ask(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.servers.database_url, autocommit=True) as session:
            cursor = session.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def put(self, first: int, count: int, size: int, **orders: Any) -> list[int]:
        """Chunks of the numbers from `first` on; the ids of the chunks."""
        numbers = range(first, first + count)
        parts = [list(numbers[at : at + size]) for at in range(0, count, size)]
        rows = "(state, attempts, error, transaction_ids, known_at)"
        ids = [
            self.ask(f"INSERT INTO scoring_chunk {rows} VALUES ('WAITING', 0, '', %s, now())"
                     " RETURNING id", part)[0][0]
            for part in parts
        ]  # fmt: skip
        self.ask("UPDATE scoring_chunk SET state = 'READY' WHERE id = ANY(%s)", ids)
        self.ask("SELECT pg_notify('work', 'chunk')")
        return ids

    def order(self, number: int, verb: str, seconds: float = 0) -> None:
        self.ask("INSERT INTO toy_order VALUES (%s, %s, %s)", number, verb, seconds)

    def open_chunks(self) -> int:
        return self.ask("SELECT count(*) FROM scoring_chunk WHERE state IN ('READY', 'RUNNING')")[
            0
        ][0]

    def made(self, first: int, count: int) -> list[int]:
        rows = self.ask(
            "SELECT number FROM toy_made WHERE number BETWEEN %s AND %s ORDER BY 1",
            first,
            first + count - 1,
        )
        return [number for (number,) in rows]

    def begun(self, chunk: int) -> list[int]:
        """The processes that began this chunk, in order."""
        rows = self.ask("SELECT pid FROM toy_begun WHERE chunk = %s ORDER BY at", chunk)
        return [pid for (pid,) in rows]

    def forked(self, process: subprocess.Popen[bytes]) -> list[int]:
        """The pool children of a worker that are alive."""
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        try:
            return [int(pid) for pid in children.read_text().split()]
        except FileNotFoundError:  # it has ended
            return []

    def children_at_work(self) -> list[int]:
        """Children that came through their start: each has begun a row."""
        begun = {pid for (pid,) in self.ask("SELECT DISTINCT pid FROM toy_begun")}
        return [pid for worker in self.workers for pid in self.forked(worker) if pid in begun]
