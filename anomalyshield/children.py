"""Starts programs that can never outlive the process that started them.

A child gets its own session, so that Ctrl-C in a terminal reaches the supervisor alone and the
children are stopped in order; on Linux the kernel signals it when the supervisor dies, however it
dies, so that `kill -9` leaves no orphans behind.
"""

import ctypes
import os
import pwd
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1
PROGRESS = re.compile(r"^ *(\S.*?) *…$", re.MULTILINE)
LOG_LIMIT = 20 * 1024 * 1024
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


@dataclass
class Child:
    """One program: how to start it, which signal asks it to end, and where its output goes."""

    name: str
    argv: Sequence[str | Path]
    log: Path
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    user: str | None = None
    stop_signal: int = signal.SIGTERM
    captured: bool = False  # its standard output is read by us; the log gets its errors
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        identity = _identity(self.user)
        with open_log(self.log) as output:
            self.process = subprocess.Popen(  # noqa: S603
                [str(part) for part in self.argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if self.captured else output,
                stderr=output,
                env=None if self.env is None else dict(self.env),
                cwd=self.cwd or "/",
                start_new_session=True,
                preexec_fn=dies_with_parent(self.stop_signal),
                **identity,
            )

    def wait(self) -> int:
        """Until it ends by itself; its exit code."""
        assert self.process is not None
        return self.process.wait()

    def progress(self) -> Iterator[str]:
        """Start it, and until it ends give out what it says it is doing: log lines ending in …"""
        with open_log(self.log) as log:
            start = log.tell()
        self.start()
        with self.log.open(encoding="utf-8", errors="replace") as said:
            said.seek(start)
            while self.alive:
                yield from (found[1] for found in PROGRESS.finditer(said.read()))
                time.sleep(0.1)

    def output(self) -> str:
        """All it prints, when it has ended; for a captured child."""
        assert self.process is not None
        assert self.process.stdout is not None
        return self.process.stdout.read().decode(errors="replace")

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return None if self.process is None else self.process.poll()

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)

    def stop(self, patience: float = 8) -> None:
        """Ask, wait for `patience` seconds, then kill the child and all it started."""
        self.ask_to_stop()
        self.end_by(time.monotonic() + patience)

    def end_by(self, deadline: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(deadline - time.monotonic(), 0.05))
        except subprocess.TimeoutExpired:
            # The session is the child's own, so its group is exactly what it started.
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def last_words(self, lines: int = 5) -> str:
        """The end of the log, for the sentence that says why a child died."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


def open_log(path: Path) -> IO[bytes]:
    """Append to a log; one that grew past 20 MB is set aside first, so two files are the most."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def _identity(user: str | None) -> dict[str, Any]:
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def dies_with_parent(stop_signal: int) -> Callable[[], None] | None:
    """What the child runs between fork and exec, after it took its user's identity.

    The order matters: a change of identity clears the parent-death signal.
    """
    prctl = _prctl
    if prctl is None:
        return None
    parent = os.getpid()

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return ask_the_kernel
