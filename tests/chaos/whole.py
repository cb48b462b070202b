"""The whole product as real processes, and a watcher that starts the dead again."""

import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from anomalyshield.embedded import Servers
from tests.chaos.proxy import Proxy
from tests.chaos.stack import PROJECT, Stack, until

START = 300.0  # seconds for five processes to come up on a machine that is busy otherwise
PAUSE = 0.3  # seconds before the dead are started again; `manage.py up` waits one
KINDS = ("web", "worker", "worker", "ticker", "ticker")
# The key's text is told once: it goes by a file in this stack's own folder.
PREPARE = """
from pathlib import Path
from anomalyshield.accounts import keys, people
from scoring.models import Source
admin, _ = people.make_user(by="command", username="adam", roles=["admin"])
source = Source.objects.create(name="core", kind="rest")
key = keys.make_key(by=admin, name="core", scopes=["score:write", "events:write"], source=source)[1]
Path({path!r}).write_text(key)
"""


@dataclass
class Kept:
    """A process that is started again when it dies; `own` is what only it finds around itself."""

    name: str
    number: int
    own: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid


@contextmanager
def running(parent: Path | None = None, code: Path = PROJECT) -> Iterator["Whole"]:
    """A stack in a folder of its own, below `parent`; gone with all it started at the end."""
    folder = Path(tempfile.mkdtemp(prefix="anomalyshield-whole-", dir=parent))
    folder.chmod(0o755)  # as root the servers run as `nobody` and must get in
    stack = Whole(folder, code=code)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
        rmtree(folder, ignore_errors=True)


@dataclass
class Whole(Stack):
    """Servers that commit to the disk, and in front of them every kind of process there is.

    Clients talk to `door`, the product to Valkey by `bell`: proxies that can be told to misbehave.
    """

    settings: str = "anomalyshield.settings"
    kept: list[Kept] = field(default_factory=list)
    deaths: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self.servers = Servers(self.folder / "servers", self.folder / "log", durable=True)
        self.servers.start_postgres()
        self.servers.start_valkey()
        self.open_door()
        self.bell = Proxy(str(self.servers._valkey_socket), path=self.folder / "bell.sock")
        self.migrate()
        self.shell(PREPARE.format(path=str(self.folder / "key")))
        self.key = (self.folder / "key").read_text()
        self.keep(Kept(name, number) for number, name in enumerate(KINDS))
        until(self.answers, "the web answers", START)

    def open_door(self) -> None:
        self.port = free_port()
        self.door = Proxy(("127.0.0.1", self.port))

    def keep(self, those: Iterable[Kept]) -> None:
        """Start these, and whichever of them dies again."""
        self.kept = [*self.kept, *those]
        if not hasattr(self, "watcher"):
            self.watcher = threading.Thread(target=self._watch, daemon=True)
            self.watcher.start()

    def stop(self) -> None:
        self.leave()
        self.bell.close()
        self.servers.stop()

    def leave(self) -> None:
        """End what runs, and leave the servers alone."""
        self.ended.set()
        if hasattr(self, "watcher"):
            self.watcher.join(30)  # a start under way is seen to its end, and killed with the rest
        self.kill_all()
        self.door.close()

    @contextmanager
    def beside(self, code: Path) -> Iterator["Whole"]:
        """Another release with the same servers and files, behind a door of its own; nothing of it
        runs yet."""
        other = Whole(self.folder, self.settings, code)
        other.servers, other.bell, other.key = self.servers, self.bell, self.key
        other.open_door()
        try:
            yield other
        finally:
            other.leave()

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.code, env=self.env, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done

    @property
    def env(self) -> dict[str, str]:
        return {
            **super().env,
            "REDIS_URL": f"unix://{quote(str(self.folder / 'bell.sock'))}?db=0",
            "PORT": str(self.port),
            "WEB_PROCESSES": "2",
            "ANOMALYSHIELD_RATE_LIMIT": "1000000",  # what is counted here is not requests a minute
            "ANOMALYSHIELD_WEBHOOK_NETWORKS": "127.0.0.0/8",  # the receivers of these tests
        }

    # --- the watcher ------------------------------------------------------------------------------
    def _watch(self) -> None:
        while not self.ended.wait(PAUSE):
            for one in self.kept:
                if not one.alive:
                    self.deaths += one.process is not None
                    one.process = self._begin(one)

    def _begin(self, one: Kept) -> "subprocess.Popen[bytes]":
        log = self.folder / "log" / f"process-{one.number}-{one.name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--only", one.name],
                cwd=self.code,
                env={**self.env, **one.own},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def again(self, one: Kept, **own: str) -> None:
        """Start it anew, with these of its own around it."""
        one.own = own
        if one.process is not None:
            self.kill(one.process)

    # --- what lives, what is left -----------------------------------------------------------------
    def named(self, *names: str) -> list[Kept]:
        return [one for one in self.kept if one.alive and one.name in names]

    def children(self, *names: str) -> list[int]:
        """What those processes forked: pool children, web processes."""
        return [
            pid for one in self.named(*names) if one.process for pid in self.forked(one.process)
        ]

    def works(self, one: Kept) -> bool:
        """Has it come as far as forking who does its work?"""
        return one.alive and one.process is not None and bool(self.forked(one.process))

    def answers(self) -> bool:
        with suppress(OSError), urlopen(self.address("/health"), timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def one(self, sql: str, *parameters: Any) -> Any:
        return self.ask(sql, *parameters)[0][0]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
