"""The work there is, one line each, and the task that does it when the bell rings."""

import logging
import time
from dataclasses import dataclass
from typing import Any

from celery import shared_task
from django.apps import apps
from django.db import close_old_connections
from django.utils.module_loading import import_string

from anomalyshield import leases
from anomalyshield.leases import Leased, LeaseLost

log = logging.getLogger(__name__)
SLICE_SECONDS = 20.0  # a task ends after this; longer ones meet Celery's redelivery


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

    @property
    def rows(self) -> type[Leased]:
        return apps.get_model(self.model)

    def act(self, verb: str) -> Any:
        return import_string(getattr(self, verb))


BISECT = "scoring.bisection.bisect"
WORK = [
    Work("upload", "scoring.Upload", "scoring.ingest.perform", "ingest", limit=6 * 3600),
    Work("chunk", "scoring.Chunk", "scoring.pipeline.perform", "detect", 300, BISECT, BISECT),
    Work("explanation", "scoring.Explanation", "scoring.explaining.perform", "explain"),
    Work("training", "scoring.TrainingRun", "scoring.training.perform", "train", limit=2 * 3600),
]
QUEUES = ["ingest", "detect", "explain", "train"]


def work_named(name: str) -> Work:
    return next(work for work in WORK if work.name == name)


@shared_task(name="drain")
def drain(work_name: str) -> int:
    """Do all there is of one kind of work, until nothing is left or the time slice is over."""
    work, end, done = work_named(work_name), time.monotonic() + SLICE_SECONDS, 0
    while time.monotonic() < end and (
        rows := leases.claim(work.rows, exhausted=work.act("on_exhausted"))
    ):
        do(work, rows[0])
        done += 1
    return done


def do(work: Work, row: Leased) -> None:
    """Perform one claimed row; whatever goes wrong ends here, as a state of the row."""
    try:
        with leases.keep_alive(row, limit=work.limit):
            work.act("perform")(row)
    except LeaseLost as lost:
        log.warning("%s", lost)
    except Exception as error:
        log.exception("%s %s failed", work.name, row.pk)
        close_old_connections()
        try:
            work.act("on_error")(row, error)
        except LeaseLost as lost:
            log.warning("%s", lost)
