"""What moves the scores of a version over all: by feature and by family, in log-odds."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction

from scoring import registry
from scoring.engine.bundle import Bundle, Refused
from scoring.engine.families import FAMILIES, Family
from scoring.engine.features import NAMES, column
from scoring.models import ModelVersion
from scoring.plan_preview import latest_vectors

log = logging.getLogger(__name__)
ROWS = 400  # whose contributions are summed up: a mean is known to a twentieth of its spread
AT_ONCE = 100  # in a job, which others wait for
LEAST = 5e-6  # log-odds; less is not kept


@dataclass(frozen=True)
class Moves:
    """A feature or a family, its mean absolute contribution, and its share of all of them."""

    name: str
    mean: float | None  # log-odds; None for a version measured before that was kept
    share: float


def measured(bundle: Bundle, vectors: np.ndarray) -> dict[str, Any]:
    """Mean absolute contributions on rows spread evenly over these; empty without any.

    The parts of a family are added up within each row before their size is taken: what two
    features say against each other moves no score.
    """
    if not len(vectors):
        return {}
    rows = vectors[np.linspace(0, len(vectors) - 1, min(ROWS, len(vectors))).astype(int)]
    try:
        parts = bundle.ensemble.contributions(rows)[1]
    except ArithmeticError as error:  # a version that scores is not lost for that
        log.warning("what moves the scores is not measured: %s", error)
        return {}
    means = np.abs(parts).mean(axis=0)
    families = {
        key: float(np.abs(parts[:, [column(name) for name in family.features]].sum(axis=1)).mean())
        for key, family in FAMILIES.items()
    }
    return {
        "rows": len(rows),
        "features": _kept(dict(zip(NAMES, means.tolist(), strict=True))),
        "families": _kept(families),
    }


def _kept(means: dict[str, float]) -> dict[str, float]:
    return {name: round(mean, 6) for name, mean in means.items() if mean >= LEAST}


def shares(metrics: dict[str, Any]) -> dict[str, float] | None:
    """Each feature's share of all that moves the scores; None where it was not measured."""
    found = metrics.get("importance") or metrics.get("shares")
    if found and "features" in found:
        return _shares(found["features"])
    return found or None  # shares alone: of a version trained before log-odds were kept


def _means(metrics: dict[str, Any], what: str) -> dict[str, float]:
    found: dict[str, float] = (metrics.get("importance") or {}).get(what, {})
    return found


def _shares(means: dict[str, float]) -> dict[str, float]:
    whole = sum(means.values()) or 1.0
    return {name: mean / whole for name, mean in means.items()}


def of_features(metrics: dict[str, Any]) -> list[Moves]:
    """Every feature that moves the scores, the strongest first."""
    means = _means(metrics, "features")
    found = (Moves(name, means.get(name), share) for name, share in (shares(metrics) or {}).items())
    return sorted(found, key=lambda one: (-one.share, one.name))


def of_families(metrics: dict[str, Any]) -> list[tuple[Family, Moves]]:
    """Every family that does; their shares are of the families' own sum."""
    means = _means(metrics, "families")
    found = [
        (FAMILIES[key], Moves(key, means[key], share))
        for key, share in _shares(means).items()
        if key in FAMILIES
    ]
    return sorted(found, key=lambda one: -one[1].share)


@transaction.atomic
def measure_unmeasured() -> None:
    """Measure one version in use that came without its importance: a first model, an older one."""
    for version in in_use():
        if "importance" not in version.metrics and (rows := latest_vectors(AT_ONCE)).size:
            try:
                bundle = registry.load(version)
            except Refused:  # named wherever it is loaded to score
                continue
            found = measured(bundle, rows)
            locked = ModelVersion.objects.select_for_update().get(pk=version.pk)
            locked.metrics["importance"] = found
            locked.save(update_fields=["metrics"])
            return


def in_use() -> list[ModelVersion]:
    """The champion, the shadows, and the latest candidate: what a column of numbers is shown of."""
    state = ModelVersion.State
    found = ModelVersion.objects.filter(state__in=[state.CHAMPION, state.SHADOW, state.CANDIDATE])
    ordered = sorted(found[:20], key=lambda one: (one.state != state.CHAMPION, -one.number))
    return ordered[:3]
