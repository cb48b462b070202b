"""Gives a request to a thread when it has come, and not while it comes or its answer is read.

gunicorn's threads read requests themselves. So eight connections that send a byte a second held the
eight threads of an installation, one that says nothing held a thread for five seconds, and one that
was told good-bye and stayed held the loop for two. Here the loop that accepts also reads, and waits
for nobody. What is too large to keep is read by a thread, by half of them at most, and not forever.
What a reader has not taken of an answer is sent on by the same loop (`outgoing.py`).
"""

import errno
import selectors
import socket
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from anomalyshield.incoming import MOST_DISCARDED, MOST_HEAD, PIECE, Connection, Unhurried
from anomalyshield.outgoing import Outgoing, Rooms, sent_first
from anomalyshield.turned_away import told, words_for

NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
BUSY = "Too many large requests come at once."
CROWDED = "Too many connections are open, and this request was slow to come."
GONE = {errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK}
OURS = (errors.ConfigurationProblem, errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)


class Worker(ThreadWorker):
    """One loop that accepts and reads; threads that answer."""

    BEGIN_SECONDS = 10.0  # of a new connection without a byte
    COME_SECONDS = 15.0  # of a head, and again of a body that is kept
    PAUSE_SECONDS = 10.0  # between two pieces of a large body
    SLOWEST = 2048  # bytes a second of a large body
    LINE_SECONDS = 30.0  # until one of the threads for large ones is free
    LEAVE_SECONDS = 5.0  # for the other side to close, and to hear the answer out
    READ_SECONDS = 30.0  # in which somebody takes as much of an answer as
    SLOWEST_READER = 1024  # bytes a second
    FRESH_SECONDS = 1.0  # in which nobody has been slow yet

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rooms = Rooms(self.cfg.threads)
        self.most_large = max(1, self.cfg.threads // 2)
        self.most_in_line = max(1, self.worker_connections // 10)
        self.busy_with_large = 0
        self.line: deque[Connection] = deque()
        self.watched: set[Connection] = set()
        self.looked_at = 0.0

    def init_process(self) -> None:
        told(503, "", "")  # imports what words need, before anybody waits for the loop
        super().init_process()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.wsgi = sent_first(self.wsgi)

    # --- in the loop ------------------------------------------------------------------------------
    def accept(self, listener: socket.socket) -> None:
        if self.nr_conns + 1 >= self.worker_connections:
            self._make_room()
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in NO_ROOM:
                self.log.error("No connection can be taken: %s", error.strerror)
                if not self._make_room():
                    time.sleep(0.1)
            elif error.errno not in GONE:
                raise
            return
        self.nr_conns += 1
        out = Outgoing(client, self.rooms)
        conn = Connection(self.cfg, out, address, listener.getsockname())
        self._await(conn, b"", self.BEGIN_SECONDS)

    def finish_request(self, conn: Connection, done: "Future[Any]") -> None:
        """A thread is through with it, and maybe the reader of its answer is not."""
        if conn.large:
            self.busy_with_large -= 1
            if self.line:
                self._hand_over(self.line.popleft())
        well = not done.cancelled() and done.exception() is None and bool(done.result())
        conn.goes_on = well and conn.parser is not None
        if conn.sock.kept:
            self._await_reader(conn)
        else:
            self._after(conn)
        if self.nr_conns >= self.worker_connections:  # until now nobody could be done without
            self._make_room()

    def _after(self, conn: Connection) -> None:
        """On to the next request of the connection, or good-bye."""
        if conn.goes_on:
            seconds = float(self.cfg.keepalive) if self.alive else 2.0
            self._await(conn, conn.parser.unreader.take_buffered(), seconds)
        else:
            self._take_leave(conn)

    def murder_pending(self) -> None:
        """Who takes too long: called at each turn of the loop, done twice a second."""
        now = time.monotonic()
        if now - self.looked_at < 0.5:
            return
        self.looked_at = now
        for conn in [one for one in self.watched if one.until < now]:
            if conn.sock.kept:
                self._judge_reader(conn)
            elif conn.left or not conn.came:
                self._drop(conn)
            else:
                self._refuse(conn, 408, "too_slow", "The request did not come in time.")
        while self.line and self.line[0].until < now:
            self._refuse(self.line.popleft(), 503, "busy", BUSY)

    def _make_room(self) -> int:
        """A twentieth of the connections gives way to those that come: whoever can best wait."""
        before, now = self.nr_conns, time.monotonic()
        ranked = sorted(self.watched, key=lambda conn: conn.patience(now, self.FRESH_SECONDS))
        for conn in ranked[: max(1, self.worker_connections // 20)]:
            if not (conn.left or conn.sock.kept):
                self._more(conn, None)  # it may have spoken meanwhile
            if conn not in self.watched:
                continue
            if conn.came:
                with suppress(OSError):
                    conn.sock.send(told(503, "busy", CROWDED))
            self._drop(conn)
        return before - self.nr_conns

    def _cap_keepalive(self, deadline: float) -> None:
        for conn in self.watched:
            if not (conn.came or conn.sock.kept):
                conn.until = min(conn.until, deadline)

    def _await(self, conn: Connection, begun: bytes, seconds: float) -> None:
        with suppress(OSError):
            conn.sock.setblocking(False)
        conn.await_next(begun, time.monotonic() + seconds)
        if not self._go_on(conn):
            self._watch(conn, self._more)

    def _more(self, conn: Connection, _sock: Any) -> None:
        data = self._came(conn)
        if data is None:
            return
        if not data:
            self._drop(conn)  # whoever leaves in the middle wants no answer
            return
        if not conn.came:
            conn.since = time.monotonic()
            conn.until = conn.since + self.COME_SECONDS
        headless = not conn.head_is_there()
        conn.came += data
        if headless and conn.head_is_there():
            conn.until = time.monotonic() + self.COME_SECONDS
        if self._go_on(conn, watched=True):
            return
        if len(conn.came) > MOST_HEAD and not conn.head_is_there():
            self._refuse(conn, 431, "head_too_large", "The head of the request is too large.")

    def _go_on(self, conn: Connection, *, watched: bool = False) -> bool:
        """Give it to a thread, if there is enough of it."""
        if not (conn.came and conn.head_is_there() and (conn.large or conn.is_whole())):
            return False
        if watched:
            self._unwatch(conn)
        if conn.large and len(self.line) >= self.most_in_line:
            self._refuse(conn, 503, "busy", BUSY)
        elif conn.large and self.busy_with_large >= self.most_large:
            conn.until = time.monotonic() + self.LINE_SECONDS
            self.line.append(conn)
        else:
            self._hand_over(conn)
        return True

    def _hand_over(self, conn: Connection) -> None:
        self.busy_with_large += conn.large
        self.enqueue_req(conn)

    def _refuse(self, conn: Connection, status: int, code: str, sentence: str) -> None:
        with suppress(OSError):
            conn.sock.send(told(status, code, sentence))
        self._take_leave(conn)

    def _take_leave(self, conn: Connection) -> None:
        """Say good-bye, and hear out who still speaks: else the answer would be lost with it."""
        self._unwatch(conn)
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
            return
        conn.until, conn.left = time.monotonic() + self.LEAVE_SECONDS, MOST_DISCARDED
        self._watch(conn, self._discard)

    def _discard(self, conn: Connection, _sock: Any) -> None:
        data = self._came(conn)
        if data is None:
            return
        conn.left -= len(data)
        if not data or conn.left <= 0:
            self._drop(conn)

    def _came(self, conn: Connection) -> bytes | None:
        """What is there; nothing at the end, None if it was a mistake to ask."""
        if conn not in self.watched:
            return None
        try:
            return conn.sock.recv(PIECE)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            return b""

    def _await_reader(self, conn: Connection) -> None:
        with suppress(OSError):
            conn.sock.setblocking(False)
        self._count_reader(conn)
        self._watch(conn, self._send_on, selectors.EVENT_WRITE)

    def _count_reader(self, conn: Connection) -> None:
        conn.since = time.monotonic()
        conn.until = conn.since + self.READ_SECONDS
        conn.sock.start_counting()

    def _judge_reader(self, conn: Connection) -> None:
        if conn.sock.taken() >= self.READ_SECONDS * self.SLOWEST_READER:
            self._count_reader(conn)
        else:
            self._drop(conn)

    def _send_on(self, conn: Connection, _sock: Any) -> None:
        if conn not in self.watched:
            return
        try:
            conn.sock.send_on()
        except OSError:
            self._drop(conn)
            return
        if not conn.sock.kept:
            self._unwatch(conn)
            self._after(conn)

    def _watch(self, conn: Connection, what: Any, when: int = selectors.EVENT_READ) -> None:
        self.watched.add(conn)
        try:
            self.poller.register(conn.sock, when, partial(what, conn))
        except (OSError, ValueError):
            self._drop(conn)

    def _unwatch(self, conn: Connection) -> None:
        self.watched.discard(conn)
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)

    def _drop(self, conn: Connection) -> None:
        self._unwatch(conn)
        self.nr_conns -= 1
        if conn.sock.kept:
            conn.sock.break_off()
        conn.close()

    # --- in a thread ------------------------------------------------------------------------------
    def handle(self, conn: Connection) -> Any:
        fresh = not conn.initialized
        conn.init()
        if fresh:
            conn.parser.unreader = Unhurried(conn.sock, self.PAUSE_SECONDS, self.SLOWEST)
        conn.parser.unreader.unread(bytes(conn.came))
        conn.came.clear()
        conn.data_ready = True
        well = super().handle(conn)
        with suppress(OSError):  # the loop meets it again
            conn.sock.send_on()
        return well

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """What cannot be read as a request is refused like all else, not with a page of HTML."""
        if not isinstance(exc, errors.ParseException) or isinstance(exc, OURS):
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("Unreadable request from %s: %s", (addr or ("",))[0], exc)
        with suppress(OSError):
            client.sendall(told(*words_for(exc)))

    def _keepalive_after(self, conn: Connection, keepalive: Any) -> bool:
        """A body that nobody read is read here if it is there already, and not waited for."""
        soon = time.monotonic() + 0.05
        return bool(keepalive) and bool(conn.parser.finish_body(deadline=soon))
