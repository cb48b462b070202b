"""The model and the policy in force, kept in memory and looked at again every second."""

import logging
import threading
import time
from datetime import datetime
from typing import NamedTuple

import numpy as np
from django.db import connection

from scoring import explaining, listed, policies, registry
from scoring.engine.decision import Policy
from scoring.engine.history import EVENT, History
from scoring.engine.lists import Lists
from scoring.engine.scorer import Scorer
from scoring.models import DecisionPolicy, ModelVersion

log = logging.getLogger(__name__)
FRESH_SECONDS = 1.0  # a promotion is in force everywhere within this and one request


class Current(NamedTuple):
    """What decides now, and the versions that score along unseen."""

    scorer: Scorer
    version: ModelVersion | None
    policy: DecisionPolicy
    shadows: tuple[int, ...]
    told: bool = False  # does a topic want to hear the vector of each payment?


_lock = threading.Lock()
_current: Current | None = None
_marks: tuple[object, ...] = ()  # database, champion, policy, shadows, version of the lists
_ends: datetime | None = None  # when the next entry of a list runs out
_looked = 0.0
ASK = """
SELECT (SELECT id FROM scoring_modelversion WHERE state = 'CHAMPION'),
       (SELECT id FROM scoring_decisionpolicy WHERE active),
       array(SELECT id FROM scoring_modelversion WHERE state = 'SHADOW' ORDER BY id),
       array[(SELECT version FROM scoring_listversion),
             (SELECT sum(version) FROM scoring_source WHERE cardinality(pii) > 0)],
       EXISTS (SELECT FROM scoring_endpoint WHERE events @> '{features.computed}'),
       now()
"""


def current_scorer() -> Current:
    """The scorer in force with the rows that name it; one cheap question a second per process.

    While one thread loads a new model, the others go on with the one before.
    """
    global _current, _marks, _looked
    known = _current
    if known is not None and _same_database():
        if time.monotonic() - _looked < FRESH_SECONDS or not _lock.acquire(blocking=False):
            return known
    else:
        _lock.acquire()
    try:
        marks, told, now = _asked()
        if _current is None or marks[:-1] != _marks[:-1]:
            _current = _loaded()
            # Loading may have made the first policy, and lists may have changed meanwhile.
            _marks = (*_asked()[0][:-1], marks[-1])
        elif marks != _marks or (_ends is not None and now >= _ends):
            _current = _with_lists(_current)
            _marks = marks
        if _current.told != told:
            _current = _current._replace(told=told)
        _looked = time.monotonic()
        return _current
    finally:
        _lock.release()


def forget() -> None:
    """Look again at the next question; whoever promotes and scores in one process uses it."""
    global _current
    with _lock:
        _current = None


def _same_database() -> bool:
    """Tests and tools switch databases; what is known belongs to one of them."""
    return bool(_marks) and _marks[0] == connection.settings_dict["NAME"]


def _asked() -> tuple[tuple[object, ...], bool, datetime]:
    with connection.cursor() as cursor:
        cursor.execute(ASK)
        champion, policy, shadows, lists, told, now = cursor.fetchone()
    marks = (connection.settings_dict["NAME"], champion, policy, tuple(shadows), lists)
    return marks, told, now


def _with_lists(known: Current) -> Current:
    """The same with the lists as they are now; their version was read before them, never after."""
    return known._replace(scorer=Scorer(known.scorer.bundle, known.scorer.policy, _lists()))


def _lists() -> Lists:
    global _ends
    lists, _ends = listed.in_force()
    return lists


def _loaded() -> Current:
    lists = _lists()
    policy = policies.active()
    champion = registry.champion()
    bundle, version = (champion.bundle, champion.version) if champion else (None, None)
    scorer = Scorer(bundle, Policy.from_dict(policy.values), lists)
    _warm(scorer)
    if version is not None and bundle is not None:
        explaining.remember(version, bundle)
    return Current(scorer, version, policy, _asked()[0][3])  # type: ignore[arg-type]


def _warm(scorer: Scorer) -> None:
    """Have everything compiled or read from the cache now, not within somebody's deadline."""
    event = np.zeros(1, EVENT)
    event["user"] = 1
    try:
        scores = scorer.score(event, History.of(event))
        if scorer.bundle is not None:
            scorer.bundle.ensemble.contributions(scores.vectors)
    except Exception:
        log.exception("the model in force cannot score")  # every decision will say so too
