"""Each part of the platform in words: how it is, since when, and what to do about it."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import Error, connection
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield import health, pulse
from anomalyshield.audit.models import AuditEvent
from anomalyshield.models import Heartbeat
from anomalyshield.templatetags.words import ago_shown, figure, span
from anomalyshield.together import Part, Sql, first, together
from anomalyshield.waiting import Waiting, all_work

LATE_SEAL = 10.0  # seconds: the sealer goes round twice a second
LEAST_DISK = 2 * 1024**3
START = _lazy(
    "Start it again: make run, or the service that runs it. Work waits meanwhile; none is lost."
)
# What stands still while nobody works a queue, in words.
QUEUES = {
    "detect": _lazy("Scoring of files"),
    "ingest": _lazy("Reading of files"),
    "explain": _lazy("Explanations"),
    "train": _lazy("Training"),
    "tell": _lazy("Messages to upstream"),
}
STARTED = "SELECT pg_postmaster_start_time(), pg_database_size(current_database())"


@dataclass(frozen=True)
class Component:
    """One part. A cure is there exactly when somebody has to do something."""

    name: str
    words: str
    since: datetime | None = None
    cure: str = ""

    @property
    def since_in_words(self) -> str:
        if self.since is None:
            return _("since ever")
        return format_html(_("since {since}"), since=ago_shown(self.since))


Components = list[Component]


def components() -> list[Component]:
    """Everything there is to say; without a database only that."""
    try:
        return [one for found in together(*[look() for look in LOOKS]) for one in found]
    except Error:
        connection.close()
        cure = _("See that PostgreSQL runs; every decision waits for it.")
        return [Component(_("Database"), _("It does not answer."), None, cure)]


def database() -> Part[Components]:
    [(since, size)] = yield Sql(STARTED)
    version = _("PostgreSQL {pg_version}").format(pg_version=connection.pg_version // 10000)
    words = _("{version} answers; it holds {size} MB.").format(
        version=version, size=figure(f"{size / 1024**2:,.0f}")
    )
    return [Component(_("Database"), words, since)]


def champion() -> Part[Components]:
    best = first((yield apps.get_model("scoring.ModelVersion").objects.filter(state="CHAMPION")))
    if best is None:
        cure = _("Train a model and have it promoted; until then people decide everything.")
        return [
            Component(_("Model"), _("None is in service: every payment is REVIEW."), None, cure)
        ]
    return [Component(_("Model"), _("{best} decides.").format(best=best), best.champion_since)]


def tables() -> Components:
    if health.tables_there():
        return [Component(_("Tables"), _("All migrations are applied."))]
    return [Component(_("Tables"), _("Some are missing."), None, _("Run manage.py migrate."))]


def processes() -> Part[Components]:
    """The ticker and a worker for each queue, by their last sign of life."""
    found = yield pulse.signs()
    ages = {sign.name: sign.age.total_seconds() for sign in found}
    silent = set(pulse.stale(health.EXPECTED, ages))
    return list(_processes({sign.name: sign.at for sign in found}, silent))


def _processes(signs: Mapping[str, datetime], silent: set[str]) -> Iterator[Component]:
    for name in health.EXPECTED:
        title, last = _title(name), signs.get(name)
        if name not in silent:
            words = format_html(_("At work; its last sign came {last} ago."), last=ago_shown(last))
            yield Component(title, words)
        elif last is None:
            yield Component(title, _("Nobody has done this here yet."), None, START)
        else:
            yield Component(
                title,
                format_html(_("Silent: its last sign came {last} ago."), last=ago_shown(last)),
                last,
                START,
            )


def _title(name: str) -> str:
    kind, _unused, queue = name.partition(":")
    return (
        _("Ticker")
        if kind == "ticker"
        else QUEUES.get(queue, _("Worker of {queue}").format(queue=queue))
    )


def work() -> Part[Components]:
    """What waits longer than it should, and what was set aside after three attempts."""
    return list(_work((yield from all_work())))


def _work(found: list[Waiting]) -> Iterator[Component]:
    slow = [one for one in found if one.oldest > health.PATIENCE]
    aside = [one for one in found if one.quarantined]
    if not slow:
        total = sum(one.ready for one in found)
        yield Component(
            _("Work"),
            _("{total} rows wait, none of them for long.").format(total=figure(f"{total:,}")),
        )
    for one in slow:
        words = _("{ready} of {name} wait, the oldest for {oldest}.").format(
            ready=figure(f"{one.ready:,}"), name=one.name, oldest=span(one.oldest)
        )
        yield Component(_("Work"), words, None, _("See that a worker of its queue runs."))
    for one in aside:
        yield Component(_("Set aside"), _set_aside(one), None, ASIDE)


ASIDE = _lazy("Look into the log of the workers for the reason; the row is kept and blocks nobody.")


def _set_aside(one: Waiting) -> str:
    return _("{quarantined} of {name} broke three times and were set aside.").format(
        quarantined=figure(f"{one.quarantined:,}"), name=one.name
    )


def trail() -> Part[Components]:
    """The unsealed tail must stay short: only what is sealed can be proven."""
    oldest = first((yield AuditEvent.objects.filter(number=None).order_by("pk")[:1]))
    age = (timezone.now() - oldest.at).total_seconds() if oldest else 0.0
    if oldest is None or age <= LATE_SEAL:
        return [Component(_("Audit trail"), _("Sealed to the end."))]
    words = _("Events of the last {age} are not sealed.").format(age=span(age))
    cure = _("See that the ticker and a worker run; then manage.py verify_audit.")
    return [Component(_("Audit trail"), words, oldest.at, cure)]


def upstream() -> Part[Components]:
    """Endpoints that were stopped or fail again and again."""
    return list(_upstream((yield apps.get_model("scoring.Endpoint").objects.all())))


def _upstream(endpoints: list[Any]) -> Iterator[Component]:
    troubled = [one for one in endpoints if one.state == "STOPPED" or one.failures]
    if not troubled:
        many = (
            _("One endpoint, reached.") if len(endpoints) == 1 else _("Every endpoint was reached.")
        )
        words = many if endpoints else _("Nobody is told.")
        yield Component(_("Upstream"), words)
    for one in troubled:
        words = one.stopped_because or _("{name} failed {failures} times in a row.").format(
            name=one.name, failures=one.failures
        )
        cure = _("See that their address answers; what was not told is kept and sent again.")
        yield Component(_("Upstream"), words, one.failing_since, cure)


def streams() -> Part[Components]:
    """Sources that keep coming: does somebody read them, and how much waits?"""
    signs, positions, sources = yield (
        Heartbeat.objects.filter(name__startswith="stream:"),
        apps.get_model("scoring.StreamPosition").objects.read_now(),
        apps.get_model("scoring.Source").objects.filter(active=True, kind__in=READERS),
    )
    return list(_streams({sign.name: sign for sign in signs}, positions, sources))


def _streams(
    signs: Mapping[str, Heartbeat], positions: list[Any], sources: list[Any]
) -> Iterator[Component]:
    for source in sources:
        name = _("Source {source}").format(source=source.name)
        sign = signs.get(f"stream:{source.pk}")
        last = sign.at if sign else None
        if source.left_to_spark:
            yield Component(name, LEFT)
            continue
        if stands := _stands(source, sign):
            yield Component(name, *stands)
            continue
        if not pulse.is_fresh(sign):
            silent = format_html(_("Silent: its last sign came {last} ago."), last=ago_shown(last))
            cure = _(
                "Start it: manage.py {command} {source}. The broker keeps what comes meanwhile, "
                "for a while."
            ).format(command=READERS[source.kind], source=source.name)
            yield Component(name, silent if last else _("Nobody reads it."), last, cure)
            continue
        mine = [one for one in positions if one.source_id == source.pk]
        yield Component(name, _("At work. {read}").format(read=_read(mine)))


def _stands(source: Any, sign: Heartbeat | None) -> tuple[str, datetime | None, Any] | None:
    """Words, since when and cure, where it is known what is in a reader's way."""
    told = sign.details if sign else {}
    if pulse.is_fresh(sign):
        why = told.get("trouble")
        words = _("Its broker is not reached: {why}").format(why=why)
        return (words, sign.at, MEND) if why else None
    if source.lacks:
        words = _("Nobody reads it: its connection does not say {setting} yet.")
        return words.format(setting=source.lacks), None, MEND
    if why := told.get("ended"):
        again = _("It is tried again by itself, every five minutes or sooner.")
        return _("Nobody reads it: {why}").format(why=why), sign.at, f"{MEND} {again}"
    return None


