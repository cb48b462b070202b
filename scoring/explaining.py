"""Why: contributions and sentences of decisions a person will read, computed after them."""

from typing import Any

import numpy as np
from django.db import transaction

from anomalyshield import leases
from scoring import registry
from scoring.engine import explanation as engine
from scoring.engine.bundle import Bundle
from scoring.engine.features import NAMES, spec_id
from scoring.models import Decision, Explanation, ModelVersion, Snapshot

_bundles: dict[str, Bundle] = {}
KEPT = 4


class NotExplainable(Exception):
    """The vector is gone or means something else now; trying again will not help."""


def perform(row: Explanation) -> None:
    """Explain one decision with the model that made it."""
    vector = stored_vector(row.decision)
    base, margin, values, sentences = contributions(row.model, vector)
    with transaction.atomic():
        leases.finish(
            row,
            base=base,
            margin=margin,
            contributions={name: float(v) for name, v in zip(NAMES, values, strict=True) if v},
            sentences=sentences,
        )


def contributions(
    version: ModelVersion, vector: np.ndarray, top: int = 5
) -> tuple[float, float, np.ndarray, list[dict[str, Any]]]:
    """Base, margin, every feature's part in log-odds, and the strongest in words."""
    made = engine.explain(bundle_of(version), vector[None, :])
    values = made.values[0]
    return made.base, float(made.margin[0]), values, engine.sentences(vector, values, top)


def stored_vector(decision: Decision) -> np.ndarray:
    """The features as they were when it was decided, bit for bit."""
    found = Snapshot.objects.filter(
        day=decision.known_at.date(), transaction_id=decision.transaction_id
    ).first()
    if found is None:
        raise NotExplainable("the vector of this decision is no longer kept")
    if found.spec != spec_id():
        raise NotExplainable("the features meant something else when this was decided")
    return np.frombuffer(bytes(found.vector), "<f8")


def bundle_of(version: ModelVersion) -> Bundle:
    """The verified bundle of a version, kept for the next one."""
    return _bundles.get(version.sha256) or remember(version, registry.load(version))


def remember(version: ModelVersion, bundle: Bundle) -> Bundle:
    """Keep a bundle that was just verified."""
    if len(_bundles) >= KEPT:
        _bundles.clear()
    _bundles[version.sha256] = bundle
    return bundle
