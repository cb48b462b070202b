"""Real web processes on the database of the test, which has to be a transactional one."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from anomalyshield import processes
from anomalyshield.accounts.keys import make_key
from anomalyshield.accounts.models import User
from scoring.warming import WARM

PATIENCE = 120  # compiling the kernels, where no cache is


@contextmanager
def serving(
    by: User, folder: Path, *, processes: int = 1, deadline: float = settings.SCORING_DEADLINE
) -> Iterator[tuple[int, str]]:
    """Port and key of so many web processes, ready for their first request.

    A test of what is answered, not of how soon, gives them a long deadline in seconds: the machine
    may be busy with its neighbours.
    """
    _, key = make_key(by=by, name="gateway", scopes=["score:write"])
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "web.log"
    server = _started(port, processes, log, deadline)
    try:
        _wait_for(server, processes, log)
        yield port, key
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _started(port: int, count: int, log: Path, deadline: float) -> "subprocess.Popen[bytes]":
    url = urlsplit(os.environ["DATABASE_URL"])
    own = {
        "DATABASE_URL": url._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
        "ANOMALYSHIELD_VAR": str(Path(settings.BUNDLES).parent),
        "ANOMALYSHIELD_DEADLINE_MS": str(round(deadline * 1000)),
        "DJANGO_SETTINGS_MODULE": "anomalyshield.settings",
    }
    words = processes.PROCESSES["web"]()
    words[words.index("--bind") + 1] = f"127.0.0.1:{port}"
    words[words.index("--workers") + 1] = str(count)
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=settings.BASE_DIR,
            env={**os.environ, **own},
            stdout=output,
            stderr=output,
        )


def _wait_for(server: "subprocess.Popen[bytes]", count: int, log: Path) -> None:
    """Until all say they are ready. Nothing is asked, so that the test's request is the first."""
    end = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < end:
        if log.read_text().count(WARM) == count:
            return
        time.sleep(0.1)
    pytest.fail(f"the web processes are not ready: {log.read_text()[-2000:]}")


def post(port: int, key: str, address: str, body: dict) -> tuple[int, dict]:
    """Status and answer of one request on a connection of its own."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as asking:
        headers = {"Content-Type": "application/json", "X-Api-Key": key}
        asking.request("POST", address, json.dumps(body), headers)
        answer = asking.getresponse()
        return answer.status, json.loads(answer.read())


def payment(number: object, amount: float = 12.5) -> dict:
    return {
        "transaction_id": f"p-{number}",
        "user_id": "user1",
        "amount": amount,
        "timestamp": "2026-11-01T12:00:00Z",
        "merchant_category": "groceries",
    }
