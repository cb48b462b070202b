"""From stored transactions to decisions on record, a chunk at a time."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection, transaction

from anomalyshield import leases
from anomalyshield.metrics import TRANSACTIONS
from scoring import arrays, history, ingest, wire
from scoring.current import Current, current_scorer
from scoring.engine.decision import Hit, Outcome, Verdict
from scoring.engine.features import spec_id
from scoring.engine.history import Rows
from scoring.engine.scorer import Scores
from scoring.models import Chunk
from scoring.shadows import score_shadows
from scoring.signals import decisions_made
from scoring.webhooks import vectors

log = logging.getLogger(__name__)
DECISION = (
    "transaction_id model_id policy_id risk_score probability level outcome reason_codes hits"
    " degraded reviewable known_at"
).split()
DECISION_TYPES = "int8 int8 int8 float8 float8 text text text[] jsonb text bool timestamptz".split()


def perform(chunk: Chunk) -> None:
    """Decide every transaction of the chunk, in one transaction with the chunk's own end."""
    current = current_scorer()
    events = history.events_of(chunk.transaction_ids)
    past = history.read(events, known_at=chunk.known_at, again=True)
    scores = current.scorer.score(events, past)
    with transaction.atomic():
        reviewable = store(events, scores, current, known_at=chunk.known_at)
        leases.finish(chunk)
        if chunk.upload_id:
            ingest.chunk_done(chunk.upload_id, len(events))
    count(scores)
    announce(reviewable)
    score_shadows(events, scores.vectors)


def store(events: Rows, scores: Scores, current: Current, *, known_at: datetime) -> list[int]:
    """Write decisions, vectors and what is left to explain; the ids of those that want a person."""
    ids = events["id"].tolist()
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY scoring_decision ({', '.join(DECISION)}) FROM STDIN") as copy:
            copy.write(wire.lines(lines_of(ids, scores, current, known_at)))
        columns = "day, transaction_id, spec, vector"
        with cursor.copy(f"COPY scoring_snapshot ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(wire.snapshots(known_at.date(), ids, spec_id(), scores.vectors))
        if current.told:
            vectors.tell(ids, scores, current.version, at=known_at)
        wanted = [
            id
            for id, verdict in zip(ids, scores.verdicts, strict=True)
            if verdict.outcome != Outcome.APPROVE
        ]
        return explain_later(cursor, wanted)


def lines_of(
    ids: Sequence[int], scores: Scores, current: Current, known_at: datetime
) -> Iterator[str]:
    """The rows of `rows_of` as COPY's text format has them.

    Nearly all have no hit, and their columns after the score are one of a few texts.
    """
    ends: dict[tuple[str, str, str], str] = {}
    front = f"{_number(current.version and current.version.pk)}\t{current.policy.pk}"
    risks = scored(scores, current.scorer.policy.high_above)
    chances = scores.probability
    told = [None] * len(ids) if chances is None else chances.tolist()
    rest = zip(scores.verdicts, scores.hits, scores.degraded, strict=True)
    for id, risk, chance, (verdict, hits, degraded) in zip(ids, risks, told, rest, strict=True):
        kind = (verdict.level, verdict.outcome, degraded)
        if hits or kind not in ends:
            end = _end(verdict, hits, degraded, known_at)
            if not hits:
                ends[kind] = end
        else:
            end = ends[kind]
        yield f"{id}\t{front}\t{risk!r}\t{_number(chance)}\t{end}"


def _number(value: float | None) -> str:
    return wire.NULL if value is None else repr(value)


def _end(verdict: Verdict, hits: list[Hit], degraded: str, known_at: datetime) -> str:
    words = (verdict.level, verdict.outcome, wire.array(verdict.reason_codes))
    told = wire.escaped(json.dumps([vars(hit) for hit in hits])) if hits else "[]"
    wanted = str(verdict.outcome != Outcome.APPROVE)
    return "\t".join((*words, told, wire.escaped(degraded), wanted, str(known_at)))


def scored(scores: Scores, stands_for_none: float) -> list[float]:
    """Risk scores as they are kept: none is not a number a column or a sort can hold."""
    risks: list[float] = scores.risk_score.tolist()
    return [risk if risk == risk else stands_for_none for risk in risks]


def rows_of(
    ids: Sequence[int], scores: Scores, current: Current, known_at: datetime
) -> Iterator[tuple[Any, ...]]:
    """Rows of decisions in the order of DECISION."""
    version = current.version.pk if current.version else None
    policy = current.scorer.policy
    probability = scores.probability.tolist() if scores.probability is not None else None
    # Without a score it stands at the review cut.
    risks = scored(scores, policy.high_above)
    for place, (id, score) in enumerate(zip(ids, risks, strict=True)):
        verdict, hits = scores.verdicts[place], scores.hits[place]
        yield (
            id,
            version,
            current.policy.pk,
            score,
            probability[place] if probability else None,
            verdict.level,
            verdict.outcome,
            verdict.reason_codes,
            [vars(hit) for hit in hits],
            scores.degraded[place],
            verdict.outcome != Outcome.APPROVE,
            known_at,
        )


def vectors_of(ids: Sequence[int], vectors: np.ndarray, known_at: datetime) -> Any:
    """Rows of snapshots; a vector is its little-endian bytes, so it comes back bit for bit."""
    plain = np.ascontiguousarray(vectors, "<f8")
    day, spec = known_at.date(), spec_id()
    return ((day, id, spec, plain[place].tobytes()) for place, id in enumerate(ids))


LATER = """
WITH wanted AS (
    SELECT id, model_id FROM scoring_decision WHERE transaction_id = ANY(%s::int8[]) AND reviewable
), left_to_do AS (
    INSERT INTO scoring_explanation (decision_id, model_id, state, attempts, error, sentences)
    SELECT id, model_id, 'READY', 0, '', '[]' FROM wanted WHERE model_id IS NOT NULL
)
SELECT id FROM wanted
"""


def explain_later(cursor: Any, transaction_ids: Sequence[int]) -> list[int]:
    """One row of work per decision that a person will read."""
    if not transaction_ids:
        return []
    cursor.execute(LATER, [arrays.literal(transaction_ids)])
    return [id for (id,) in cursor.fetchall()]


def count(scores: Scores) -> None:
    for level, number in Counter(verdict.level for verdict in scores.verdicts).items():
        TRANSACTIONS.labels(risk_level=level).inc(number)


def announce(decisions: list[int]) -> None:
    """Tell whoever listens; what goes wrong there is theirs, and their sweep finds the rest."""
    if decisions:
        for _, answer in decisions_made.send_robust(sender=None, ids=decisions):
            if isinstance(answer, Exception):
                log.error("a listener of decisions_made failed: %r", answer)
