"""Which decided alerts looked like this one, and what they turned out to be.

The distance is over the features as they were stored when each leading payment was scored, so it
is the same today and in a year, whatever has been trained since. Per feature it is the difference
in units of the spread among those compared, at most 1 (Gower, “A general coefficient of similarity
and some of its properties”, Biometrics 27, 1971); what moved this alert's own score weighs most.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alerts.models import Alert, Profile
from scoring.models import Explanation

POOL = 1_000  # decided alerts, the latest: looked through in some milliseconds
SHOWN = 5
ALIKE = 0.6  # below, nobody would call it similar
OWN = 0.8  # share of the weight that goes by what moved the score of this alert
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


def similar(alert: Alert, user: Any) -> Likes:
    """The decided alerts most like it, of those this person sees. Nothing without a vector."""
    own = Profile.objects.filter(alert=alert).first()
    pool = _pool(alert, own, user) if own else []
    if own is None or not pool:
        return Likes([], 0, 0)
    x, moved = _vector(own.vector), _moved(alert)
    apart = differences(x, np.stack([_vector(one.vector) for one in pool]))
    said = _reasons(alert.reason_codes, alert.suspected)
    reasons = np.array([_reasons_apart(said, _reasons(p.reasons, p.suspected)) for p in pool])
    likeness = 1 - (1 - REASONS) * (apart @ _weights(moved, x.size)) - REASONS * reasons
    order = sorted(range(len(pool)), key=lambda n: (-likeness[n], -pool[n].alert))
    near = [n for n in order[:SHOWN] if likeness[n] >= ALIKE]
    alerts = Alert.objects.select_related("closed_by").in_bulk([pool[n].alert for n in near])
    rows = [
        Similar(alerts[pool[n].alert], float(likeness[n]), _shared(apart[n], moved)) for n in near
    ]
    outcomes = [one.alert.disposition for one in rows]
    judged = sum(one != Alert.Disposition.INCONCLUSIVE for one in outcomes)
    return Likes(rows, outcomes.count(Alert.Disposition.TRUE_POSITIVE_FRAUD), judged)


def differences(x: Vector, rows: Vector) -> Vector:
    """Per row and feature from 0, the same, to 1: as far apart as the middle half spreads.

    Unknown and unknown are the same; unknown and known are not.
    """
    apart = np.minimum(np.abs(rows - x) / _spread(rows), 1.0)
    missing = np.isnan(rows) != np.isnan(x)
    return np.where(missing, 1.0, np.nan_to_num(apart, nan=0.0))


def _spread(rows: Vector) -> Vector:
    """Of each feature's known values: the middle half, or all of them if that has no width."""
    ordered, columns = np.sort(rows, axis=0), np.arange(rows.shape[1])  # NaN comes last
    last = np.maximum(rows.shape[0] - np.isnan(rows).sum(axis=0) - 1, 0)
    low, high = ordered[last // 4, columns], ordered[last - last // 4, columns]
    half, whole = high - low, ordered[last, columns] - ordered[0]
    return np.where(half > 0, half, np.where(whole > 0, whole, 1.0))


def _pool(alert: Alert, own: Profile, user: Any) -> list[Past]:
    """Rows without their models: a thousand of those would take longer than all the rest."""
    decided = Alert.objects.visible_to(user).closed().exclude(pk=alert.pk)
    latest = decided.order_by("-closed_at", "-pk").values("pk")[:POOL]
    kept = Profile.objects.filter(alert__in=latest, spec=own.spec)
    columns = ("alert", "vector", "alert__reason_codes", "alert__suspected")
    return [Past(*row) for row in kept.values_list(*columns)]


def _vector(stored: Any) -> Vector:
    return np.frombuffer(stored, "<f8")


def _moved(alert: Alert) -> Vector | None:
    """What each feature added to its score; None while nothing is explained."""
    from scoring.engine.features import NAMES  # compiles its kernel on import: only when needed

    explanation = Explanation.objects.filter(decision=alert.decision_id).first()
    if explanation is None or not explanation.contributions:
        return None
    said = explanation.contributions
    return np.array([float(said.get(name, 0.0)) for name in NAMES])


def _weights(moved: Vector | None, size: int) -> Vector:
    even = np.full(size, 1 / size)
    if moved is None or moved.size != size or not np.abs(moved).sum():
        return even
    return OWN * np.abs(moved) / np.abs(moved).sum() + (1 - OWN) * even


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