LEFT = _lazy(
    "Spark alone reads it. Whether its job is at work is not seen from here: the job tells, and "
    "what waits."
)
MEND = _lazy("Test the connection on the page of the source, and mend what it names.")
READERS = {"kafka": "consume", "mqtt": "listen_mqtt"}


def _read(positions: list[Any]) -> str:
    """Partitions in words; a broker without them keeps its own count."""
    if not positions:
        return _("Whatever came is stored.")
    lag, missed = sum(one.lag for one in positions), sum(one.missed for one in positions)
    words = _("{partitions} partitions, {lag} messages wait.").format(
        partitions=len(positions), lag=figure(f"{lag:,}")
    )
    lost = _("{missed} were deleted by the broker before they were read.")
    return f"{words} {lost.format(missed=figure(f'{missed:,}'))}" if missed else words


def disk() -> Components:
    folder = settings.VAR if settings.VAR.exists() else settings.BASE_DIR
    free = shutil.disk_usage(folder).free
    cure = "" if free >= LEAST_DISK else _("Make room: PostgreSQL stops when the disk is full.")
    words = _("{free} GB are free for data and models.")
    return [Component(_("Disk"), words.format(free=figure(f"{free / 1024**3:,.1f}")), None, cure)]


LOOKS: list[Callable[[], Part[Components] | Components]] = [
    database, tables, champion, processes, work, streams, trail, upstream, disk
]  # fmt: skip
