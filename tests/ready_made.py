"""The test database out of a copy: its migrations take half a minute, reading a copy two seconds.

The copy lies in the folder for temporary files, under a name made of everything that decides what
migrations do. Only for the servers that tests start themselves; a database that somebody names in
DATABASE_URL is made by its migrations.
"""

import fcntl
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from django.conf import settings
from django.db import connection

from anomalyshield.programs import Programs

MOST = 8  # copies


def _digest() -> str:
    """Of our migrations and of the packages that have some of their own."""
    root = Path(settings.BASE_DIR)
    ours = [file for file in root.glob("*/**/migrations/*.py") if ".venv" not in file.parts]
    found = hashlib.sha256()
    for file in sorted([*ours, root / "requirements-dev.txt", Path(__file__)]):
        found.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:16]


class Copy:
    """The file, and what is done with it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.gettempdir()) / f"anomalyshield-tests-{os.getuid()}"
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.file = self.folder / f"{_digest()}.sql"
        self.lock = (self.folder / "lock").open("w")

    def wait(self) -> None:
        """Of several processes the first makes it; the others wait until it lets go."""
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def let_go(self) -> None:
        self.lock.close()

    def keep(self) -> None:
        """The database as it is now; of other branches the latest copies stay."""
        half = self.file.with_suffix(f".{os.getpid()}")
        _run("pg_dump", "--no-sync", "-f", str(half), database=_name())
        half.rename(self.file)
        every = sorted(self.folder.glob("*.sql"), key=lambda file: file.stat().st_mtime)
        for old in every[:-MOST]:
            old.unlink()

    def read(self) -> bool:
        """Into a new database of the name that Django looks for; False: there is none to read."""
        if not self.file.exists():
            return False
        _run("createdb", database=_name())
        try:
            _psql(self.file, _name())
        except subprocess.CalledProcessError:  # cut short by a full disk, say
            self.file.unlink()
            _run("dropdb", database=_name())
            return False
        return True


def filled(host: str, database: str) -> bool:
    """Another empty database of the same kind, for a stack of real processes; False: no copy."""
    copy = Copy()
    copy.wait()
    copy.let_go()
    if copy.file.exists():
        _psql(copy.file, database, host=host)
    return copy.file.exists()


def _psql(file: Path, database: str, **where: str) -> None:
    _run("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", str(file), database=database, **where)


def _name() -> str:
    return str(connection.creation._get_test_db_name())


def _run(program: str, *arguments: str, database: str, host: str = "") -> None:
    server = connection.settings_dict
    whom = ["-h", host or server["HOST"], "-U", server["USER"]]
    command = [str(Programs.find().postgres / program), *whom, *arguments, database]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
