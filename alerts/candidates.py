"""Decisions on their way to an alert, with what suspicions and routes ask of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import nan

import numpy as np

from scoring.engine.transaction import UNITS
from scoring.models import Decision, Snapshot, Transaction


@dataclass(frozen=True)
class Candidate:
    """A decision, its payment, and the features it was scored on (none: not kept)."""

    decision: Decision
    payment: Transaction
    features: Mapping[str, float]

    def feature(self, name: str) -> float:
        """NaN when unknown, so that no comparison with it holds."""
        return self.features.get(name, nan)

    @property
    def amount(self) -> float:
        """In the base currency."""
        return self.payment.amount_units / UNITS


def candidates(decisions: Iterable[Decision]) -> list[Candidate]:
    """One query for all vectors. A vector of another register of features is as good as none."""
    from scoring.engine.features import spec_id  # compiles its kernel: only when alerts are raised

    wanted = list(decisions)
    kept = Snapshot.objects.filter(
        day__in={decision.known_at.date() for decision in wanted},
        transaction_id__in=[decision.transaction_id for decision in wanted],
        spec=spec_id(),
    )
    vectors = {(row.day, row.transaction_id): row.vector for row in kept}
    return [
        Candidate(d, d.transaction, _named(vectors.get((d.known_at.date(), d.transaction_id))))
        for d in wanted
    ]


def _named(vector: bytes | None) -> dict[str, float]:
    if vector is None:
        return {}
    from scoring.engine.features import NAMES

    values = np.frombuffer(bytes(vector), "<f8")
    return dict(zip(NAMES, values.tolist(), strict=True))
