"""The work there is and the jobs that come round, one line each, and the task that does work."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from celery import shared_task
from django.apps import apps
from django.db import InterfaceError, OperationalError, connection
from django.utils.module_loading import import_string

from anomalyshield import faults, leases, pulse, worker
from anomalyshield.leases import Leased, LeaseLost

log = logging.getLogger(__name__)
TOGETHER = 50  # well within a lease, so no row of them needs a heartbeat of its own
SLICE_SECONDS = 20.0  # a task ends after this; longer ones meet Celery's redelivery
OUTAGE = (OperationalError, InterfaceError, ConnectionError)


@dataclass(frozen=True)
class Work:
    """Rows of one model, what is done with each, and in which workers."""

    name: str
    model: str
    perform: str  # does the work and calls leases.finish(row) in its result's transaction
    queue: str
    limit: float = 300  # seconds after which one row is let go: it hangs
    on_exhausted: str = "anomalyshield.leases.quarantine"  # it killed its worker, again and again
    on_error: str = "anomalyshield.leases.fail"
    # Does many rows at less than their sum, all or none; what it refuses is done one by one.
    together: str = ""

    @property
    def rows(self) -> type[Leased]:
        return apps.get_model(self.model)

    def act(self, verb: str) -> Any:
        return import_string(getattr(self, verb))


@dataclass(frozen=True)
class Pulse:
    """Something the ticker does all the time. Two tickers doing it at once must be harmless."""

    name: str
    every: float
    does: str


@dataclass(frozen=True)
class Job:
    """Something done once per slot of `every` seconds, by whichever ticker inserts the slot.

    It runs in the slot's transaction: short, and what takes longer is left as a work row. A slot
    missed because no ticker ran is made up for once if `catch_up`, else it is skipped.
    """

    name: str
    every: int
    does: str
    catch_up: bool = True


BISECT = "scoring.bisection.bisect"
INGEST = "scoring.ingest"
EXPLAIN = "scoring.explaining.perform"
RELAY = "scoring.webhooks.relay.perform"
GIVEN_UP = f"{INGEST}.give_up", f"{INGEST}.failed"
WORK = [
    Work("upload", "scoring.Upload", f"{INGEST}.perform", "ingest", 6 * 3600, *GIVEN_UP),
    Work("chunk", "scoring.Chunk", "scoring.pipeline.perform", "detect", 300, BISECT, BISECT),
    Work("explanation", "scoring.Explanation", EXPLAIN, "explain", together=f"{EXPLAIN}_all"),
    Work("lake", "scoring.LakeCopy", "scoring.lake.perform", "train", limit=2 * 3600),
    Work("training", "scoring.TrainingRun", "scoring.training.perform", "train", limit=2 * 3600),
    Work("reranking", "alerts.Reranking", "alerts.ranking.perform", "detect"),
    Work("report", "alerts.ReportLetter", "alerts.mailing.perform", "tell", limit=120),
    Work("delivery", "scoring.Delivery", RELAY, "tell", limit=60, together=f"{RELAY}_all"),
]
PROMPT = ["ingest", "detect", "explain", "tell"]
PATIENT = ["train"]  # takes minutes or hours; in a worker of its own that yields to the others
QUEUES = PROMPT + PATIENT
PULSES = [
    Pulse("audit.seal", 0.5, "anomalyshield.audit.seal.seal"),
    Pulse("alerts.sweep", 2, "alerts.routing.sweep"),
    Pulse("alerts.wake", 5, "alerts.snoozing.wake_due"),
    Pulse("alerts.ranking", 2, "alerts.ranking.follow"),
    Pulse("alerts.reports", 15, "alerts.mailing.follow"),
    Pulse("uploads.sweep", 2, "scoring.ingest.sweep"),
    Pulse("notices.sweep", 10, "scoring.noticing.sweep"),
    Pulse("orphans", 2, "scoring.tasks.free_orphans"),
    Pulse("schedule", 1, "scoring.schedule.run_due"),
]
SCHEDULE = [
    Job("snapshot.partitions", 3600, "scoring.retention.make_partitions"),
    Job("models.first", 300, "scoring.bootstrap.first_model"),
    Job("models.updated", 86_400, "scoring.updating.daily"),
    Job("uploads.tidied", 86_400, "scoring.uploads.tidy"),
    Job("lists.run_out", 300, "scoring.lists.end_run_out"),
    Job("features.missing", 600, "scoring.feature_facts.count_missing"),
    Job("features.stability", 3600, "scoring.stability.measure"),
    Job("features.importance", 600, "scoring.importance.measure_unmeasured"),
    Job("lake.copied", 86_400, "scoring.lake.daily"),
    Job("questions.asked", 86_400, "alerts.feedback.daily"),
    Job("samples.drawn", 86_400, "alerts.sampling.daily"),
    Job("merchants.merged", 60, "scoring.merging.merge"),
    Job("days.counted", 30, "scoring.daycounts.count"),
    Job("bookkeeping.tidied", 3600, "scoring.retention.drop_old_bookkeeping"),
]


def work_named(name: str) -> Work:
    return next(work for work in WORK if work.name == name)


@contextmanager
def outages_pass() -> Iterator[None]:
    """A database that is away for a while is waited for, not reported again by every bell."""
    try:
        yield
    except OUTAGE as error:
        log.warning("the database is away: %s", error)
        connection.close()


@shared_task(name="drain")
def drain(work_name: str) -> int:
    """Do all there is of one kind of work, until nothing is left or the time slice is over."""
    with worker.at_work() as mine, outages_pass():
        if mine:
            pulse.show(f"bell:{work_named(work_name).queue}")
            return do_all(work_named(work_name))
    return 0


def look(queues: list[str]) -> int:
    """What a worker process does every 2 s: free what the dead held, and do what is ready."""
    with worker.at_work() as mine, outages_pass():
        if mine:
            for queue in queues:
                pulse.show(f"queue:{queue}")
            free_orphans()
            return sum(do_all(work) for work in WORK if work.queue in queues)
    return 0


def do_all(work: Work) -> int:
    end, done = time.monotonic() + SLICE_SECONDS, 0
    while time.monotonic() < end and not worker.stopping() and do_next(work):
        done += 1
    return done


def do_next(work: Work) -> bool:
    """Claim one row, or as many as are done together, and do them; False when there was none."""
    most = TOGETHER if work.together else 1
    rows = leases.claim(work.rows, limit=most, exhausted=work.act("on_exhausted"))
    if rows:
        faults.point(f"{work.name}.claimed")
    if len(rows) > 1 and done_together(work, rows):
        return True
    for row in rows:
        do(work, row)
    return bool(rows)


def done_together(work: Work, rows: list[Any]) -> bool:
    """Was it possible? If not nothing happened, and each row is done alone and fails alone.

    All stay ours meanwhile: one receiver that hangs may take longer than a lease.
    """
    try:
        with ExitStack() as alive:
            for row in rows:
                alive.enter_context(leases.keep_alive(row, limit=work.limit))
            work.act("together")(rows)
    except Exception as error:
        log.warning("%d rows of %s are done one by one: %r", len(rows), work.name, error)
        connection.close_if_unusable_or_obsolete()
        return False
    return True


def do(work: Work, row: Leased) -> None:
    """Perform one claimed row; whatever goes wrong ends here, as a state of the row."""
    try:
        with leases.keep_alive(row, limit=work.limit):
            work.act("perform")(row)
    except LeaseLost as lost:
        log.warning("%s", lost)
    except Exception as error:
        log.exception("%s %s failed", work.name, row.pk)
        connection.close_if_unusable_or_obsolete()
        try:
            work.act("on_error")(row, error)
        except LeaseLost as lost:
            log.warning("%s", lost)


def free_orphans() -> int:
    return sum(leases.free_orphans(work.rows, work=work.name) for work in WORK)
