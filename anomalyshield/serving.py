"""What gunicorn does besides serving: the first request of a process is as quick as the next."""

from typing import Any

from anomalyshield import memory

preload_app = True  # loaded once, then forked: half the start and memory


def on_starting(server: Any) -> None:
    """In the parent, where no request waits and no time is up: what all children will share."""
    from django.urls import resolve

    from scoring.engine.warming import compile_kernels

    resolve("/health")  # imports every view
    compile_kernels()
    memory.settle()


def post_worker_init(worker: Any) -> None:
    """In each web process, before it takes its first request."""
    from scoring.warming import warm

    warm()
    memory.settle()  # the model too
