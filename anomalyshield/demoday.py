"""Fills an empty installation with sixty days of a made-up card issuer, by the ordinary doors."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
from django.conf import settings
from django.utils import timezone
from guardian.shortcuts import assign_perm

from alerts import routing, triage
from alerts.models import Alert, Queue
from anomalyshield import leases
from anomalyshield.accounts.models import User
from anomalyshield.accounts.people import give_new_password, make_user
from anomalyshield.audit.models import AuditEvent
from anomalyshield.audit.record import record
from scoring import comparison, dataset, registry, uploads
from scoring.current import forget
from scoring.demo.story import ROWS, Story
from scoring.demo.typologies import REGISTER
from scoring.engine import features, training
from scoring.engine.history import EVENT, History
from scoring.engine.transaction import Defaults, event_of, parse
from scoring.models import ModelVersion, Source, Upload
from scoring.tasks import do, work_named

PEOPLE = {
    "ana": ("Ana Ruiz", ["analyst"], {}),
    "lena": ("Lena Vogt", ["analyst"], {"is_lead": True}),
    "dana": ("Dana Okoye", ["engineer"], {}),
    "mona": ("Mona Lind", ["owner"], {}),
    "otto": ("Otto Haas", ["owner"], {}),
    "adam": ("Adam Cole", ["admin"], {}),
}
BUDGET = 0.04  # of 135 payments a day: what two people can look at before lunch
RECENT = 13  # days of which the alerts are still open and hardly a fraud is reported
FRESH_DAYS = 2.5  # in which every kind of fraud has happened
FIRST_LESSON = 20  # days the first model learns from; nobody has labelled anything by then
LABELS = {"label_column": "label", "label_known_column": "label_known_at"}
TYPOLOGY = {kind.name: kind.label or kind.name for kind in REGISTER}
STAMP = "%Y%m%dT%H%M%SZ"
DONE = "demo.made"


def is_there() -> bool:
    """Whether a demo was made here and not cut short."""
    return AuditEvent.objects.filter(action=DONE).exists()


def make(
    *, seed: int = 7, rows: int = ROWS, until: datetime | None = None, say: Callable[[str], None]
) -> dict[str, str]:
    """Everything, or what is still missing of it; the passwords by user name."""
    source = Source.objects.get_or_create(
        name="demo", defaults={"title": "Demo card issuer", "kind": Source.Kind.CSV}
    )[0]
    seed, rows, until = _begun(source) or (seed, rows, until or timezone.now())
    until = until.replace(microsecond=0)  # as its files name it
    story = told(seed, rows, until)
    passwords = people()
    team()
    say("first model")
    first_model(story, source)
    for part, days in _parts(story).items():
        say(f"payments, {part}")
        name = f"demo-{seed}-{rows}-{until:{STAMP}}-{part}.csv"
        work_off(receive(source, name, story.csv(*days)))
    say("decisions of the past weeks")
    decide_the_past(story, source)
    measure_the_first()
    record(by="command", action=DONE, object=source, after={"seed": seed, "rows": rows})
    return passwords


def told(seed: int, rows: int, until: datetime) -> Story:
    """The weeks behind the demo day, with something fresh of each kind on the table."""
    story = Story(seed=seed, rows=rows, until=until, fresh_days=FRESH_DAYS)
    story.without_own_analysts(story.days - RECENT)
    return story


def _begun(source: Source) -> tuple[int, int, datetime] | None:
    """Seed, rows and moment of a demo that was cut short, which this one has to continue."""
    begun = Upload.objects.filter(source=source, name__startswith="demo-").first()
    if begun is None:
        return None
    _, seed, rows, stamp, *_ = begun.name.split("-")
    return int(seed), int(rows), datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)


def _parts(story: Story) -> dict[str, tuple[float, float]]:
    border = story.days - RECENT
    return {"earlier": (0, border), "recent": (border, story.days)}


def people() -> dict[str, str]:
    """The cast, each with a password made here and now; who exists already gets a new one."""
    return {name: _password(name, *described) for name, described in PEOPLE.items()}


def _password(name: str, full_name: str, roles: list[str], rights: dict[str, bool]) -> str:
    if known := User.objects.filter(username=name).first():
        return give_new_password(by="command", user=known)
    made = make_user(by="command", username=name, full_name=full_name, roles=roles, **rights)
    return made[1]


def team() -> None:
    """One queue that takes everything, worked by the analysts."""
    queue, _ = Queue.objects.get_or_create(
        is_default=True, defaults={"name": "Card fraud", "slug": "card-fraud"}
    )
    for analyst in User.objects.filter(username__in=PEOPLE, groups__name="analyst"):
        assign_perm("alerts.work_queue", analyst, queue)


def first_model(story: Story, source: Source) -> None:
    """Cold: learnt from the first weeks' payments alone, before anybody has labelled anything."""
    if ModelVersion.objects.filter(state=ModelVersion.State.CHAMPION).exists():
        return
    events = _events(story, source)
    vectors = features.compute(events, History.of(events))
    bundle = training.fit(vectors, None, events["time"], budget=BUDGET)
    version = registry.register(
        bundle,
        by="command",
        kind=bundle.kind,
        metrics={"budget": BUDGET, "note": bundle.manifest["note"]},
        cutoff=story.start + timedelta(days=FIRST_LESSON),  # it knows of nothing later
        trained_rows=len(events),
    )
    registry.install_first(version=version)
    forget()


