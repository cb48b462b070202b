"""Decisions on their way to an alert, with what suspicions and routes ask of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Any

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
    found: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)  # asked often

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

    wanted, spec = list(decisions), spec_id()
    kept = Snapshot.objects.filter(
        day__in={decision.known_at.date() for decision in wanted},
        transaction_id__in=[decision.transaction_id for decision in wanted],
        spec=spec,
    )
    rows = kept.values_list("day", "transaction_id", "vector")
    vectors = {(day, paid): bytes(vector) for day, paid, vector in rows}
    found = ((d, vectors.get((d.known_at.date(), d.transaction_id), b"")) for d in wanted)
    return [Candidate(d, d.transaction, Vector(v) if v else {}, spec, v) for d, v in found]


class Vector(Mapping[str, float]):
    """The stored features by name; a name is looked up when somebody asks for it."""

    def __init__(self, stored: bytes) -> None:
        self._values = np.frombuffer(stored, "<f8")

    def __getitem__(self, name: str) -> float:
        from scoring.engine.register import column

        return float(self._values[column(name)])

    def __iter__(self) -> Iterator[str]:
        from scoring.engine.register import NAMES

        return iter(NAMES)

    def __len__(self) -> int:
        return len(self._values)
