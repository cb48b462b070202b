"""What shadow versions would have said: after the decision, beside it, never part of it."""

import logging

import numpy as np

from scoring import explaining
from scoring.engine.history import Rows
from scoring.models import ModelVersion, ShadowScore

log = logging.getLogger(__name__)


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
