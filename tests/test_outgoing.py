"""A real gunicorn with our worker: whoever takes an answer slowly costs nobody else a thing."""

import hashlib
import http.client
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.toy_web import asked, served

APP = """
import time
from pathlib import Path
from anomalyshield import outgoing
from anomalyshield.gathering import Worker

PIECE = bytes(range(256)) * 256
FILE = Path(__file__).with_name("large")
FILE.write_bytes(PIECE * 320)
outgoing.MOST_IN_A_FILE = 8 * 2**20

class Afterwards(list):
    def close(self):
        time.sleep(3)

def app(environ, start):
    path, size = environ["PATH_INFO"], 0
    if path == "/whole":
        parts, size = [PIECE * 112], 112 * len(PIECE)
    elif path in ("/stream", "/endless"):
        parts = (PIECE for _ in range(112 if path == "/stream" else 1600))
    elif path == "/file":
        parts, size = environ["wsgi.file_wrapper"](FILE.open("rb")), FILE.stat().st_size
    elif path == "/afterwards":
        parts, size = Afterwards([b"quick"]), 5
    else:
        parts, size = [b"quick"], 5
    start("200 OK", [("Content-Length", str(size))] if size else [])
    return parts

class Quick(Worker):
    LEAVE_SECONDS = READ_SECONDS = 2.0
    SLOWEST_READER = 20_000

outgoing.Outgoing.WAIT_SECONDS = 2.0
"""
PIECE = bytes(range(256)) * 256
SIZES = {"/whole": 112, "/stream": 112, "/file": 320, "/endless": 1600}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    with served(tmp_path_factory.mktemp("web"), APP) as found:
        yield found


def asking(port: int, path: str, more: str = "") -> socket.socket:
    """Somebody with a small buffer who has asked, and has read nothing yet."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port))
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode())
    return sock


def read_out(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(1_000_000), b""))


@pytest.mark.parametrize("path", SIZES)
def test_forty_who_do_not_read_their_answers_hold_up_nobody(
    web: tuple[int, int], path: str
) -> None:
    with ExitStack() as open_ones:
        for _ in range(40):
            open_ones.enter_context(asking(web[0], path))
        time.sleep(1.0)
        took = [asked(web[0])[2] for _ in range(20)]
    assert max(took) < 1.5, took


def test_what_they_do_not_read_is_not_held_in_memory(web: tuple[int, int]) -> None:
    [child] = Path(f"/proc/{web[1]}/task/{web[1]}/children").read_text().split()
    before = resident(int(child))
    with ExitStack() as open_ones:
        for path in ("/whole", "/stream", "/file") * 10:
            open_ones.enter_context(asking(web[0], path))
        time.sleep(1.0)
        assert asked(web[0])[0] == 200
        assert resident(int(child)) - before < 60 * 2**20  # of 340 MB


def resident(process: int) -> int:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("path", SIZES)
def test_who_reads_with_pauses_gets_it_whole_and_may_ask_again(
    web: tuple[int, int], path: str
) -> None:
    client = http.client.HTTPConnection("127.0.0.1", web[0], timeout=20)
    client.sock = asking(web[0], path)
    answer = http.client.HTTPResponse(client.sock, method="GET")
    answer.begin()
    found = hashlib.sha256()
    for _ in range(5):
        time.sleep(0.2)
        found.update(answer.read(400_000))
    while part := answer.read(1_000_000):
        found.update(part)
    assert found.hexdigest() == hashlib.sha256(PIECE * SIZES[path]).hexdigest()
    client.sock.sendall(b"GET /again HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert read_out(client.sock).endswith(b"quick")


@pytest.mark.parametrize("path", SIZES)
def test_who_does_not_read_on_is_cut_off_and_cannot_take_the_half_for_the_whole(
    web: tuple[int, int], path: str
) -> None:
    with asking(web[0], path, "Connection: close\r\n") as sock:
        time.sleep(5.5)
        sock.settimeout(5)
        with pytest.raises(ConnectionResetError):
            read_out(sock)


def test_an_answer_does_not_wait_for_what_is_done_after_it(web: tuple[int, int]) -> None:
    assert asked(web[0], "/afterwards")[2] < 2


def test_answers_to_requests_sent_at_once_wait_for_each_other(web: tuple[int, int]) -> None:
    with asking(web[0], "/whole") as sock:
        sock.sendall(b"GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        time.sleep(0.5)
        sock.settimeout(10)
        said = read_out(sock)
    assert said.endswith(b"\r\n\r\nquick")
    assert PIECE * 112 in said
