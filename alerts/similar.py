"""Which decided alerts looked like this one, and what they turned out to be.

The distance is over the features as they were stored when each leading payment was scored, so it
is the same today and in a year, whatever has been trained since. Per feature it is the share of
the compared alerts that lie between the two (Podani, “Extending Gower's general coefficient of
similarity to ordinal characters”, Taxon 48, 1999): a few huge amounts do not make all others equal.
Features weigh the same; weighing them by what moved the score found fewer of the same kind.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from alerts.dispositions import FOUND, JUDGED
from alerts.models import Alert, Profile
from anomalyshield.together import Part

POOL = 500  # decided alerts, the latest: looked through in some milliseconds
SHOWN = 5
ALIKE = 0.75  # below, nobody would call it similar
REASONS = 0.15  # share of the distance that goes by rules and suspicion
NAMED = 3  # features named as alike
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Similar:
    """A decided alert, how alike it is (1: the same in everything), and in what above all."""

    alert: Alert
    likeness: float
    shared: list[str]


@dataclass(frozen=True)
class Likes:
    """The nearest first; how many of them were fraud among those decided one way or the other."""

    rows: list[Similar]
    frauds: int
    judged: int


class Past(NamedTuple):
    """What is compared of a decided alert."""

    alert: int
    vector: Any
    reasons: list[str]
    suspected: str


def similar(alert: Alert, user: Any) -> Part[Likes]:
    """The decided alerts most like it, of those this person sees. Nothing without a vector."""
    own: Profile | None = getattr(alert, "profile", None)
    read = (yield _pool(alert, own, user)) if own else []
    pool = [Past(*row) for row in read]
    if own is None or not pool:
        return Likes([], 0, 0)
    x, moved = _vector(own.vector), _moved(alert)
    apart = differences(x, np.stack([_vector(one.vector) for one in pool]))
    said = _reasons(alert.reason_codes, alert.suspected)
    reasons = np.array([_reasons_apart(said, _reasons(p.reasons, p.suspected)) for p in pool])
    likeness = 1 - (1 - REASONS) * apart.mean(axis=1) - REASONS * reasons
    order = sorted(range(len(pool)), key=lambda n: (-likeness[n], -pool[n].alert))
    near = [n for n in order[:SHOWN] if likeness[n] >= ALIKE]
    ids = [pool[n].alert for n in near]
    found = yield Alert.objects.select_related("closed_by").filter(pk__in=ids)
    alerts = {one.pk: one for one in found}
    rows = [
        Similar(alerts[pool[n].alert], float(likeness[n]), _shared(apart[n], moved)) for n in near
    ]
    outcomes = [one.alert.disposition for one in rows]
    frauds, judged = (sum(one in those for one in outcomes) for those in (FOUND, JUDGED))
    return Likes(rows, frauds, judged)


def differences(x: Vector, rows: Vector) -> Vector:
    """Per row and feature the share of the rows between it and x: 0 is the same, 1 the other end.

    Unknown and unknown are the same; unknown and known are as far apart as can be.
    """
    known = np.maximum((~np.isnan(rows)).sum(axis=0), 1)
    apart = np.abs(_ranks(rows) - (rows < x).sum(axis=0)) / known
    missing, nowhere = np.isnan(rows) != np.isnan(x), np.isnan(rows) & np.isnan(x)
    return np.where(missing, 1.0, np.where(nowhere, 0.0, apart))


def _ranks(rows: Vector) -> NDArray[np.int64]:
    """Per column how many rows are smaller; equal ones have one rank."""
    order = rows.argsort(axis=0)  # NaN comes last
    ordered = np.take_along_axis(rows, order, axis=0)
    first = np.zeros(rows.shape, np.int64)
    first[1:] = np.where(ordered[1:] != ordered[:-1], np.arange(1, len(rows))[:, None], 0)
    ranks = np.empty_like(first)
    np.put_along_axis(ranks, order, np.maximum.accumulate(first, axis=0), axis=0)
    return ranks


def _pool(alert: Alert, own: Profile, user: Any) -> "QuerySet[Profile, Any]":
    """Rows without their models: hundreds of those would take longer than all the rest."""
    closed = Alert.objects.visible_to(user).closed()
    decided = closed.exclude(pk=alert.pk).filter(duplicate_of=None)
    latest = decided.order_by("-closed_at", "-pk").values("pk")[:POOL]
    kept = Profile.objects.filter(alert__in=latest, spec=own.spec)
    columns = ("alert", "vector", "alert__reason_codes", "alert__suspected")
    return kept.values_list(*columns)


def _vector(stored: Any) -> Vector:
    return np.frombuffer(stored, "<f8")


def _moved(alert: Alert) -> Vector | None:
    """What each feature added to its score; None while nothing is explained."""
    from scoring.engine.features import NAMES  # compiles its kernel on import: only when needed

    explanation = getattr(alert.decision, "explanation", None)
    if explanation is None or not explanation.contributions:
        return None
    said = explanation.contributions
    return np.array([float(said.get(name, 0.0)) for name in NAMES])


def _reasons(codes: list[str], suspected: str) -> set[str]:
    return {*codes, suspected} - {""}


def _reasons_apart(here: set[str], there: set[str]) -> float:
    """Jaccard distance of the rules that fired and the suspicion."""
    return 1 - len(here & there) / len(here | there) if here | there else 0.0


def _shared(apart: Vector, moved: Vector | None) -> list[str]:
    """What raised the score here and is nearly the same there, in words."""
    from scoring.engine.features import FEATURES

    if moved is None:
        return []
    raised = [n for n in np.argsort(-moved, kind="stable") if moved[n] > 0 and apart[n] <= 0.25]
    return [FEATURES[n].meaning for n in raised[:NAMED]]
