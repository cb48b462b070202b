"""Why: contributions and sentences of decisions a person will read, computed after them."""

import numpy as np
from django.db import transaction

from anomalyshield import leases
from scoring import registry
from scoring.engine import explanation as engine
from scoring.engine.bundle import Bundle
from scoring.engine.features import NAMES, spec_id
from scoring.models import Decision, Explanation, ModelVersion, Snapshot

_bundles: dict[int, Bundle] = {}
KEPT = 4


class NotExplainable(Exception):
    """The vector is gone or means something else now; trying again will not help."""


def perform(row: Explanation) -> None:
    """Explain one decision with the model that made it."""
    decision = row.decision
    vector = stored_vector(decision)
    made = engine.explain(bundle_of(row.model), vector[None, :])
    values = made.values[0]
    with transaction.atomic():
        leases.finish(
            row,
            base=made.base,
            margin=float(made.margin[0]),
            contributions={name: float(v) for name, v in zip(NAMES, values, strict=True) if v},
            sentences=engine.sentences(vector, values),
        )


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
    if version.pk not in _bundles:
        if len(_bundles) >= KEPT:
            _bundles.clear()
        _bundles[version.pk] = registry.load(version)
    return _bundles[version.pk]
