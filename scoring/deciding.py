"""One transaction, decided while the caller waits: two round trips, one commit.

The past is read and scored before anything is written, so no transaction stays open while a
detector thinks; then one statement stores the transaction with its decision, or neither.
"""

import json
import logging
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction

from anomalyshield import prepared
from anomalyshield.metrics import LATENCY
from scoring import explaining, history, pipeline, quarantine, shadows, stage, storing
from scoring.current import Current, current_scorer
from scoring.engine.decision import NOVELTY, Outcome
from scoring.engine.features import FEATURES
from scoring.engine.history import EVENT, History, Rows
from scoring.engine.scorer import Scorer, Scores
from scoring.engine.transaction import Transaction, event_of
from scoring.models import Decision, ModelVersion, Source
from scoring.webhooks import vectors

log = logging.getLogger(__name__)
LAST = 2**63 - 1  # stands for the ingest number to come, which is above all there are
HITS = pipeline.DECISION.index("hits")
GRACE = 0.05  # seconds for the rules' features when the deadline is over already
LATE = "the scoring deadline was missed"
_SAVE = f"""
WITH paid AS (
    INSERT INTO scoring_transaction ({", ".join(storing.COLUMNS)})
    VALUES ({", ".join(["%s"] * len(storing.TYPES))})
    ON CONFLICT (source_id, external_id) DO NOTHING
    RETURNING id
), decided AS (
    INSERT INTO scoring_decision ({", ".join(pipeline.DECISION)})
    SELECT id, {", ".join(["%s"] * len(pipeline.DECISION_TYPES[1:]))} FROM paid
    RETURNING id, transaction_id, model_id, reviewable
), kept AS (
    INSERT INTO scoring_snapshot (day, transaction_id, spec, vector)
    SELECT %s, id, %s, %s FROM paid
), left_to_do AS (
    INSERT INTO scoring_explanation (decision_id, model_id, state, attempts, error, sentences)
    SELECT id, model_id, 'READY', 0, '', '[]' FROM decided
    WHERE reviewable AND model_id IS NOT NULL
)
SELECT id, transaction_id FROM decided
"""
VECTOR_TYPES = "date text bytea".split()
SAVE = prepared.Statement(_SAVE, [*storing.TYPES, *pipeline.DECISION_TYPES[1:], *VECTOR_TYPES])


class Unanswerable(Exception):
    """Nothing was decided; the text says why, for the caller."""


class Conflicting(Unanswerable):
    """This id is known with other content; what was sent is kept among the rejects."""


class Waiting(Unanswerable):
    """The transaction came in a file and its chunk is not decided yet."""


@dataclass(frozen=True)
class Why:
    """Contributions in log-odds: `base` + those of `factors` + `rest` is `margin`."""

    base: float
    margin: float
    factors: list[dict[str, Any]]
    rest: float


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
    version: ModelVersion | None
    decided_at: datetime
    until: float  # of time.monotonic: when the answer is due
    decision: int | None = None  # its number; None: only tried, nothing is kept
    started: float = field(default_factory=time.perf_counter)
    vector: np.ndarray | None = None
    why: Why | None = None

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started

    @property
    def model_version(self) -> str:
        return str(self.version or "")


def decide_one(found: Transaction, *, source: Source, record: dict[str, Any]) -> Answer:
    """Store and decide; a repeated id with the same content gets its first decision again.

    Any failure of scoring, and a missed deadline, is a REVIEW that says why. Only a database that
    cannot store the transaction raises.
    """
    current = current_scorer()
    started = time.perf_counter()
    until = time.monotonic() + settings.SCORING_DEADLINE
    event = np.array([event_of(found, LAST)], EVENT)
    past, known_at = history.read_now(event)
    scores = judged(current, event, past, until)
    saved = _told(found, source, scores, current, known_at)
    if saved is None:
        answer = earlier(found, source, record, until)
    else:
        LATENCY.observe(time.perf_counter() - started)
        decision, event["id"] = saved
        wanted = scores.verdicts[0].outcome != Outcome.APPROVE
        follow_up([decision] if wanted else [], event, scores, current)
        answer = answer_of(found, scores, current, known_at, until)
        answer.decision = decision
    answer.started = started
    return answer


def judged(current: Current, events: Rows, past: History, until: float) -> Scores:
    """The scores; or features and rules alone, when scoring breaks or does not come in time."""
    try:
        return stage.within(until, current.scorer.score, events, past)
    except stage.Missed as missed:
        log.warning("scoring was not waited for: %s", missed)
        why = LATE
    except Exception as error:
        log.exception("scoring failed")
        why = f"scoring failed: {type(error).__name__}"
    return replace(_rules_alone(current, events, past), degraded=[why] * len(events))


