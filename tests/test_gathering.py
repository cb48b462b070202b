"""A real gunicorn with our worker: who is slow costs nobody else a thing."""

import hashlib
import http.client
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.toy_web import asked, served

APP = """
import hashlib
from anomalyshield.counted import counted
from anomalyshield.gathering import Worker

def answer(environ, start):
    path, source = environ["PATH_INFO"], environ["wsgi.input"]
    if path == "/file":  # in pieces, as a file is stored; Django takes an OSError for a broken one
        try:
            while source.read(65536):
                pass
        except OSError as broken:
            said = str(broken).encode()
            start("400 Bad Request", [("Content-Length", str(len(said)))])
            return [said]
    body = b"" if path == "/unread" else source.read(int(environ.get("CONTENT_LENGTH") or 0))
    status = "413 Too Large" if path == "/unread" else "200 OK"
    said = f"{path} {len(body)} {hashlib.sha256(body).hexdigest()}".encode()
    start(status, [("Content-Length", str(len(said)))])
    return [said]

app = counted(answer)

class Quick(Worker):
    BEGIN_SECONDS = COME_SECONDS = PAUSE_SECONDS = LEAVE_SECONDS = 2.0
    LINE_SECONDS = 6.0
"""
HEAD = "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
SLOW = {
    "says nothing": b"",
    "half a head": b"POST /slow HT",
    "a body byte by byte": f"{HEAD}Content-Length: 500\r\n\r\n{{".encode(),
    "pieces that do not end": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nab".encode(),
    "a large body that stops": f"{HEAD}Content-Length: 900000\r\n\r\n{{".encode(),
    "an answer nobody closes": b"GET /bye HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
}
UNREADABLE = {
    "no words of HTTP": (400, b"\x16\x03\x01\x02\x00\r\n\r\n"),
    "another version": (400, b"GET / HTTP/9.9\r\nHost: x\r\n\r\n"),
    "two hosts": (400, b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
    "a name with a space": (400, b"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n"),
    "two lengths": (400, f"{HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab".encode()),
    "an unknown coding": (400, f"{HEAD}Transfer-Encoding: zebra\r\n\r\nab".encode()),
    "no size of a piece": (400, f"{HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n".encode()),
    "a long address": (414, b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
    "an unknown expectation": (417, b"GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n"),
    "many headers": (431, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 200 + b"\r\n"),
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with served(tmp_path_factory.mktemp("web"), APP) as (port, _):
        yield port


def told(sock: socket.socket, seconds: float = 15) -> bytes:
    """All that is said until the other side closes."""
    sock.settimeout(seconds)
    parts = []
    while part := sock.recv(65_536):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("kind", SLOW)
def test_a_hundred_slow_connections_hold_up_nobody(port: int, kind: str) -> None:
    with ExitStack() as open_ones:
        for _ in range(100):
            sock = open_ones.enter_context(socket.create_connection(("127.0.0.1", port)))
            sock.sendall(SLOW[kind])
        time.sleep(0.3)
        took = [asked(port)[2] for _ in range(20)]
    assert max(took) < 1.0, took


def test_whoever_takes_too_long_is_told_so_as_a_problem(port: int) -> None:
    for kind in ("half a head", "a body byte by byte"):
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(SLOW[kind])
            head, _, content = told(sock).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 Request Timeout"), kind
        assert json.loads(content)["code"] == "too_slow"
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000)
        assert told(sock).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_no_request_is_refused_as_a_problem(port: int, kind: str) -> None:
    """By gunicorn, before anything of ours sees it; a mistake of the sender is never a 5xx."""
    expected, sent = UNREADABLE[kind]
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(sent)
        head, _, content = told(sock).partition(b"\r\n\r\n")
    assert int(head.split()[1]) == expected, head
    assert b"application/problem+json" in head
    assert json.loads(content)["status"] == expected


def test_large_requests_that_stop_are_let_go_one_after_the_other(port: int) -> None:
    with ExitStack() as open_ones:
        for _ in range(4):
            sock = open_ones.enter_context(socket.create_connection(("127.0.0.1", port)))
            sock.sendall(SLOW["a large body that stops"])
        body = os.urandom(300_000)
        status, said, _ = asked(port, "/large", body)
    assert (status, said.split()[1:]) == (200, ["300000", hashlib.sha256(body).hexdigest()])


@pytest.mark.parametrize("size", [0, 1, 130_000, 131_072, 140_000, 5_000_000])
def test_bodies_of_every_size_come_whole(port: int, size: int) -> None:
    body = os.urandom(size)
    assert asked(port, "/b", body)[1] == f"/b {size} {hashlib.sha256(body).hexdigest()}"


@pytest.mark.parametrize("size", [1, 200_000, 9 * 2**20])
def test_bodies_in_chunks_come_whole(port: int, size: int) -> None:
    body = os.urandom(size)
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    pieces = iter([body[: size // 2], body[size // 2 :]])
    client.request("POST", "/c", pieces)
    said = client.getresponse().read().decode()
    assert said == f"/c {size} {hashlib.sha256(body).hexdigest()}"


@pytest.mark.parametrize("end", [b"zz\r\n", b"5;x=\0\r\nab", b""])
def test_a_large_body_whose_pieces_break_is_a_mistake_of_its_sender(port: int, end: bytes) -> None:
    piece = b"x" * 2**20
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"POST /file HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(12):
            sock.sendall(b"100000\r\n" + piece + b"\r\n")
        sock.sendall(end)
        sock.shutdown(socket.SHUT_WR)
        said = told(sock)
    assert said.startswith(b"HTTP/1.1 400 Bad Request"), said
    assert b"broken" in said


def test_several_requests_of_one_connection_are_answered_in_their_order(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as sock:
        one = b"GET /%d HTTP/1.1\r\nHost: x\r\n%s\r\n"
        all_three = b"".join([one % (1, b""), one % (2, b""), one % (3, b"Connection: close\r\n")])
        sock.sendall(all_three[:-10])  # the third one comes in two parts
        time.sleep(0.3)
        sock.sendall(all_three[-10:])
        said = told(sock)
    assert [said.find(b"/%d 0" % n) for n in (1, 2, 3)] == sorted(
        said.find(b"/%d 0" % n) for n in (1, 2, 3)
    )
    assert said.count(b"200 OK") == 3


def test_whoever_waits_to_be_asked_for_the_body_is_asked(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as sock:
        head = "POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n"
        sock.sendall(f"{head}Connection: close\r\n\r\n".encode())
        assert sock.recv(100).startswith(b"HTTP/1.1 100 Continue")
        sock.sendall(b"body")
        assert b"/e 4 " in told(sock)


def test_an_answer_before_the_end_of_a_large_body_is_heard(port: int) -> None:
    """Closed at once, a program that still sends would see its pipe break and nothing else."""
    assert asked(port, "/unread", bytes(20 * 2**20))[0] == 413
