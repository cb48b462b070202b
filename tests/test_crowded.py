"""A real gunicorn with our worker, and more connections than it takes: those that can wait go."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.toy_web import asked, served

APP = """
from anomalyshield.gathering import Worker

def app(environ, start):
    size = 3_000_000 if environ["PATH_INFO"] == "/large" else 5
    start("200 OK", [("Content-Length", str(size))])
    return [bytes(size)]

class Quick(Worker):
    pass
"""
MOST = 60
GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
KINDS = {
    "says nothing": b"",
    "half a head": GET,
    "a body that stops": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{",
    "a large body that stops": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n{",
    "is idle after an answer": GET + b"\r\n",
    "does not close": GET + b"Connection: close\r\n\r\n",
    "reads nothing": b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("web")
    with served(folder, APP, "--worker-connections", str(MOST)) as (port, _):
        yield port


def opened(port: int, said: bytes) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port))
    sock.sendall(said)
    return sock


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_comes_when_all_places_are_taken_is_answered_at_once(port: int, kind: str) -> None:
    with ExitStack() as open_ones:
        for _ in range(3 * MOST):
            open_ones.enter_context(opened(port, KINDS[kind]))
        took = [asked(port)[2] for _ in range(20)]
    assert max(took) < 2.0, took


def test_who_is_idle_gives_way_before_who_is_slow_and_the_slow_one_hears_why(port: int) -> None:
    with ExitStack() as open_ones:
        slow = [open_ones.enter_context(opened(port, GET)) for _ in range(10)]
        time.sleep(1.1)
        for _ in range(2 * MOST):
            idle = open_ones.enter_context(opened(port, GET + b"\r\n"))
            assert idle.recv(1000).startswith(b"HTTP/1.1 200 OK")
        slow[0].sendall(b"\r\n")
        assert slow[0].recv(100).startswith(b"HTTP/1.1 200 OK")
        time.sleep(1.1)
        others = [open_ones.enter_context(opened(port, GET)) for _ in range(2 * MOST)]
        time.sleep(1.1)
        others[-1].sendall(b"\r\n")
        assert others[-1].recv(100).startswith(b"HTTP/1.1 200 OK")
        slow[1].settimeout(2)
        head, _, content = slow[1].recv(1000).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert json.loads(content)["code"] == "busy"
