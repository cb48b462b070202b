"""`manage.py up`: everything on one machine, phase by phase, and all of it down again."""

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import get_commands

from anomalyshield import doctor, port
from anomalyshield.children import Child
from anomalyshield.embedded import CannotStart, Servers
from anomalyshield.listeners import Listeners
from anomalyshield.onlyone import only_one
from anomalyshield.processes import PROCESSES, environment
from anomalyshield.supervisor import Stop, Supervisor, heed_signals, ignore_signals

LOGS = settings.VAR / "log"
ADDRESSES = settings.VAR / "embedded.json"
METRICS = settings.VAR / "metrics"
DEMO_UNFINISHED = settings.VAR / "demo.unfinished"
MANAGE = ".venv/bin/python manage.py"
FORGOTTEN = f"Another password for somebody: {MANAGE} changepassword NAME"
FIRST_USER = f"Nobody can log in yet. The first person: {MANAGE} make_user NAME --role admin"
WEB_PATIENCE = 120
PORT_PATIENCE = 10  # after a kill -9 the old web processes need a moment to let go of the port


class Launch:
    """One start of the platform. `write` gets the words for the person at the terminal."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self.write = write
        self.servers: Servers | None = None
        self.supervisor = Supervisor(self._line)
        self.logins: list[str] = []
        self.helpers: list[Child] = []  # commands under way

    def run(self) -> None:
        """Returns when somebody stopped it; raises CannotStart or AlreadyRuns with a sentence."""
        with only_one(settings.VAR / "up.lock", port.address()):
            port.await_free(PORT_PATIENCE if ADDRESSES.exists() else 0)
            heed_signals()
            try:
                self._start()
                self._announce()
                self.supervisor.watch()
            except Stop:
                self._line("Stopping …")
            finally:
                ignore_signals()
                self._show_logins()
                self._stop()

    def set_up(self) -> None:
        """Tables, styles and the demo in the servers given, and no more; for containers."""
        _given_database_answers()
        try:
            self._set_up()
        finally:
            self._show_logins()

    # --- up ---------------------------------------------------------------------------------------
    def _start(self) -> None:
        self._line("AnomalyShield")
        with self._phase("database and bell"):
            self._start_servers()
        self._set_up()
        with self._phase("web, workers, ticker"):
            self._start_processes()

    def _set_up(self) -> None:
        METRICS.mkdir(parents=True, exist_ok=True)
        with self._phase("tables, scripts and styles"):
            self._manage("collectstatic", "migrate")
        if self._wants_demo():
            self._run_demo()

    def _start_servers(self) -> None:
        """The servers named in the environment; our own for the ones that are not."""
        own_database, own_bell = not settings.DATABASE_URL, not settings.GIVEN_REDIS_URL
        if not own_database:
            _given_database_answers()
        # A bell that is badly set or away is said, not refused: workers look for work themselves.
        if not own_bell and not (found := doctor.bell()).good:
            self._line(f"\n  {found.about}: {found.words}: {found.cure}")
        if not own_database and not own_bell:
            return
        self.servers = servers = Servers(settings.VAR, LOGS)
        addresses = {}
        if own_database:
            addresses["database"] = servers.database_url
            self.supervisor.add(servers.postgres, servers.start_postgres)
        if own_bell:
            addresses["redis"] = servers.redis_url
            self.supervisor.add(servers.valkey, servers.start_valkey)
        # Every command started from now on reads this, in this terminal or another.
        _write_aside(ADDRESSES, json.dumps(addresses))

    def _start_processes(self) -> None:
        shutil.rmtree(METRICS, ignore_errors=True)  # counters start at zero with their processes
        METRICS.mkdir()
        children = [self._child(name, *words()) for name, words in PROCESSES.items()]
        for child in children:
            self.supervisor.add(child)
        _until_served(children[0])
        self.supervisor.also = Listeners(self.supervisor, self._child, self._database_url()).look

    def _manage(self, *commands: str) -> None:
        """Run commands side by side, each with its own log."""
        quiet = ("--no-input", "--verbosity=0")
        self.helpers = [self._child(name, "manage.py", name, *quiet) for name in commands]
        for child in self.helpers:
            child.start()
        for child in self.helpers:
            if child.wait() != 0:
                raise CannotStart(f"`manage.py {child.name}` failed:\n{child.last_words(12)}")

    def _child(self, name: str, *words: str, captured: bool = False) -> Child:
        path = LOGS / f"{name}.log"
        return Child(
            name,
            [sys.executable, *words],
            path,
            env=environment(METRICS),
            cwd=settings.BASE_DIR,
            captured=captured,
        )

    # --- the first start --------------------------------------------------------------------------
    def _wants_demo(self) -> bool:
        """A demo is filled into an empty database, or again into one where it was cut short."""
        if settings.ENVIRONMENT != "demo" or "demo" not in get_commands():
            return False
        return DEMO_UNFINISHED.exists() or self._nobody_yet()

    def _nobody_yet(self) -> bool:
        with psycopg.connect(self._database_url()) as connection:
            row = connection.execute("SELECT EXISTS (SELECT FROM accounts_user)").fetchone()
            return row == (False,)

    def _database_url(self) -> str:
        return settings.DATABASE_URL or str(self.servers and self.servers.database_url)

    def _run_demo(self) -> None:
        """Its output, the passwords, is held back for the end and never written to a log."""
        DEMO_UNFINISHED.touch()
        child = self._child("demo", "manage.py", "demo", captured=True)
        self.helpers = [child]
        with ExitStack() as phase:
            for words in child.progress():
                phase.close()
                phase.enter_context(self._phase(f"demo: {words}"))
        if child.wait() != 0:
            raise CannotStart(f"`manage.py demo` failed:\n{child.last_words(12)}")
        people, made, _ = child.output().partition("DEMO-LOGINS")  # the rest is for programs
        self.logins = people.splitlines() if made else []
        DEMO_UNFINISHED.unlink()

    # --- words ------------------------------------------------------------------------------------
    def _announce(self) -> None:
        first = bool(self.logins)
        self._line("")
        self._show_logins()
        self._line(f"  AnomalyShield is ready: {port.address()}")
        self._line(f"  Data and logs: {settings.VAR} · Ctrl-C stops everything.")
        if self.servers and self.servers.site.data != settings.VAR:
            place = self.servers.site.data
            self._line(f"  The servers' files: {place} (their user cannot enter here).")
        if not first:
            self._line(f"  {FIRST_USER if self._nobody_yet() else FORGOTTEN}")
        self._line("")

    def _show_logins(self) -> None:
        """Once, and also when a start fails after its demo: they cannot be looked up anywhere."""
        if self.logins:
            self._line("  Log-ins of the demo, with passwords drawn for this installation:\n")
            for line in self.logins:
                self._line(f"    {line}".rstrip())
            self._line(f"\n  They are shown this once. {FORGOTTEN}\n")
        self.logins = []

    def _line(self, text: str) -> None:
        self.write(f"{text}\n")

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        self.write(f"  {name} ".ljust(46, "."))
        try:
            yield
        except BaseException:
            self.write("\n")
            raise
        self._line(f" {time.monotonic() - start:5.1f} s")

    # --- down -------------------------------------------------------------------------------------
    def _stop(self) -> None:
        """First what uses the servers, then the servers."""
        for helper in self.helpers:
            helper.stop()
        own = [self.servers.postgres, self.servers.valkey] if self.servers else []
        self.supervisor.watched = [w for w in self.supervisor.watched if w.child not in own]
        self.supervisor.stop()
        if self.servers is not None:
            self.servers.stop()
        ADDRESSES.unlink(missing_ok=True)
        self._line("Everything is stopped.")


def _given_database_answers() -> None:
    """The reason in words, before `migrate` says it in a traceback."""
    try:
        with psycopg.connect(settings.DATABASE_URL, connect_timeout=5) as connection:
            version = connection.info.server_version
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise CannotStart(f"The database of DATABASE_URL does not answer: {reason}") from None
    if version < doctor.OLDEST_POSTGRES:
        raise CannotStart(f"The database is PostgreSQL {version // 10000}; 15 is the oldest known.")


def _until_served(web: Child) -> None:
    """Until a page is answered; whether the answer is good is the doctor's question."""
    deadline = time.monotonic() + WEB_PATIENCE
    while not port.status():
        if not web.alive or time.monotonic() > deadline:
            raise CannotStart(f"The web processes do not answer:\n{web.last_words(12)}")
        time.sleep(0.1)


def _write_aside(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
