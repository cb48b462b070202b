"""What the reader of an answer has not taken yet: it waits for the reader, and no thread does.

gunicorn's threads send what they answer themselves. So eight readers of a large answer that take a
byte a second held the eight threads of an installation. Here a thread sends what is taken at once
and keeps the rest; the loop sends it on. A little is kept in memory, more in a file without a name.
Only where there is no room in such files either does a thread wait: half of them at most, and for
nobody who stops reading.
"""

import errno
import fcntl
import os
import select
import socket
import struct
import termios
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any

PIECE = 65_536
GATHERED = 16_384  # a head and a short body, or the lines of a list, go together
MOST_AT_ONCE = 262_144  # of one answer, before the loop looks at the others
MOST_IN_MEMORY = 131_072  # of one answer; of a thousand 128 MB
MOST_IN_A_FILE = 128 * 2**20
MOST_IN_FILES = 512 * 2**20  # of all answers of a process


class Rooms:
    """What the answers of a process may take together: bytes in files, and threads that wait."""

    def __init__(self, threads: int, most: int = MOST_IN_FILES) -> None:
        self.left = most
        self.waiting = threading.BoundedSemaphore(max(1, threads // 2))
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        with self._lock:
            if size > self.left:
                return False
            self.left -= size
            return True

    def give(self, size: int) -> None:
        with self._lock:
            self.left += size


class Answer:
    """The parts of an answer: they are on their way before what was left for afterwards is done."""

    def __init__(self, parts: Iterable[bytes], sock: "Outgoing") -> None:
        self.parts, self.sock = parts, sock

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.parts)

    def close(self) -> None:
        with suppress(OSError):  # the loop meets it again
            self.sock.send_on()
        if hasattr(self.parts, "close"):
            self.parts.close()


def sent_first(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The application, whose answers are sent before they are closed."""

    def answered(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        parts = app(environ, start)
        of_file = isinstance(parts, environ["wsgi.file_wrapper"])  # sent where it is read
        return parts if of_file else Answer(parts, environ["gunicorn.socket"])

    return answered


@dataclass
class Stretch:
    """The bytes of a file from `at` to before `end`; `ours` if it was made for them."""

    file: IO[bytes]
    at: int
    end: int
    ours: bool = False


class Outgoing(socket.socket):
    """A connection that never holds a thread, because what it is told need not be taken."""

    WAIT_SECONDS = 10.0
    WAITED_FOR = 65_536  # bytes a second, of a reader for whom a thread waits

    def __init__(self, given: socket.socket, rooms: Rooms) -> None:
        super().__init__(given.family, given.type, given.proto, fileno=given.detach())
        self.rooms = rooms
        self.memory = bytearray()
        self.files: deque[Stretch] = deque()
        self.sent = 0

    @property
    def kept(self) -> bool:
        return bool(self.memory or self.files)

    # --- told by a thread -------------------------------------------------------------------------
    def sendall(self, data: Any, flags: int = 0, /) -> None:
        if not self.files and len(self.memory) + len(data) <= GATHERED:
            self.memory += data
            return
        if self.kept:
            self.send_on()
        sent = 0
        if not self.kept:
            with suppress(BlockingIOError):
                sent = self.send(data, flags | socket.MSG_DONTWAIT)
        if sent < len(data):
            rest = memoryview(data)[sent:]
            for at in range(0, len(rest), PIECE):
                self._keep(rest[at : at + PIECE])

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
        """Its bytes are where they are: nothing is copied, however large it is."""
        own = os.fdopen(os.dup(file.fileno()), "rb", buffering=0)
        count = os.fstat(own.fileno()).st_size - offset if count is None else count
        self.files.append(Stretch(own, offset, offset + count))
        self.send_on()
        return count

    def _keep(self, piece: memoryview) -> None:
        in_memory = not self.files and len(self.memory) + len(piece) <= MOST_IN_MEMORY
        if not in_memory and self._wrote(piece):
            return
        if not in_memory:
            self._wait()
        self.memory += piece

    def _wrote(self, piece: memoryview) -> bool:
        """Behind what waits in a file; not if there is no room, in our bounds or on the disk."""
        last = self.files[-1] if self.files and self.files[-1].ours else None
        end = last.end if last else 0
        if end + len(piece) > MOST_IN_A_FILE or not self.rooms.take(len(piece)):
            return False
        try:
            file = last.file if last else TemporaryFile(buffering=0)  # noqa: SIM115 — kept open
            whole = os.pwrite(file.fileno(), piece, end) == len(piece)
        except OSError:
            whole = False
        if not whole:
            self.rooms.give(len(piece))
        elif last:
            last.end += len(piece)
        else:
            self.files.append(Stretch(file, 0, len(piece), ours=True))
        return whole

    def _wait(self) -> None:
        """Until all that is kept is taken; not for one too many, nor for who is too slow."""
        if not self.rooms.waiting.acquire(blocking=False):
            raise BrokenPipeError(errno.EPIPE, "too many answers wait for their readers")
        try:
            self.start_counting()
            poll, began = select.poll(), time.monotonic()
            poll.register(self, select.POLLOUT)
            while self.kept:
                poll.poll(1000)
                self.send_on()
                waited = time.monotonic() - began
                if waited > self.WAIT_SECONDS and self.taken() < waited * self.WAITED_FOR:
                    raise BrokenPipeError(errno.EPIPE, "the answer is read too slowly")
        finally:
            self.rooms.waiting.release()

    # --- and sent on, by the loop -----------------------------------------------------------------
    def send_on(self) -> None:
        """As much as is taken now. Whoever sends a thing holds the connection alone."""
        left = MOST_AT_ONCE
        with suppress(BlockingIOError):
            while left > 0 and self.kept:
                sent = self.send(self._next(), socket.MSG_DONTWAIT)
                self._went(sent)
                left -= sent

    def _next(self) -> bytes:
        if self.memory:
            return bytes(self.memory[:PIECE])
        first = self.files[0]
        size = min(PIECE, first.end - first.at)
        if size and not (piece := os.pread(first.file.fileno(), size, first.at)):
            raise BrokenPipeError(errno.EPIPE, "the file became shorter than was said")
        return piece if size else b""

    def _went(self, size: int) -> None:
        self.sent += size
        if self.memory:
            del self.memory[:size]
            return
        self.files[0].at += size
        if self.files[0].at >= self.files[0].end:
            self._forget(self.files.popleft())

    def start_counting(self) -> None:
        """What lies in the system's own buffer was sent, and nobody has taken it yet."""
        self.sent = -self._on_the_way()

    def taken(self) -> int:
        """Bytes the other side took since then."""
        return self.sent - self._on_the_way()

    def _on_the_way(self) -> int:
        with suppress(OSError):
            return int(struct.unpack("i", fcntl.ioctl(self, termios.TIOCOUTQ, bytes(4)))[0])
        return 0

    # --- at the end -------------------------------------------------------------------------------
    def break_off(self) -> None:
        """The next close resets the connection: half an answer must not look like a whole one."""
        with suppress(OSError):
            self.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        self.memory.clear()
        while self.files:
            self._forget(self.files.popleft())
        super().close()

    def _forget(self, stretch: Stretch) -> None:
        stretch.file.close()
        if stretch.ours:
            self.rooms.give(stretch.end)