def _rules_alone(current: Current, events: Rows, past: History) -> Scores:
    """Without a score; the rules have their features too, if those come at once."""
    rules = Scorer(None, current.scorer.policy, current.scorer.lists)
    try:
        return stage.within(time.monotonic() + GRACE, rules.score, events, past)
    except Exception as error:
        log.warning("rules are asked without features: %s", error)
        return rules.rescore(events, np.full((len(events), len(FEATURES)), np.nan))


def _told(
    found: Transaction, source: Source, scores: Scores, current: Current, known_at: datetime
) -> tuple[int, int] | None:
    """`_save`, and in the same commit what topics are told of it, if any is."""
    if not current.told:
        return _save(found, source, scores, current, known_at)
    with transaction.atomic():
        saved = _save(found, source, scores, current, known_at)
        if saved is not None:
            vectors.tell([saved[1]], scores, current.version, at=known_at)
    return saved


def _save(
    found: Transaction, source: Source, scores: Scores, current: Current, known_at: datetime
) -> tuple[int, int] | None:
    """The ids of the decision and of its transaction; None if the transaction was known."""
    row = list(next(pipeline.rows_of([0], scores, current, known_at)))
    row[HITS] = json.dumps(row[HITS])
    day, _, spec, vector = next(iter(pipeline.vectors_of([0], scores.vectors, known_at)))
    *stored, extra = storing.values(found, source.pk, None)
    told = None if extra is None else json.dumps(found.extra)
    answer = prepared.run(SAVE, (*stored, told, *row[1:], day, spec, vector))
    if not answer.ntuples:
        return None
    decision, number = (int.from_bytes(answer.get_value(0, at), "big") for at in range(2))
    return decision, number


def follow_up(reviewable: list[int], events: Rows, scores: Scores, current: Current) -> None:
    """What comes after the commit; nothing of it can take a decision back."""
    pipeline.count(scores)
    pipeline.announce(reviewable)
    if current.shadows:
        shadows.later(events, scores.vectors)


def answer_of(
    found: Transaction,
    scores: Scores,
    current: Current,
    known_at: datetime,
    until: float,
    at: int = 0,
) -> Answer:
    """The answer from what was just scored, in row `at`."""
    verdict, score = scores.verdicts[at], float(scores.risk_score[at])
    return Answer(
        transaction_id=found.external_id,
        entity_id=found.user_id,
        risk_score=score if score == score else current.scorer.policy.high_above,
        probability=None if scores.probability is None else float(scores.probability[at]),
        level=str(verdict.level),
        outcome=str(verdict.outcome),
        reason_codes=list(verdict.reason_codes),
        hits=[vars(hit) for hit in scores.hits[at]],
        degraded=scores.degraded[at],
        version=current.version,
        decided_at=known_at,
        until=until,
        vector=scores.vectors[at],
    )


def earlier(found: Transaction, source: Source, record: dict[str, Any], until: float) -> Answer:
    """The decision that stands for this id; Conflicting if the id means something else."""
    stands = (
        source.transaction_set.select_related("decision__model")
        .filter(external_id=found.external_id)
        .get()
    )
    if bytes(stands.digest) != found.digest:
        reason = "is already known with other content"
        quarantine.keep(source, [quarantine.Bad(record, {"transaction_id": reason})])
        raise Conflicting(f"transaction_id {reason}; what you sent is kept for review.")
    if not hasattr(stands, "decision"):
        raise Waiting("This transaction came in a file and is being scored.")
    decision = stands.decision
    return Answer(
        transaction_id=found.external_id,
        entity_id=found.user_id,
        risk_score=decision.risk_score,
        probability=decision.probability,
        level=decision.level,
        outcome=decision.outcome,
        reason_codes=decision.reason_codes,
        hits=decision.hits,
        degraded=decision.degraded,
        version=decision.model,
        decided_at=decision.known_at,
        until=until,
        decision=decision.pk,
        vector=_kept(decision),
    )


def _kept(decision: Decision) -> np.ndarray | None:
    try:
        return explaining.stored_vector(decision)
    except explaining.NotExplainable:
        return None


TOP = 5


def explain(answer: Answer) -> Answer:
    """Add what moved the score. Without a model, in a hurry or in trouble it stays without."""
    if answer.version is None or answer.vector is None or not np.isfinite(answer.vector[0]):
        return answer
    try:
        novel = NOVELTY in answer.reason_codes
        answer.why = stage.within(answer.until, _why, answer.version, answer.vector, novel)
    except stage.Missed:
        log.warning("no time was left for an explanation")
    except Exception:
        log.exception("an explanation failed")
    return answer


def _why(version: ModelVersion, vector: np.ndarray, novel: bool) -> Why:
    base, margin, values, factors = explaining.contributions(version, vector, TOP, novel=novel)
    told = sum(factor["contribution"] for factor in factors)
    return Why(base, margin, factors, float(values.sum() - told))
