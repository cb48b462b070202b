"""Why: contributions and sentences of decisions a person will read, computed after them."""

import logging
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from django.db import transaction

from anomalyshield.finishing import finish_all
from scoring import counterfactuals, registry
from scoring.engine import explanation as engine
from scoring.engine.bundle import Bundle
from scoring.engine.decision import NOVELTY
from scoring.engine.features import NAMES, widened, widths
from scoring.models import Decision, Explanation, ModelVersion, Snapshot

log = logging.getLogger(__name__)
_bundles: dict[str, Bundle] = {}
KEPT = 4


class NotExplainable(Exception):
    """The vector is gone or means something else now; trying again will not help."""


def perform(row: Explanation) -> None:
    """Explain one decision with the model that made it."""
    perform_all([row])


@transaction.atomic
def perform_all(rows: Sequence[Explanation]) -> None:
    """Explain these decisions, each with the model that made it: all of them or none."""
    decisions = Decision.objects.select_related("policy").in_bulk([row.decision_id for row in rows])
    vectors = stored_vectors([decisions[row.decision_id] for row in rows])

    def by_model(row: Explanation) -> tuple[int, bool]:
        return row.model_id, NOVELTY in decisions[row.decision_id].reason_codes

    for (number, novel), some in groupby(sorted(rows, key=by_model), by_model):
        mine = list(some)
        matrix = np.array([widened(vectors[row.decision_id]) for row in mine])
        bundle = bundle_of(ModelVersion.objects.get(pk=number))
        made = engine.explain(bundle, matrix, novel=novel)
        others = otherwise([decisions[row.decision_id] for row in mine], bundle, matrix, made)
        told = zip(explained(matrix, made), others, strict=True)
        finish_all(mine, [{**one, "counterfactual": other} for one, other in told])


def otherwise(
    decisions: Sequence[Decision], bundle: Bundle, vectors: np.ndarray, made: engine.Contributions
) -> list[dict[str, Any]]:
    """What would have changed each; where that cannot be found, the reasons stand without it."""
    try:
        with transaction.atomic():
            asked = list(zip(decisions, vectors, made.values, strict=True))
            return counterfactuals.found(asked, bundle)
    except Exception as error:  # a database that is away is met again by what follows
        log.exception("what would have changed %d decisions was not found", len(decisions))
        why = f"What would have changed it could not be found: {type(error).__name__}."
        return [counterfactuals.untold(why)] * len(decisions)


def explained(vectors: np.ndarray, made: engine.Contributions) -> Iterator[dict[str, Any]]:
    """What is kept of each explanation."""
    for vector, margin, values in zip(vectors, made.margin, made.values, strict=True):
        parts = zip(NAMES, values.tolist(), strict=True)
        yield {
            "base": made.base,
            "margin": float(margin),
            "contributions": {name: value for name, value in parts if value},
            "sentences": engine.sentences(vector, values),
        }


def contributions(
    version: ModelVersion, vector: np.ndarray, top: int = 5, *, novel: bool = False
) -> tuple[float, float, np.ndarray, list[dict[str, Any]]]:
    """Base, margin, every feature's part in log-odds, and the strongest in words."""
    vector = widened(vector)
    made = engine.explain(bundle_of(version), vector[None, :], novel=novel)
    values = made.values[0]
    return made.base, float(made.margin[0]), values, engine.sentences(vector, values, top)


def stored_vector(decision: Decision) -> np.ndarray:
    """The features as they were when it was decided, bit for bit: those computed then, no more."""
    return stored_vectors([decision])[decision.pk]


def stored_vectors(decisions: Sequence[Decision]) -> dict[int, np.ndarray]:
    """The same of many, by the decision's id."""
    kept = Snapshot.objects.filter(
        day__in={decision.known_at.date() for decision in decisions},
        transaction_id__in=[decision.transaction_id for decision in decisions],
    )
    # A payment scored again on another day would have a row there too; the day says which is ours.
    found = {(row.day, row.transaction_id): row for row in kept}
    return {
        decision.pk: vector_of(found.get((decision.known_at.date(), decision.transaction_id)))
        for decision in decisions
    }


def vector_of(kept: Snapshot | None) -> np.ndarray:
    if kept is None:
        raise NotExplainable("the vector of this decision is no longer kept")
    if kept.spec not in widths():
        raise NotExplainable("the features meant something else when this was decided")
    return np.frombuffer(bytes(kept.vector), "<f8")


def bundle_of(version: ModelVersion) -> Bundle:
    """The verified bundle of a version, kept for the next one."""
    return _bundles.get(version.sha256) or remember(version, registry.load(version))


def remember(version: ModelVersion, bundle: Bundle) -> Bundle:
    """Keep a bundle that was just verified."""
    if len(_bundles) >= KEPT:
        _bundles.clear()
    _bundles[version.sha256] = bundle
    return bundle
