"""One worker process: does one row at a time, on the bell's call or by its own look every 2 s.

The look is what makes the bell expendable: with a dead broker, a dead ticker or a lost message,
work is done two seconds later, not never.
"""

import logging
import mmap
import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from celery import current_app, signals
from django.db import connection

from anomalyshield import holder, memory

log = logging.getLogger(__name__)
LOOK_SECONDS = 2.0
PATIENCE = 20.0
NICENESS = 10
AUTOGROUP = Path("/proc/self/autogroup")

# Memory shared with the children forked later: the parent alone hears that it is time to stop.
_stopping = mmap.mmap(-1, 1)
_busy = threading.Lock()
_lookout: "Lookout | None" = None


def stopping() -> bool:
    """Is this worker asked to end? Then finish the row at hand and take no other."""
    return _stopping[0] != 0


@contextmanager
def at_work() -> Iterator[bool]:
    """True for the one thread of this process that may work now, False for the other."""
    mine = _busy.acquire(blocking=False)
    try:
        yield mine
    finally:
        if mine:
            _busy.release()


def yield_to_others(queues: list[str]) -> None:
    """A process that only does what nobody waits for leaves the processor to those that answer."""
    from scoring.tasks import PATIENT

    if set(queues) <= set(PATIENT):
        os.nice(NICENESS)
        _yield_as_a_session()


def _yield_as_a_session() -> None:
    """Linux shares the processor among sessions first, whatever the niceness of those within:
    alone in one, a trainer of niceness 19 took as much as all web processes (sched(7), autogroup).

    Only in a session of the trainer's own: in one of a terminal it would slow its neighbours.
    """
    if os.getsid(0) in (os.getpid(), os.getppid()):
        with suppress(OSError):  # another system, or a kernel without it
            AUTOGROUP.write_text(str(NICENESS))


class Lookout(threading.Thread):
    """Looks for work and for rows of dead processes, whether or not a bell rings."""

    def __init__(self, queues: list[str]) -> None:
        super().__init__(name="lookout", daemon=True)
        self.queues = queues
        self.over = threading.Event()

    def run(self) -> None:
        from scoring import tasks

        # Not in step with the other processes, so that together they look more often.
        while not self.over.wait(LOOK_SECONDS * random.uniform(0.5, 1)):  # noqa: S311
            try:
                while not self.over.is_set() and tasks.look(self.queues):
                    pass
            except Exception:
                log.exception("the lookout stumbled")


@signals.worker_shutting_down.connect
def _no_more(**_: Any) -> None:
    _stopping[0] = 1


@signals.worker_init.connect
def _warm(sender: Any = None, **_: Any) -> None:
    """Once, before the children are forked, unless they only do what nobody waits for."""
    from scoring.tasks import PATIENT

    if not set(current_app.amqp.queues.consume_from) <= set(PATIENT):
        prepare()


def prepare() -> None:
    """Load what prompt work needs; the children share it, and none of them walks it again.

    Call it before anything connects: queries of workers get no help from other processes of the
    database, which would take the processor from the worker beside it.
    """
    from scoring import tasks
    from scoring.engine.warming import compile_kernels

    connection.settings_dict["OPTIONS"]["options"] += " -c max_parallel_workers_per_gather=0"

    for work in tasks.WORK:
        if work.queue in tasks.PROMPT:
            work.act("perform")
    compile_kernels()
    memory.settle()


@signals.worker_process_init.connect
def _start(**_: Any) -> None:
    global _lookout
    holder.expendable = True
    queues = list(current_app.amqp.queues.consume_from)
    yield_to_others(queues)
    _lookout = Lookout(queues)
    _lookout.start()


@signals.worker_process_shutdown.connect
def _end(**_: Any) -> None:
    """Let the row at hand be finished; whatever takes longer is freed by the lock's end."""
    if _lookout is not None:
        _lookout.over.set()
        _busy.acquire(timeout=PATIENCE)
        holder.stop()
