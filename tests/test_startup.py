"""`make run` and what can come in its way, on real processes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from anomalyshield import port, programs, startup
from anomalyshield.children import Child
from anomalyshield.embedded import Servers
from anomalyshield.onlyone import running
from anomalyshield.supervisor import Supervisor, Watched

ROOT = Path(__file__).resolve().parent.parent
OURS = {"DATABASE_URL", "POSTGRES_URL", "REDIS_URL", "REDIS_HOST"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as somebody else")


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(true: Callable[[], object], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def niceness_of_session(pid: int) -> int | None:
    """Beside other sessions; None where the kernel does not share the processor by sessions."""
    try:
        said = Path(f"/proc/{pid}/autogroup").read_text().split()
    except OSError:
        return None
    return int(said[-1]) if said else None


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder every user can reach, unlike pytest's own, with a space in its name."""
    with tempfile.TemporaryDirectory(prefix="anomalyshield ") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


class Platform:
    """A `manage.py up` of its own data folder, seen from outside."""

    def __init__(self, var: Path, port: int) -> None:
        self.var, self.port = var, port
        self.output = var.parent / f"{var.name}.out"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in OURS}
        own = {"ANOMALYSHIELD_VAR": str(self.var), "PORT": str(self.port)}
        return {**kept, **own, "ANOMALYSHIELD_ENV": "test", "WEB_PROCESSES": "1"}

    def start(self) -> None:
        command = [sys.executable, "manage.py", "up"]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=output, stderr=output
            )
        eventually(lambda: "is ready" in self.words or self.process.poll() is not None, 150)
        assert "is ready" in self.words, self.words

    def end(self, how: int) -> float:
        """Seconds until it was gone."""
        begin = time.monotonic()
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(40)
        return time.monotonic() - begin

    @property
    def words(self) -> str:
        return self.output.read_text(encoding="utf-8")

    @property
    def database(self) -> str:
        return json.loads((self.var / "embedded.json").read_text(encoding="utf-8"))["database"]

    def ask(self, sql: str) -> tuple[object, ...] | None:
        with psycopg.connect(self.database, autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchone() if cursor.description else None

    def status(self) -> int:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/health", timeout=5
            ) as answer:
                return answer.status
        except OSError:
            return 0

    def processes(self, word: str = "") -> list[int]:
        """All living processes that came from this start, by the folder in their environment."""
        mark, found = f"ANOMALYSHIELD_VAR={self.var}\0".encode(), []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_text().replace("\0", " ")
                if mark in (folder / "environ").read_bytes() and word in command:
                    found.append(int(folder.name))
            except OSError:  # it ended meanwhile
                continue
        return found

    def command(self, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env={**self.environment, **changes},
            capture_output=True,
            text=True,
            timeout=150,
        )


@pytest.fixture(scope="module")
def platform(open_folder: Path) -> Iterator[Platform]:
    platform = Platform(open_folder / "my var", free_port())
    platform.start()
    yield platform
    if platform.process and platform.process.poll() is None:
        platform.end(signal.SIGTERM)


linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.mark.processes
@linux
class TestUp:
    """In this order: each test leaves the platform running for the next."""

    def test_it_answers_and_names_its_address_and_each_phase_with_seconds(
        self, platform: Platform
    ) -> None:
        assert platform.status() == 200
        assert f"http://127.0.0.1:{platform.port}/" in platform.words
        assert len(re.findall(r"\.{3,} +\d+\.\d s$", platform.words, re.MULTILINE)) >= 3

    def test_its_servers_are_closed_to_the_network_and_to_other_users(
        self, platform: Platform
    ) -> None:
        assert platform.ask("SHOW listen_addresses") == ("",)
        assert platform.ask("SHOW timezone") == ("UTC",)
        assert platform.ask("SHOW data_checksums") == ("on",)
        for folder in ("postgres", "valkey", "run"):
            assert (platform.var / folder).stat().st_mode & 0o077 == 0
        assert (platform.var / "secret_key").stat().st_mode & 0o077 == 0

    def test_the_doctor_finds_the_servers_the_worker_and_the_pages_well(
        self, platform: Platform
    ) -> None:
        assert eventually(lambda: "celery" in (platform.var / "log/worker.log").read_text())
        words = platform.command("doctor").stdout
        for about in ("Python", "packages", "database", "tables", "bell", "worker", "pages"):
            assert f"ok  {about}" in words, words

    def test_training_has_a_process_of_its_own_that_yields_to_the_others(
        self, platform: Platform
    ) -> None:
        children = platform.processes("--queues train")
        assert len(children) == 2, "the worker and the one process it forks"
        own = os.getpriority(os.PRIO_PROCESS, 0)
        wanted = [own, min(own + 10, 19)]
        assert eventually(
            lambda: sorted(os.getpriority(os.PRIO_PROCESS, pid) for pid in children) == wanted
        )
        for pid in platform.processes("--queues ingest,detect,explain"):
            assert os.getpriority(os.PRIO_PROCESS, pid) == own
            assert niceness_of_session(pid) in (0, None)
        for pid in children:
            assert niceness_of_session(pid) in (10, None), "alone in a session, nice means nothing"

    def test_a_second_start_says_where_the_first_runs(self, platform: Platform) -> None:
        second = platform.command("up")
        assert second.returncode == 1
        assert f"already runs from this folder: http://127.0.0.1:{platform.port}/" in second.stderr
        assert platform.status() == 200

    def test_a_busy_port_is_named_with_the_cure(
        self, platform: Platform, open_folder: Path
    ) -> None:
        other = platform.command("up", ANOMALYSHIELD_VAR=str(open_folder / "other"))
        assert other.returncode == 1
        assert f"Port {platform.port} " in other.stderr
        assert f"make run PORT={platform.port + 1}" in other.stderr
        assert "Traceback" not in other.stderr

    def test_a_killed_postgres_and_a_killed_web_are_started_again_with_all_that_was_committed(
        self, platform: Platform
    ) -> None:
        platform.ask("CREATE TABLE kept (n int)")
        platform.ask("INSERT INTO kept VALUES (42)")
        postmaster = (platform.var / "postgres" / "postmaster.pid").read_text().splitlines()[0]
        os.kill(int(postmaster), signal.SIGKILL)
        os.kill(min(platform.processes("gunicorn")), signal.SIGKILL)
        assert eventually(lambda: "PostgreSQL ended" in platform.words), platform.words
        assert eventually(lambda: self._answers(platform)), platform.words
        assert platform.ask("SELECT n FROM kept") == (42,)
        assert eventually(lambda: platform.status() == 200), platform.words

    def _answers(self, platform: Platform) -> bool:
        try:
            return platform.ask("SELECT 1") == (1,)
        except psycopg.OperationalError:
            return False

    def test_a_killed_supervisor_leaves_nothing_behind_and_starts_again_at_once(
        self, platform: Platform
    ) -> None:
        orphans = set(platform.processes())
        platform.end(signal.SIGKILL)
        platform.start()
        assert platform.status() == 200
        assert platform.ask("SELECT n FROM kept") == (42,)
        assert eventually(lambda: not orphans & set(platform.processes()))

    def test_sigterm_stops_everything_within_ten_seconds(self, platform: Platform) -> None:
        assert platform.end(signal.SIGTERM) < 10
        assert platform.process is not None
        assert platform.process.returncode == 0
        assert platform.processes() == []
        assert not (platform.var / "embedded.json").exists()
        assert "Everything is stopped." in platform.words

    def test_the_doctor_says_what_is_missing_when_nothing_runs(self, platform: Platform) -> None:
        found = platform.command("doctor")
        assert found.returncode == 1
        assert "BAD database" in found.stdout
        assert "make run" in found.stdout


# --- the parts ------------------------------------------------------------------------------------
def test_only_one_supervisor_holds_a_folder_and_others_read_where(tmp_path: Path) -> None:
    from anomalyshield.onlyone import AlreadyRuns, only_one

    lock = tmp_path / "up.lock"
    assert running(lock) is None
    with only_one(lock, "http://here/"):
        assert running(lock) == "http://here/"
        with pytest.raises(AlreadyRuns, match="http://here/"), only_one(lock, "http://there/"):
            pytest.fail("two at once")
    assert running(lock) is None


