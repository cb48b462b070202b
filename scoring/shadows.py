"""What shadow versions would have said: after the decision, beside it, never part of it."""

import logging
import os
import queue
import threading

import numpy as np
from django.db import connection

from scoring import explaining
from scoring.engine.history import Rows
from scoring.models import ModelVersion, ShadowScore

log = logging.getLogger(__name__)
MOST_WAITING = 10_000  # requests; beyond that shadows are too slow to keep up, and leave gaps
AT_ONCE = 500
IDLE_SECONDS = 2.0


def score_shadows(events: Rows, vectors: np.ndarray) -> None:
    """Score with every shadow version; one that fails is on record and harms nothing."""
    try:
        shadows = list(ModelVersion.objects.filter(state=ModelVersion.State.SHADOW))
        for version in shadows:
            ShadowScore.objects.bulk_create(_of(version, events, vectors), ignore_conflicts=True)
    except Exception:
        log.exception("shadow scores could not be stored")


def _of(version: ModelVersion, events: Rows, vectors: np.ndarray) -> list[ShadowScore]:
    try:
        scores = explaining.bundle_of(version).ensemble.score(vectors).risk_score.tolist()
        error = ""
    except Exception as failure:
        scores, error = [float("nan")] * len(events), f"{type(failure).__name__}: {failure}"[:200]
    return [
        ShadowScore(
            transaction_id=id,
            model=version,
            risk_score=score if score == score else None,
            error=error,
        )
        for id, score in zip(events["id"].tolist(), scores, strict=True)
    ]


class _Beside:
    """One thread that scores what requests left for it, many at a time, on its own connection."""

    def __init__(self) -> None:
        self.waiting: queue.Queue[tuple[Rows, np.ndarray]] = queue.Queue(MOST_WAITING)
        self.starting = threading.Lock()
        self.thread: threading.Thread | None = None

    def add(self, events: Rows, vectors: np.ndarray) -> None:
        try:
            self.waiting.put_nowait((events, vectors))
        except queue.Full:
            log.warning("shadow versions do not keep up; a transaction is left out")
        with self.starting:
            if self.thread is None:
                self.thread = threading.Thread(target=self.work, name="shadows", daemon=True)
                self.thread.start()

    def work(self) -> None:
        """Until nothing came for a while; then the thread and its connection end."""
        while parts := self.taken():
            score_shadows(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        connection.close()

    def taken(self) -> list[tuple[Rows, np.ndarray]]:
        try:
            parts = [self.waiting.get(timeout=IDLE_SECONDS)]
        except queue.Empty:
            with self.starting:  # nobody adds between this look and the end
                if self.waiting.empty():
                    self.thread = None
                    return []
            parts = []
        while len(parts) < AT_ONCE and not self.waiting.empty():
            parts.append(self.waiting.get_nowait())
        return parts


_beside = _Beside()


def _fresh() -> None:
    global _beside
    _beside = _Beside()


os.register_at_fork(after_in_child=_fresh)


def later(events: Rows, vectors: np.ndarray) -> None:
    """Have these scored by the shadow versions soon. A crash before that leaves a gap, no more."""
    _beside.add(events, vectors)


def wait() -> None:
    """Until nothing is left to score and the thread has ended."""
    if thread := _beside.thread:
        thread.join()
