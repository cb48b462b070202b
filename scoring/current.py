"""The model and the policy in force, kept in memory and looked at again every second."""

import threading
import time
from typing import NamedTuple

from django.db import connection

from scoring import policies, registry
from scoring.engine.decision import Policy
from scoring.engine.scorer import Scorer
from scoring.models import DecisionPolicy, ModelVersion

FRESH_SECONDS = 1.0  # a promotion is in force everywhere within this and one request


class Current(NamedTuple):
    """What decides now."""

    scorer: Scorer
    version: ModelVersion | None
    policy: DecisionPolicy


_lock = threading.Lock()
_current: Current | None = None
_marks: tuple[object, ...] = ()
_looked = 0.0
ASK = """
SELECT (SELECT id FROM scoring_modelversion WHERE state = 'CHAMPION'),
       (SELECT id FROM scoring_decisionpolicy WHERE active)
"""


def current_scorer() -> Current:
    """The scorer in force with the rows that name it; one cheap question a second per process."""
    global _current, _marks, _looked
    with _lock:
        if _current is not None and time.monotonic() - _looked < FRESH_SECONDS:
            return _current
        marks = _asked()
        if _current is None or marks != _marks:
            _current = _loaded()
            _marks = _asked()
        _looked = time.monotonic()
        return _current


def forget() -> None:
    """Look again at the next question; whoever promotes and scores in one process uses it."""
    global _current
    with _lock:
        _current = None


def _asked() -> tuple[object, ...]:
    with connection.cursor() as cursor:
        cursor.execute(ASK)
        # The database's own name keeps tests and tools that switch databases apart.
        return (connection.settings_dict["NAME"], *cursor.fetchone())


def _loaded() -> Current:
    policy = policies.active()
    champion = registry.champion()
    bundle, version = (champion.bundle, champion.version) if champion else (None, None)
    return Current(Scorer(bundle, Policy.from_dict(policy.values)), version, policy)
