"""Does beforehand, in each web process, what its first request would else have to wait for."""

import logging
import time

from django.conf import settings
from django.db import connection

from scoring import explaining, history, stage
from scoring.current import current_scorer
from scoring.engine.warming import sample

log = logging.getLogger(__name__)
WARM = "ready for a first request"


def warm() -> None:
    """Load what decides now and walk the way of a request once, storing nothing.

    A database that is away or a model that does not load is the first request's to report.
    """
    start = time.monotonic()
    try:
        _walk()
        log.info("%s after %.1f s", WARM, time.monotonic() - start)
    except Exception:
        log.exception("this process begins cold")
    finally:
        connection.close()


def _walk() -> None:
    current, event = current_scorer(), sample()
    past, _ = history.read_now(event)
    until = time.monotonic() + 10 * settings.SCORING_DEADLINE
    scores = stage.within(until, current.scorer.score, event, past)
    if current.version is not None:
        explaining.contributions(current.version, scores.vectors[0])
