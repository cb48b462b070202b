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

from anomalyshield.embedded import Servers
from tests.chaos.toy.work import TABLES

PROJECT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 6  # longer than the 5 s in which a dead worker's row must be resumed


def until(happens: Callable[[], Any], seconds: float, what: str) -> float:
    """Wait for it; how long that took. Fails with words when it does not come."""
    start = time.monotonic()
    while not happens():
        assert time.monotonic() - start < seconds, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - start


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
    faults: str = ""  # fault points of the workers started from now on
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        self.servers = Servers(self.folder / "servers", self.folder / "log", durable=False)
        self.servers.start_postgres()
        self.servers.start_valkey()
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v0"], cwd=PROJECT, env=self.env, check=True
        )
        self.ask(TABLES)

    def shell(self, program: str) -> None:
        """Run a few lines inside the platform."""
        arguments = [sys.executable, "manage.py", "shell", "-v0", "-c", program]
        subprocess.run(arguments, cwd=PROJECT, env=self.env, check=True)

    def stop(self) -> None:
        for process in self.processes:
            self.kill(process)
        self.servers.stop()

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
        name = f"w{len(self.processes)}@test"
        return self._run([*arguments, "-c", str(concurrency), "-n", name, *quiet])

    def ticker(self) -> subprocess.Popen[bytes]:
        return self._run(["manage.py", "tick"])

    def _run(self, arguments: list[str]) -> subprocess.Popen[bytes]:
        log = self.folder / "log" / f"process{len(self.processes)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=PROJECT,
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

    def logs(self) -> str:
        files = sorted((self.folder / "log").glob("process*.log"))
        return "\n".join(file.read_text(errors="replace") for file in files)

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
        return [int(pid) for pid in children.read_text().split()]
