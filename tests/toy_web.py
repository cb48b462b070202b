"""A real gunicorn with our worker and an application of a few lines."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.streams.broker import free_port

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def served(folder: Path, app: str, *options: str) -> Iterator[tuple[int, int]]:
    """The port where `app` and `Quick`, its worker, serve with four threads, and whose process."""
    port = free_port()
    (folder / "toy.py").write_text(app)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "toy:app", "--bind", f"127.0.0.1:{port}"),
            *("--worker-class", "toy.Quick", "--workers", "1", "--threads", "4"),
            *("--keep-alive", "30", "--graceful-timeout", "20", "--no-control-socket", *options),
        ],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{folder}"},
        stderr=subprocess.DEVNULL,
    )
    _until_it_answers(port)
    yield port, process.pid
    with socket.create_connection(("127.0.0.1", port)):  # it stops although somebody is idle
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=15)
        assert time.monotonic() - began < 8


def _until_it_answers(port: int) -> None:
    """Connections are taken before the process that answers is ready."""
    deadline = time.monotonic() + 30
    while True:
        try:
            asked(port)
            return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def asked(port: int, path: str = "/quick", body: bytes | None = None) -> tuple[int, str, float]:
    """Status, answer and the seconds it took."""
    began = time.monotonic()
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.request("GET" if body is None else "POST", path, body)
    answer = client.getresponse()
    return answer.status, answer.read().decode(), time.monotonic() - began
