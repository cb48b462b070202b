"""A pytest plugin: a throw-away PostgreSQL and Valkey for the run, unless DATABASE_URL is set.

It must be a `-p` plugin: pytest-django reads the settings before any conftest.py is loaded, so a
server started there comes too late. Under `-n` each process that runs tests has servers of its own,
so that nobody hears another's messages or waits for another's locks; the one that hands them out
has none.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from anomalyshield.embedded import Servers

_running: list[tuple[Servers, Path]] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    many = getattr(early_config.known_args_namespace, "numprocesses", None)
    shares_out = many and "PYTEST_XDIST_WORKER" not in os.environ
    if "DATABASE_URL" not in os.environ and not shares_out:
        _boot()
    return (yield)


def _boot() -> None:
    folder = Path(tempfile.mkdtemp(prefix="anomalyshield-test-"))
    folder.chmod(0o755)  # as root the servers run as `nobody` and must get in
    (folder / "var" / "static").mkdir(parents=True)  # WhiteNoise warns at every client without it
    servers = Servers(folder / "servers", folder / "log", durable=False)
    _running.append((servers, folder))
    servers.start_postgres()
    servers.start_valkey()
    os.environ.update(
        DATABASE_URL=servers.database_url,
        REDIS_URL=servers.redis_url,
        ANOMALYSHIELD_VAR=str(folder / "var"),
        ANOMALYSHIELD_ENV="test",
    )


def running() -> bool:
    """Are the servers of this process its own?"""
    return bool(_running)


def pytest_unconfigure() -> None:
    while _running:
        servers, folder = _running.pop()
        servers.stop()
        shutil.rmtree(folder, ignore_errors=True)
