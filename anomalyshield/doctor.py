"""Everything the platform needs, asked one by one: what is found, and what to do about it."""

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from importlib import metadata

import psycopg
import redis
from django.conf import settings
from django.core import checks
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from packaging.markers import Marker

from anomalyshield import port, pulse
from anomalyshield.onlyone import running
from scoring.tasks import QUEUES

OLDEST_POSTGRES = 150000
OLDEST_VALKEY = (7, 0)
LEAST_DISK = 2 * 1024**3
START_IT = "Start the platform: make run (or docker compose up -d)."
PIN = re.compile(r"^([\w.-]+)==([^ ;\\]+)(?: *; *([^\\]+?))? *\\?$")


@dataclass(frozen=True)
class Finding:
    """What one question found. A cure is there exactly when something is wrong."""

    about: str
    words: str
    cure: str = ""

    @property
    def good(self) -> bool:
        return not self.cure


def examine() -> Iterator[Finding]:
    """All findings in order; what needs the database is not asked while there is none."""
    for question in [python, packages, wrong_settings, disk]:
        yield _asked(question)
    yield (database_found := _asked(database))
    for question in [tables, ticker, champion] if database_found.good else []:
        yield _asked(question)
    yield (bell_found := _asked(bell))
    if bell_found.good:
        yield _asked(worker)
    yield _asked(web)


def _asked(question: Callable[[], Finding]) -> Finding:
    """A question that breaks is a finding too: the doctor must get to the end of the list."""
    try:
        return question()
    except Exception as error:
        about = question.__name__.replace("_", " ")
        words = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return Finding(about, words, f"Look into {settings.VAR / 'log'}.")


# --- this machine ---------------------------------------------------------------------------------
def python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    cure = "" if sys.version_info >= (3, 11) else "Install Python 3.11 or newer, then make install."
    return Finding("Python", version, cure)


def packages() -> Finding:
    text = (settings.BASE_DIR / "requirements.txt").read_text(encoding="utf-8")
    pins = [pin.groups() for line in text.splitlines() if (pin := PIN.match(line.strip()))]
    wanted = [
        (name, version) for name, version, only in pins if not only or Marker(only).evaluate()
    ]
    wrong = [f"{name} {version}" for name, version in wanted if _installed(name) != version]
    if wrong:
        words = (
            f"{len(wrong)} of {len(wanted)} missing or of another version: {', '.join(wrong[:5])}"
        )
        return Finding("packages", words, "Install the pinned ones: make install.")
    return Finding("packages", f"{len(wanted)} as pinned")


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def wrong_settings() -> Finding:
    found = [message for message in checks.run_checks() if message.level >= checks.WARNING]
    words = "; ".join(message.msg for message in found)
    cure = " ".join(message.hint for message in found if message.hint)
    if found:
        return Finding("settings", words, cure or "See `manage.py check`.")
    return Finding("settings", f"for {settings.ENVIRONMENT}")


def disk() -> Finding:
    folder = settings.VAR if settings.VAR.exists() else settings.BASE_DIR
    free = shutil.disk_usage(folder).free
    cure = "" if free >= LEAST_DISK else "Make room: PostgreSQL stops when the disk is full."
    return Finding("disk", f"{free / 1024**3:.1f} GB free at {folder}", cure)


# --- the record -----------------------------------------------------------------------------------
def database() -> Finding:
    try:
        connection.ensure_connection()
    except Exception as error:
        words = _reason(error)
        cure = "See that the server runs and DATABASE_URL is right."
        return Finding("database", words, cure if settings.DATABASE_URL else START_IT)
    version = connection.pg_version
    words = f"PostgreSQL {version // 10000}.{version % 10000}"
    cure = "" if version >= OLDEST_POSTGRES else "Use PostgreSQL 15 or newer."
    return Finding("database", words, cure)


def _reason(error: BaseException) -> str:
    cause = error.__cause__ if isinstance(error.__cause__, psycopg.Error) else error
    return str(cause).strip().splitlines()[0]


def tables() -> Finding:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = ", ".join(str(migration) for migration, _ in plan[:3])
        return Finding("tables", f"{len(plan)} migrations missing: {names}", "manage.py migrate")
    return Finding("tables", "all migrations applied")


def ticker() -> Finding:
    """Also whether somebody asks the database for the work of every queue, bell or no bell."""
    if missing := pulse.stale(["ticker", *(f"queue:{queue}" for queue in QUEUES)]):
        return Finding("ticker", f"no sign of life of {', '.join(missing)}", START_IT)
    return Finding("ticker", "alive, and every queue has a worker")


def champion() -> Finding:
    from scoring.current import current_scorer

    version = current_scorer()[1]
    if version is None:
        return Finding("champion", "no model", "Train and promote one: manage.py train.")
    return Finding("champion", f"version {version.number} loads")


# --- the bell -------------------------------------------------------------------------------------
def bell() -> Finding:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3) as client:
            info = client.info()
            rules = _rules(client)
    except (redis.RedisError, OSError) as error:
        cure = "See that the server runs and REDIS_URL is right."
        return Finding("bell", str(error), cure if settings.GIVEN_REDIS_URL else START_IT)
    version = info.get("valkey_version") or info["redis_version"]
    name = "Valkey" if "valkey_version" in info else "Redis"
    return Finding("bell", f"{name} {version}", " ".join(_bell_cures(version, info, rules)))


def _rules(client: redis.Redis) -> dict[str, str]:
    """Hosted servers forbid CONFIG; then the policy is what INFO says."""
    try:
        return client.config_get("maxmemory-policy")
    except redis.ResponseError:
        return {}


def _bell_cures(version: str, info: dict[str, object], rules: dict[str, str]) -> Iterator[str]:
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_VALKEY:
        yield "Use Valkey, or Redis 7 or newer."
    if rules.get("maxmemory-policy", info.get("maxmemory_policy")) != "noeviction":
        yield "Set maxmemory-policy noeviction: evicted keys are doorbells lost in silence."
    if not info.get("aof_enabled"):
        yield "Set appendonly yes, so that a restart keeps the queued bells."


def worker() -> Finding:
    from anomalyshield.celery import app

    alive = app.control.ping(timeout=3)
    names = ", ".join(name for answer in alive for name in answer)
    return Finding("worker", names or "none answers", "" if alive else START_IT)


# --- the pages ------------------------------------------------------------------------------------
def web() -> Finding:
    """Ours answer, or the port is free for them; anything else is somebody else's program."""
    if (status := port.status()) == HTTPStatus.OK:
        return Finding("pages", f"answer at {port.address()}")
    if running(settings.VAR / "up.lock"):
        words = f"{port.address()} answers {status or 'nothing'}"
        return Finding("pages", words, f"Look into {settings.VAR / 'log' / 'web.log'}.")
    if problem := port.problem():
        return Finding("port", problem, "Stop the other program, or set PORT to another number.")
    return Finding("port", f"{settings.PORT} is free")