def test_a_child_that_dies_is_started_again_after_a_growing_pause(tmp_path: Path) -> None:
    child = Child("brief", [sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "brief.log")
    watched = Watched(child, child.start)
    watched.start()
    child.wait()
    found = watched.look(100.0)
    assert found is not None
    assert "brief ended (exit code 3)" in found
    assert watched.look(100.5) is None, "its pause is a second"
    assert not child.alive
    watched.look(101.1)
    child.wait()
    assert watched.look(101.2) is not None
    assert watched.due == pytest.approx(103.2), "the next pause is twice as long"


def test_a_child_that_ignores_being_asked_is_killed_with_all_it_started(tmp_path: Path) -> None:
    deaf = "trap '' TERM; sleep 60 & echo $!; wait; sleep 60"
    child = Child("deaf", ["/bin/sh", "-c", deaf], tmp_path / "deaf.log")
    supervisor = Supervisor(print)
    supervisor.add(child)
    assert eventually(lambda: child.last_words().strip())
    child.stop(patience=0.3)
    assert not child.alive
    assert eventually(lambda: not Path(f"/proc/{child.last_words().strip()}/fd/1").exists())


def test_half_a_cluster_is_thrown_away_not_started(open_folder: Path) -> None:
    folder = open_folder / "half"
    (folder / "pg.init").mkdir(parents=True)
    (folder / "pg.init" / "PG_VERSION").write_text("18")
    servers = Servers(folder, folder / "log", durable=False)
    try:
        servers.start_postgres()
        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        servers.stop()


def test_long_paths_get_short_sockets(open_folder: Path) -> None:
    deep = open_folder / ("deep" * 20) / ("deeper" * 10)
    site = programs.Site.choose(deep)
    assert len(str(site.sockets / ".s.PGSQL.5432")) < 100
    assert site.sockets.stat().st_mode & 0o077 == 0
    site.sockets.rmdir()


def test_a_folder_without_servers_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANOMALYSHIELD_PG_BIN", str(tmp_path))
    with pytest.raises(programs.CannotStart, match="ANOMALYSHIELD_PG_BIN"):
        programs.Programs.find()


@as_root
class TestClosedHome:
    """Root's project below a 0700 folder: `nobody` gets copies it can reach."""

    @pytest.fixture
    def closed(self, open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(programs, "SYSTEM_FOLDER", open_folder / "system")
        (folder := open_folder / "closed").mkdir(mode=0o700, exist_ok=True)
        return folder

    def test_its_servers_start_and_the_link_says_where_the_data_is(self, closed: Path) -> None:
        servers = Servers(closed / "var", closed / "log", durable=False)
        try:
            servers.start_postgres()
            servers.start_valkey()
        finally:
            servers.stop()
        assert (closed / "var" / "elsewhere" / "postgres" / "PG_VERSION").exists()

    def test_a_copy_of_the_project_gets_data_of_its_own(self, closed: Path) -> None:
        first = programs.Site.choose(closed / "var")
        (closed / "copy").mkdir()
        (closed / "copy" / "elsewhere").symlink_to(first.data)
        assert programs.Site.choose(closed / "copy").data != first.data
        assert programs.Site.choose(closed / "var").data == first.data

    def test_a_moved_project_keeps_its_data(self, closed: Path) -> None:
        first = programs.Site.choose(closed / "old place")
        (closed / "old place").rename(closed / "new place")
        assert programs.Site.choose(closed / "new place").data == first.data


def test_servers_named_in_the_environment_are_used_and_none_is_embedded(
    settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(startup, "ADDRESSES", tmp_path / "embedded.json")
    launch = startup.Launch(print)
    launch._start_servers()  # this run's own servers are named in DATABASE_URL and REDIS_URL
    assert launch.servers is None
    assert not (tmp_path / "embedded.json").exists()


def test_a_named_database_that_is_away_is_named_in_words(settings) -> None:
    settings.DATABASE_URL = "postgresql://ann:secret@127.0.0.1:1/fraud"
    with pytest.raises(programs.CannotStart, match="DATABASE_URL does not answer") as refused:
        startup.Launch(print)._start_servers()
    assert "secret" not in str(refused.value)


# --- the bootstrap --------------------------------------------------------------------------------
@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import bootstrap

    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / ".venv" / "installed.json")
    monkeypatch.setattr(bootstrap, "PYTHON", Path(sys.executable))
    return bootstrap


def test_an_old_python_is_told_what_is_needed(bootstrap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "OLDEST", (9, 9))
    with pytest.raises(SystemExit, match=r"needs Python 9\.9 or newer"):
        bootstrap.main([])


def test_nothing_is_installed_twice_and_a_changed_file_is_installed_again(
    bootstrap, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(bootstrap, "install", calls.append)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    (tmp_path / ".venv").mkdir()
    (tmp_path / "requirements.txt").write_text("a==1")
    (tmp_path / "requirements-dev.txt").write_text("a==1\nb==1")
    bootstrap.prepare(["requirements-dev.txt", "requirements.txt"])
    bootstrap.prepare(["requirements-dev.txt", "requirements.txt"])
    bootstrap.prepare(["requirements.txt"])
    assert calls == ["requirements-dev.txt"], "the larger set contains the smaller"
    (tmp_path / "requirements.txt").write_text("a==2")
    bootstrap.prepare(["requirements.txt"])
    assert calls == ["requirements-dev.txt", "requirements.txt"]


def test_who_wants_no_compiled_code_beside_the_source_has_it_with_the_packages(
    bootstrap, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    (source := tmp_path / "source").mkdir()
    (source / "module.py").write_text("")
    subprocess.run(
        [sys.executable, "-c", "import module"],
        cwd=source,
        env=bootstrap.environment(),
        check=True,
    )
    assert [file.name for file in source.iterdir()] == ["module.py"]
    assert list((tmp_path / ".venv").rglob("module.*.pyc"))


def test_compiled_code_stays_where_somebody_put_it(
    bootstrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", "/elsewhere")
    assert bootstrap.environment()["PYTHONPYCACHEPREFIX"] == "/elsewhere"
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX")
    assert "PYTHONPYCACHEPREFIX" not in bootstrap.environment()


def test_a_port_that_is_free_is_no_problem(settings) -> None:
    settings.PORT = free_port()
    assert port.problem() == ""
    assert port.status() == 0