def _events(story: Story, source: Source) -> np.ndarray:
    """The first weeks as the engine sees them; the same reader and parser as for an upload."""
    defaults = Defaults(
        source.currency, settings.BASE_CURRENCY, source.timezone, received_at=story.until
    )
    return np.array(
        [
            event_of(parse(line, defaults=defaults), number)
            for number, line in enumerate(story.lines(0, FIRST_LESSON), start=1)
        ],
        EVENT,
    )


def receive(source: Source, name: str, content: bytes) -> Upload:
    return uploads.receive(
        by="command", source=source, name=name, file=io.BytesIO(content), options=LABELS
    )


def work_off(upload: Upload) -> None:
    """Do what a worker would, here: store the file, score its chunks, raise its alerts."""
    for name in ("upload", "chunk"):
        work = work_named(name)
        leases.free_orphans(work.rows, work=name)  # of a demo that was killed a moment ago
        while rows := leases.claim(work.rows):
            do(work, rows[0])
    routing.sweep()
    upload.refresh_from_db()
    if upload.stage != Upload.Stage.FINISHED:
        raise RuntimeError(f"{upload.name} was not finished: {upload.error or upload.state}")


def decide_the_past(story: Story, source: Source) -> None:
    """The analysts have decided what is older than the last days, or was reported meanwhile."""
    truth = story.typology_of()
    team = list(User.objects.filter(username__in=("ana", "lena")).order_by("username"))
    border = story.until - timedelta(days=RECENT)
    open_alerts = Alert.objects.open().filter(transaction__source=source)
    for number, alert in enumerate(open_alerts.select_related("transaction").order_by("pk")):
        payment = alert.transaction
        if payment.event_time < border or payment.labels.exists():
            kind = truth[payment.external_id]
            triage.decide(
                by=team[number % len(team)],
                alert=alert,
                disposition=_disposition(kind, number),
                typology=TYPOLOGY.get(kind, ""),
            )


def _disposition(kind: str, number: int) -> str:
    if kind:
        return Alert.Disposition.TRUE_POSITIVE_FRAUD
    return (Alert.Disposition.FALSE_POSITIVE, Alert.Disposition.BENIGN_POSITIVE)[number % 3 == 0]


def measure_the_first() -> None:
    """Now that there are labels: how good the first model is on what it has not learnt from."""
    loaded = registry.champion()
    if loaded is None or loaded.version.metrics.get("measured"):
        return
    part = dataset.split(dataset.read(timezone.now()), timezone.now())
    version = loaded.version
    version.metrics |= comparison.report(part, loaded.bundle, None, budget=BUDGET)
    version.save(update_fields=["metrics"])
