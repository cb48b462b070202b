"""Fills an empty installation with sixty days of a made-up card issuer, by the ordinary doors."""

import io
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from django.conf import settings
from django.db import connection
from django.utils import timezone
from guardian.shortcuts import assign_perm

from alerts import routing
from alerts.models import Queue
from anomalyshield import democases, demoreviews, leases
from anomalyshield.accounts.models import User
from anomalyshield.accounts.people import give_new_password, make_user
from anomalyshield.audit.models import AuditEvent
from anomalyshield.audit.record import record
from anomalyshield.demodesk import FRESH_DAYS, RECENT, Desk
from scoring import policies, policy_changes, promotions, registry, sourcing, training, uploads
from scoring.current import forget
from scoring.demo.story import ROWS, Story
from scoring.engine import features
from scoring.engine import training as learning
from scoring.engine.decision import Policy
from scoring.engine.history import EVENT, History
from scoring.engine.transaction import Defaults, event_of, parse
from scoring.models import ModelVersion, Source, TrainingRun, Upload
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
FRAUD_SHARE = 0.07
# Which policy was in force for a part of the payments, from which score on people looked, and why.
AGREED = {
    "earlier": (2, 0.8, "One analyst, mornings only: show her the worst."),
    "recent": (3, 0.7, "Ana has joined Lena: there is time for more."),
}
READ = 0.1  # of a training's progress: it knows its labels
WHY = "Learnt from the labels of these weeks; finds more at the same number of alerts."
FIRST_LESSON = 20  # days the first model learns from; nobody has labelled anything by then
LABELS = {"label_column": "label", "label_known_column": "label_known_at"}
SOURCE = {"name": "demo", "title": "Demo card issuer", "kind": Source.Kind.CSV}
STAMP = "%Y%m%dT%H%M%SZ"
DONE = "demo.made"


def is_there() -> bool:
    """Whether a demo was made here and not cut short."""
    return AuditEvent.objects.filter(action=DONE).exists()


def make(
    *, seed: int = 7, rows: int = ROWS, until: datetime | None = None, say: Callable[[str], None]
) -> dict[str, str]:
    """Everything, or what is still missing of it; the passwords by user name."""
    seed, rows, until = _begun() or (seed, rows, until or timezone.now())
    until = until.replace(microsecond=0)  # as its files name it
    story = told(seed, rows, until)
    say("people")
    passwords = people()
    team()
    dana = User.objects.get(username="dana")
    source = Source.objects.filter(name="demo").first() or sourcing.make_source(by=dana, **SOURCE)
    say("first model")
    first_model(story, source)
    for part, days in _parts(story).items():
        say(f"payments, {part}")
        agree(*AGREED[part])
        name = f"demo-{seed}-{rows}-{until:{STAMP}}-{part}.csv"
        work_off(receive(dana, source, name, story.csv(*days)))
    keep_the_desk(story, source, say)
    record(by="command", action=DONE, object=source, after={"seed": seed, "rows": rows})
    return passwords


def told(seed: int, rows: int, until: datetime) -> Story:
    """The weeks behind the demo day, with something fresh of each kind on the table."""
    story = Story(seed=seed, rows=rows, until=until, fraud_share=FRAUD_SHARE, fresh_days=FRESH_DAYS)
    story.without_own_analysts(story.days - RECENT)
    return story


def _begun() -> tuple[int, int, datetime] | None:
    """Seed, rows and moment of a demo that was cut short, which this one has to continue."""
    begun = Upload.objects.filter(source__name="demo", name__startswith="demo-").first()
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
    made = make_user(
        by="command",
        username=name,
        full_name=full_name,
        roles=roles,
        email=f"{name}@demo.invalid",  # no mail server takes it
        **rights,
    )
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
    bundle = learning.fit(vectors, None, events["time"], budget=BUDGET)
    version = registry.register(
        bundle,
        by="command",
        kind=bundle.kind,
        metrics={"budget": BUDGET, "note": bundle.manifest["note"]},
        cutoff=story.start + timedelta(days=FIRST_LESSON),  # it knows of nothing later
        trained_rows=len(events),
    )
    promotions.install_first(version=version)
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


def agree(version: int, high_above: float, reason: str) -> None:
    """Mona asks for the cut point and Otto puts it into force, unless that was done already."""
    base = policies.active()
    if base.version >= version:
        return
    mona, otto = (User.objects.get(username=name) for name in ("mona", "otto"))
    wanted = replace(Policy.from_dict(base.values), high_above=high_above)
    request = policy_changes.ask(by=mona, policy=wanted, reason=reason)
    policy_changes.approve(by=otto, request=request)
    forget()


def receive(by: User, source: Source, name: str, content: bytes) -> Upload:
    return uploads.receive(
        by=by, source=source, name=name, file=io.BytesIO(content), options=LABELS
    )


def work_off(upload: Upload) -> None:
    """Do what a worker would, here: store the file, score its chunks, raise its alerts."""
    work_off_all("upload")
    work_off_all("chunk")
    routing.sweep()
    upload.refresh_from_db()
    if upload.stage != Upload.Stage.FINISHED:
        raise RuntimeError(f"{upload.name} was not finished: {upload.error or upload.state}")


def work_off_all(name: str) -> None:
    work = work_named(name)
    leases.free_orphans(work.rows, work=name)  # of a demo that was killed a moment ago
    while rows := leases.claim(work.rows):
        do(work, rows[0])


def keep_the_desk(story: Story, source: Source, say: Callable[[str], None]) -> None:
    """What two analysts did in these weeks and left on the table, while a challenger is trained."""
    with ThreadPoolExecutor(1) as pool:
        challenger = pool.submit(challenge)
        desk = Desk(story, source)
        _until_labels_are_read(challenger)
        say("decisions, cases, a challenger")
        demoreviews.begin(desk)
        democases.open_and_close(desk)
        desk.decide(one for one in desk.items if not one.waits)
        desk.take_up()
        demoreviews.look_again(desk)
        demoreviews.look_below(desk)
        demoreviews.answer_the_model(desk)
        desk.date_back()
        demoreviews.date_back()
        democases.put_on_lists(desk)
        measure_the_first(challenger.result())


def challenge() -> ModelVersion:
    """Mona trains on the reports of these weeks and asks for a promotion. Another has to approve.

    In a thread: most of it is computed outside of Python's lock, on the second core.
    """
    try:
        mona = User.objects.get(username="mona")
        run = TrainingRun.objects.order_by("pk").first() or training.ask(by=mona)
        work_off_all("training")
        run.refresh_from_db()
        if run.result is None:
            raise RuntimeError(f"No challenger was trained: {run.error or run.verdict}")
        if not run.result.requests.exists():
            promotions.ask(by=mona, version=run.result, reason=WHY, despite=True)
        return run.result
    finally:
        connection.close()


def _until_labels_are_read(training: "Future[ModelVersion]") -> None:
    """What is decided from now on is news for the next training, and this one can be repeated."""
    while not training.done() and not TrainingRun.objects.filter(progress__gt=READ).exists():
        time.sleep(0.02)


def measure_the_first(challenger: ModelVersion) -> None:
    """How good the champion was on what neither has learnt from: it had no labels of its own."""
    version = ModelVersion.objects.get(state=ModelVersion.State.CHAMPION)
    found = challenger.metrics["champion"]
    version.metrics |= {
        "measured": found["measured"],
        "curves": {"pr": found["pr"]},
        "heldout": challenger.metrics["heldout"],
    }
    version.champion_since = version.cutoff
    version.save(update_fields=["metrics", "champion_since"])
