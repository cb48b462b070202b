"""A proxy that does to connections what a bad network does: cuts, dribbles, says nothing."""

import random
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

Address = str | tuple[str, int]


@dataclass
class Proxy:
    """Passes bytes on to `target`, by TCP or, where `path` is given, by a socket in a folder.

    `answers_lost`: the share of answers that are thrown away with their connection, after the
    request has reached the other side. `dribbles`: seconds before each byte of an answer.
    """

    target: Address
    path: Path | None = None
    answers_lost: float = 0.0
    dribbles: float = 0.0
    lost: int = 0
    port: int = 0
    _open: set[socket.socket] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.path is None:
            self._door = socket.create_server(("127.0.0.1", 0))
            self.port = self._door.getsockname()[1]
        else:
            self._door = socket.socket(socket.AF_UNIX)
            self._door.bind(str(self.path))
            self.path.chmod(0o777)
            self._door.listen(128)
        self._chance = random.Random(3)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._door.close()
        self.cut()

    def cut(self) -> None:
        """End every connection there is, as they are."""
        for one in list(self._open):
            _end(one)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        other = socket.socket(socket.AF_UNIX if isinstance(self.target, str) else socket.AF_INET)
        self._open |= {client, other}
        try:
            other.connect(self.target)
            back = threading.Thread(target=self._answers, args=[other, client], daemon=True)
            back.start()
            while asked := client.recv(65536):
                other.sendall(asked)
            # The asker has said all; what is answered to it may still be on its way.
            other.shutdown(socket.SHUT_WR)
            back.join()
        except OSError:
            pass  # one of the two is gone: so is the other, now
        finally:
            self._forget(client, other)

    def _answers(self, other: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while answer := other.recv(65536):
                if self._chance.random() < self.answers_lost:
                    self.lost += 1
                    break
                self._give(client, answer)
        self._forget(client, other)

    def _give(self, client: socket.socket, answer: bytes) -> None:
        if not self.dribbles:
            client.sendall(answer)
            return
        for at in range(len(answer)):
            time.sleep(self.dribbles)
            client.sendall(answer[at : at + 1] if self.dribbles else answer[at:])
            if not self.dribbles:  # the network is well again
                return

    def _forget(self, *ends: socket.socket) -> None:
        for one in ends:
            self._open.discard(one)
            _end(one)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        one.close()
