"""Lets one supervisor at a time run on a data folder, and says where the running one is."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRuns(Exception):
    """Another supervisor holds the folder; the sentence names its address and process."""


@contextmanager
def only_one(path: Path, url: str) -> Iterator[None]:
    """Hold the lock file while the block runs.

    The kernel's lock ends with the process, so the file of a killed supervisor never stands in
    the way; children do not inherit it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise AlreadyRuns(_who(file.read())) from None
        file.truncate(0)
        json.dump({"url": url, "process": os.getpid()}, file)
        file.flush()
        yield


def running(path: Path) -> str | None:
    """The address of the supervisor that holds the lock file, if one does."""
    if not path.exists():
        return None
    with path.open(encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return str(json.loads(file.read() or "{}").get("url", "")) or None
    return None


def _who(text: str) -> str:
    try:
        running = json.loads(text)
    except ValueError:  # it took the lock this very moment
        return "AnomalyShield is being started from this folder already."
    return (
        f"AnomalyShield already runs from this folder: {running['url']} "
        f"(process {running['process']}). Stop it there with Ctrl-C first."
    )
