"""Where scoring runs while a caller waits: beside the request, so it cannot hold the answer."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

AT_ONCE = 16  # under way in one process; when so many hang, the next is told at once
Result = TypeVar("Result")


class Missed(Exception):
    """The work is not done in time; it may still be running, and nobody waits for it."""


class _Stage:
    """Threads and the places in front of them; made in the process that uses them."""

    def __init__(self) -> None:
        self.threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="scoring")
        self.places = threading.BoundedSemaphore(AT_ONCE)

    def start(self, work: Callable[..., Any], *args: Any) -> Any:
        if not self.places.acquire(blocking=False):
            raise Missed("all places are taken by work that hangs")
        try:
            future = self.threads.submit(work, *args)
        except BaseException:
            self.places.release()
            raise
        future.add_done_callback(lambda _: self.places.release())
        return future


_stage = _Stage()


def _fresh() -> None:
    global _stage
    _stage = _Stage()


os.register_at_fork(after_in_child=_fresh)  # threads do not survive a fork, locks do


def within(until: float, work: Callable[..., Result], *args: Any) -> Result:
    """The result, if it is there by `until` (of time.monotonic); else `Missed`."""
    left = until - time.monotonic()
    if left <= 0:
        raise Missed("no time was left for it")
    future = _stage.start(work, *args)
    try:
        return future.result(timeout=left)  # type: ignore[no-any-return]
    except TimeoutError as late:
        if future.done():  # the work itself raised it
            raise
        raise Missed("it took too long") from late
