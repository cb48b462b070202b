"""Heads of the chain, noted outside of the database: what shows a cut or rebuilt chain.

`var/audit.anchor` has one line per minute in which something was sealed: number, digest, time.
Copy it to another machine now and then: a chain rebuilt together with its anchors shows nowhere.
"""

import fcntl
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

WIDTH = 107  # of every line, so that the last one can be replaced in place


@dataclass(frozen=True)
class Anchor:
    """The digest that the event of this number had."""

    number: int
    digest: bytes
    at: str = ""


def path() -> Path:
    return settings.VAR / "audit.anchor"


def write(anchor: Anchor) -> None:
    """Note the head; a line of the same minute is overwritten, so the file grows slowly."""
    at = datetime.now(UTC)
    line = f"{anchor.number:020d} {anchor.digest.hex()} {at:%Y-%m-%dT%H:%M:%SZ}\n".encode()
    path().parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path(), os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.pwrite(file, line, _place(file, line))
    finally:
        os.close(file)


def _place(file: int, line: bytes) -> int:
    """Where to write: over the last line if it is of this minute and older than ours."""
    end = os.fstat(file).st_size // WIDTH * WIDTH
    last = os.pread(file, WIDTH, max(end - WIDTH, 0))
    same_minute = last[86:102] == line[86:102]
    return end - WIDTH if same_minute and last[:20] <= line[:20] else end


def read() -> dict[int, Anchor]:
    """Every anchor there is, by number. A line cut short by a crash is no anchor."""
    if not path().exists():
        return {}
    found = {}
    for line in path().read_text(encoding="ascii", errors="replace").splitlines():
        if len(line) == WIDTH - 1:
            number, digest, at = line.split(" ")
            found[int(number)] = Anchor(int(number), bytes.fromhex(digest), at)
    return found
