"""One transaction, decided while the caller waits: stored, scored and on record in one commit."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection, transaction

from anomalyshield.metrics import LATENCY
from scoring import history, pipeline, storing
from scoring.current import Current, current_scorer
from scoring.engine import explanation as engine
from scoring.engine.features import FEATURES
from scoring.engine.history import EVENT, Rows
from scoring.engine.scorer import Scorer, Scores
from scoring.engine.transaction import Transaction, event_of
from scoring.models import Decision, RejectedRecord, Source
from scoring.shadows import score_shadows

log = logging.getLogger(__name__)
AT_ONCE = 8  # scorings of this process under way; beyond that something hangs
TOP = 5
INSERT = (
    f"INSERT INTO scoring_transaction ({', '.join(storing.COLUMNS)})"
    f" VALUES ({', '.join(['%s'] * len(storing.COLUMNS))})"
    " ON CONFLICT (source_id, external_id) DO NOTHING RETURNING id, recorded_at"
)
_pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="scoring")
_free = threading.BoundedSemaphore(AT_ONCE)


class Conflicting(Exception):
    """This id is known with other content; what was sent is kept among the rejects."""


@dataclass
class Answer:
    """What is told to the caller, whichever words its endpoint uses."""

    transaction_id: str
    entity_id: str
    risk_score: float
    probability: float | None
    level: str
    outcome: str
    reason_codes: list[str]
    hits: list[dict[str, Any]]
    degraded: str
    model_version: str
    decided_at: datetime
    seconds: float
    factors: list[dict[str, Any]] = field(default_factory=list)
    vector: dict[str, float] = field(default_factory=dict)


def decide_one(
    found: Transaction, *, source: Source, record: dict[str, Any], explain: bool = False
) -> Answer:
    """Store and decide; a repeated id with the same content gets its first decision again.

    Any failure of scoring, and a missed deadline, is a REVIEW that says why. Only a database that
    cannot store the transaction raises.
    """
    start = time.perf_counter()
    current = current_scorer()
    with transaction.atomic():
        new = _insert(found, source)
        if new is not None:
            number, known_at = new
            event = np.array([event_of(found, number)], EVENT)
            past = history.read_one(event, known_at=known_at)
            left = settings.SCORING_DEADLINE - (time.perf_counter() - start)
            scores = _within(left, lambda: current.scorer.score(event, past), event, current)
            reviewable = pipeline.store(event, scores, current, known_at=known_at)
    if new is None:
        return _earlier(found, source, record, start)
    LATENCY.observe(time.perf_counter() - start)
    pipeline.count(scores)
    pipeline.announce(reviewable)
    score_shadows(event, scores.vectors)
    answer = _answer(found, scores, current, known_at)
    if explain:
        answer.factors = factors_of(current, scores.vectors)
    answer.seconds = time.perf_counter() - start
    return answer


def _insert(found: Transaction, source: Source) -> tuple[int, datetime] | None:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, storing.values(found, source.pk, None))
        return cursor.fetchone()


def _within(seconds: float, score: Callable[[], Scores], event: Rows, current: Current) -> Scores:
    """The scores, or the rules alone when scoring does not come in time or breaks."""
    if seconds <= 0 or not _free.acquire(blocking=False):
        return _rules_alone(event, current, "the scoring deadline was missed")

    def run() -> Scores:
        try:
            return score()
        finally:
            _free.release()

    try:
        return _pool.submit(run).result(timeout=seconds)
    except TooLate:
        return _rules_alone(event, current, "the scoring deadline was missed")
    except Exception as error:
        log.exception("scoring failed")
        return _rules_alone(event, current, f"scoring failed: {type(error).__name__}")


def _rules_alone(event: Rows, current: Current, why: str) -> Scores:
    unknown = np.full((len(event), len(FEATURES)), np.nan)
    scores = Scorer(None, current.scorer.policy).rescore(event, unknown)
    scores.degraded[:] = [why] * len(event)
    return scores


def _answer(found: Transaction, scores: Scores, current: Current, known_at: datetime) -> Answer:
    verdict, score = scores.verdicts[0], float(scores.risk_score[0])
    probability = None if scores.probability is None else float(scores.probability[0])
    values = scores.vectors[0].tolist()
    return Answer(
        transaction_id=found.external_id,
        entity_id=found.user_id,
        risk_score=score if score == score else current.scorer.policy.high_above,
        probability=probability,
        level=str(verdict.level),
        outcome=str(verdict.outcome),
        reason_codes=list(verdict.reason_codes),
        hits=[vars(hit) for hit in scores.hits[0]],
        degraded=scores.degraded[0],
        model_version=str(current.version or ""),
        decided_at=known_at,
        seconds=0.0,
        vector={f.name: v for f, v in zip(FEATURES, values, strict=True)},
    )


def factors_of(current: Current, vectors: np.ndarray) -> list[dict[str, Any]]:
    """The strongest contributions in words; none when explaining fails, which harms nothing."""
    if current.scorer.bundle is None:
        return []
    try:
        made = engine.explain(current.scorer.bundle, vectors)
        return engine.sentences(vectors[0], made.values[0], TOP)
    except Exception:
        log.exception("an explanation failed")
        return []


def _earlier(found: Transaction, source: Source, record: dict[str, Any], start: float) -> Answer:
    """The decision that stands for this id; Conflicting if the id means something else."""
    stands = (
        Decision.objects.select_related("transaction", "model")
        .filter(transaction__source=source, transaction__external_id=found.external_id)
        .first()
    )
    if stands is None:  # it came in a file and waits there for its chunk
        raise Conflicting("This transaction is stored and is being scored; ask again shortly.")
    if bytes(stands.transaction.digest) != found.digest:
        reason = "is already known with other content"
        RejectedRecord.objects.create(
            source=source, position=0, record=_plain(record), reasons={"transaction_id": reason}
        )
        raise Conflicting(f"transaction_id {reason}; what you sent is kept for review.")
    return Answer(
        transaction_id=found.external_id,
        entity_id=found.user_id,
        risk_score=stands.risk_score,
        probability=stands.probability,
        level=stands.level,
        outcome=stands.outcome,
        reason_codes=stands.reason_codes,
        hits=stands.hits,
        degraded=stands.degraded,
        model_version=str(stands.model or ""),
        decided_at=stands.decided_at,
        seconds=time.perf_counter() - start,
    )


def _plain(record: dict[str, Any]) -> dict[str, str]:
    return {str(name)[:100]: str(value)[:500] for name, value in record.items()}
