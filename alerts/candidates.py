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
    spec: str = ""  # what the vector means
    vector: bytes = b""  # empty: not kept

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
    vectors = {(row.day, row.transaction_id): bytes(row.vector) for row in kept}
    found = ((d, vectors.get((d.known_at.date(), d.transaction_id), b"")) for d in wanted)
    return [Candidate(d, d.transaction, _named(v), spec_id(), v) for d, v in found]


def _named(vector: bytes) -> dict[str, float]:
    if not vector:
        return {}
    from scoring.engine.features import NAMES

    values = np.frombuffer(vector, "<f8")
    return dict(zip(NAMES, values.tolist(), strict=True))
