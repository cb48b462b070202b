"""The platform's own long-running processes: how each is started, here and in containers."""

import os
import sys
import tempfile
from pathlib import Path

from django.conf import settings


def environment(metrics: Path) -> dict[str, str]:
    """What the processes are given; those that share the folder `metrics` are counted together."""
    # Two busy-waiting OpenMP teams on two cores make each other twenty times slower.
    quiet = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **quiet, "PROMETHEUS_MULTIPROC_DIR": str(metrics)}


def _gunicorn() -> list[str]:
    shm = Path("/dev/shm")  # noqa: S108 — heartbeat files on a disk can block a web process
    return [
        *("-m", "gunicorn", "anomalyshield.wsgi", "--bind", f"{settings.HOST}:{settings.PORT}"),
        *("--workers", str(settings.WEB_PROCESSES), "--threads", "4"),
        *(
            "--worker-class",
            "anomalyshield.gathering.Worker",
            "--timeout",
            "60",
            "--graceful-timeout",
            "5",
        ),
        # Preloads, so nothing may connect on import; and warms up what a first request needs.
        *("--config", "python:anomalyshield.serving"),
        *("--keep-alive", "75", "--no-control-socket"),
        *(("--worker-tmp-dir", str(shm)) if os.access(shm, os.W_OK) else ()),
    ]


def _worker() -> list[str]:
    from scoring.tasks import PROMPT

    return _celery("worker", PROMPT, settings.WORKER_PROCESSES)


def _trainer() -> list[str]:
    """Alone, so that an hour of learning keeps no file and no explanation waiting."""
    from scoring.tasks import PATIENT

    # Learning takes memory it does not give back; its process is then replaced by a small one.
    return [*_celery("trainer", PATIENT, 1), "--max-memory-per-child", "400000"]


def _celery(name: str, queues: list[str], processes: int) -> list[str]:
    return [
        *("-m", "celery", "--app", "anomalyshield", "worker", "--queues", ",".join(queues)),
        *("--hostname", f"{name}@%h", "--concurrency", str(processes), "--loglevel", "INFO"),
        # Workers need not know of each other: the rows say who does what.
        *("--without-mingle", "--without-gossip"),
    ]


def _ticker() -> list[str]:
    return ["manage.py", "tick"]


PROCESSES = {"web": _gunicorn, "worker": _worker, "trainer": _trainer, "ticker": _ticker}


def become(name: str) -> None:
    """Turn into one of the processes: in a container each stands alone, watched from outside."""
    os.chdir(settings.BASE_DIR)
    # Not in the shared data: containers number their processes alike, so files would clash.
    metrics = Path(tempfile.mkdtemp(prefix="metrics-"))
    os.execve(sys.executable, [sys.executable, *PROCESSES[name]()], environment(metrics))  # noqa: S606
