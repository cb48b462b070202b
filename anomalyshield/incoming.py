"""A connection while a request comes: how much of it is there, and who sends too slowly."""

import errno
import re
import socket
import time
from typing import Any

from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn

PIECE = 65_536
MOST_HEAD = 65_536
MOST_KEPT = 131_072  # of a whole request; a thousand of them are 128 MB
MOST_DISCARDED = 64 * 2**20
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,15})")
# Sent in pieces nobody counted, or only when asked for: nothing to wait for here.
UNCOUNTED = re.compile(rb"\r\n(?:transfer-encoding|expect):")


class Unhurried(SocketUnreader):
    """Reads the body of a large request, from a sender who does not stop for long."""

    def __init__(self, sock: socket.socket, seconds: float, slowest: int) -> None:
        super().__init__(sock)
        self.seconds, self.slowest = seconds, slowest
        self.waited, self.came = 0.0, 0

    def chunk(self, size_hint: int | None = None) -> bytes:
        began = time.monotonic()
        self.sock.settimeout(self.seconds)
        try:
            data: bytes = super().chunk(size_hint)
        finally:
            self.sock.settimeout(None)
        self.waited += time.monotonic() - began
        self.came += len(data)
        if self.waited > self.seconds and self.came < self.waited * self.slowest:
            raise TimeoutError(errno.ETIMEDOUT, "the body comes too slowly")
        return data


class Connection(TConn):
    """One connection, and what has come of its next request."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.came = bytearray()
        self.until = 0.0  # on the clock that only goes forward
        self.since = 0.0  # it says nothing, or has begun to say something
        self.left = 0  # bytes still to be discarded, once it was told good-bye
        self.large = False
        self.goes_on = False  # to another request, once the answer is taken
        self._searched = 0
        self._need = 0

    def await_next(self, begun: bytes, until: float) -> None:
        self.came[:] = begun
        self.until, self.large = until, False
        self.since = time.monotonic()
        self._searched = self._need = 0

    def head_is_there(self) -> bool:
        """Also notes how much there is to come."""
        if self._need:
            return True
        end = self.came.find(b"\r\n\r\n", max(0, self._searched - 3))
        self._searched = len(self.came)
        if end < 0:
            return False
        head = bytes(self.came[: end + 2]).lower()
        length = LENGTH.search(head)
        self._need = end + 4 + (int(length[1]) if length else 0)
        self.large = self._need > MOST_KEPT or UNCOUNTED.search(head) is not None
        return True

    def patience(self, now: float, fresh: float) -> tuple[int, float]:
        """Who gives way first, where there are too many: the least of these.

        Good-byes; then who says nothing, then whose request does not come to its end, each the
        longest first; then the slowest readers. Whoever just came or began, last of all.
        """
        if self.left:
            return 0, self.until
        idle = not (self.came or self.sock.kept)
        if now - self.since < fresh and not (idle and self.parser):
            return 4, self.since
        if self.sock.kept:
            return 3, self.sock.taken() / (now - self.since)
        return (1 if idle else 2), self.since

    def is_whole(self) -> bool:
        return len(self.came) >= self._need
