"""What a pipeline does to vectors that are stored, before anything is trained with it."""

from dataclasses import dataclass

import numpy as np

from scoring.engine import preparation
from scoring.engine.features import FEATURES, Feature, column, widened, widths
from scoring.engine.plan import Plan
from scoring.models import Snapshot

SAMPLE = 500


@dataclass(frozen=True)
class Column:
    """A feature before and after: how often known, and its mean and spread; None is unknown."""

    feature: Feature
    known: float
    before: tuple[float, float] | None
    after: tuple[float, float] | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Preview:
    """The columns of a plan on the latest vectors, and what it leaves out."""

    rows: int
    columns: list[Column]
    left_out: list[Feature]


def latest_vectors(most: int = SAMPLE) -> np.ndarray:
    """The vectors of the latest decisions, one row each."""
    latest = Snapshot.objects.filter(spec__in=list(widths())).order_by("-day", "-transaction_id")
    kept = [widened(np.frombuffer(bytes(row.vector), "<f8")) for row in latest[:most]]
    return np.array(kept).reshape(-1, len(FEATURES))


def preview(plan: Plan) -> Preview:
    """The plan fitted on a sample of what was decided last; nothing is stored."""
    vectors = latest_vectors()
    _, prepared = preparation.fit(plan, vectors)
    chosen = set(plan.columns)
    return Preview(
        rows=len(vectors),
        columns=[
            _column(feature, vectors, prepared) for feature in FEATURES if feature.name in chosen
        ],
        left_out=[feature for feature in FEATURES if feature.name not in chosen],
    )


def _column(feature: Feature, vectors: np.ndarray, prepared: np.ndarray) -> Column:
    at = column(feature.name)
    before, after = (rows[:, at][np.isfinite(rows[:, at])] for rows in (vectors, prepared))
    return Column(
        feature=feature,
        known=len(before) / max(len(vectors), 1),
        before=(float(before.mean()), float(before.std())) if len(before) else None,
        after=(float(after.mean()), float(after.std())) if len(after) else None,
        low=float(after.min()) if len(after) else None,
        high=float(after.max()) if len(after) else None,
    )
