"""What is known about each feature: who answers for it, how often it is unknown, who reads it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import models, transaction
from django.utils import timezone

from anomalyshield.audit.record import record
from scoring import registry, stability
from scoring.engine import moving
from scoring.engine.bundle import Bundle, Refused
from scoring.engine.families import FAMILIES, Family
from scoring.engine.features import FEATURES, NAMES, Feature, widened, widths
from scoring.models import (
    Ablation,
    FamilyOwner,
    FeatureDay,
    FeatureDrift,
    ModelVersion,
    Snapshot,
)
from scoring.plan_preview import latest_vectors

COUNTED = 20_000  # decisions of a day: the share is known to a third of a per cent
MEASURED = 400  # held-out rows whose contributions are summed up
AT_ONCE = 100  # in a job, which others wait for


@dataclass(frozen=True)
class Known:
    """A feature as its page shows it. None is not known (yet)."""

    feature: Feature
    missing: float | None
    importance: list[tuple[ModelVersion, float | None]]  # None: that model does not read it
    stability: float | None  # index of the last days beside what the champion learnt from

    @property
    def moved(self) -> str:
        """The stability in words; empty where it is not known."""
        return "" if self.stability is None else moving.in_words(self.stability)


@dataclass(frozen=True)
class KnownFamily:
    """A family, its owner, what it adds, and its features."""

    key: str
    family: Family
    owner: Any
    without: float | None  # average precision of a model without it
    gain: float | None
    features: list[Known]

    @property
    def cost(self) -> float | None:
        """What a model gains by doing without it."""
        return None if self.gain is None else -self.gain


def families(
    versions: list[ModelVersion] | None = None, drift: FeatureDrift | None = None
) -> list[KnownFamily]:
    """Everything the feature page says, from a handful of small rows."""
    versions = in_use() if versions is None else versions
    drift = drift or stability.of_champion()
    day, ablation = FeatureDay.objects.first(), Ablation.objects.first()
    owners = {row.family: row.owner for row in FamilyOwner.objects.select_related("owner")}
    by_name = {feature.name: feature for feature in FEATURES}
    return [
        KnownFamily(
            key=key,
            family=family,
            owner=owners.get(key),
            without=(without := ablation.without.get(key) if ablation else None),
            gain=None if without is None or ablation is None else ablation.whole - without,
            features=[
                Known(
                    feature=by_name[name],
                    missing=day.missing.get(name) if day else None,
                    importance=[(one, importance(one, name)) for one in versions],
                    stability=drift.moved.get(name) if drift else None,
                )
                for name in family.features
            ],
        )
        for key, family in FAMILIES.items()
    ]


def in_use() -> list[ModelVersion]:
    """The champion, the shadows, and the latest candidate: what a column of numbers is shown of."""
    state = ModelVersion.State
    found = ModelVersion.objects.filter(state__in=[state.CHAMPION, state.SHADOW, state.CANDIDATE])
    ordered = sorted(found[:20], key=lambda one: (one.state != state.CHAMPION, -one.number))
    return ordered[:3]


def importance(version: ModelVersion, name: str) -> float | None:
    """The feature's share of all that moved the scores; None when it was not measured."""
    shares = version.metrics.get("shares")
    return None if shares is None else float(shares.get(name, 0.0))


def measured_importance(bundle: Bundle, vectors: np.ndarray) -> dict[str, float]:
    """Mean absolute contribution of each feature on some rows, as shares of their sum."""
    if not len(vectors):
        return {}
    rows = vectors[np.linspace(0, len(vectors) - 1, min(MEASURED, len(vectors))).astype(int)]
    strength = np.abs(bundle.ensemble.contributions(rows)[1]).mean(axis=0)
    total = float(strength.sum())
    if not total > 0:
        return {}
    shares = zip(NAMES, (strength / total).tolist(), strict=True)
    return {name: round(share, 5) for name, share in shares if share >= 5e-6}


@transaction.atomic
def measure_unmeasured() -> None:
    """Measure one version in use that came without its importance: a first model, an older one."""
    for version in in_use():
        if "importance" not in version.metrics and (rows := latest_vectors(AT_ONCE)).size:
            try:
                bundle = registry.load(version)
            except Refused:  # named wherever it is loaded to score
                continue
            shares = measured_importance(bundle, rows)
            locked = ModelVersion.objects.select_for_update().get(pk=version.pk)
            locked.metrics["importance"] = shares
            locked.save(update_fields=["metrics"])
            return


@transaction.atomic
def count_missing() -> None:
    """Count the unknown values of the latest day's decisions; a job does it every ten minutes."""
    latest = Snapshot.objects.filter(spec__in=list(widths())).order_by("-day", "-transaction_id")
    newest = latest.values_list("day", flat=True).first()
    if newest is None:
        return
    kept = latest.filter(day=newest).values_list("vector", flat=True)[:COUNTED]
    unknown, rows = np.zeros(len(NAMES)), 0
    for vector in kept.iterator(chunk_size=2_000):
        unknown += np.isnan(widened(np.frombuffer(bytes(vector), "<f8")))
        rows += 1
    shares = zip(NAMES, (unknown / rows).tolist(), strict=True)
    FeatureDay.objects.update_or_create(
        day=newest,
        defaults={
            "rows": rows,
            "missing": {name: round(share, 5) for name, share in shares},
            "counted_at": timezone.now(),
        },
    )


@transaction.atomic
def hand_over(*, by: Any, family: str, to: models.Model) -> FamilyOwner:
    """Make somebody answer for a family."""
    if family not in FAMILIES:
        raise LookupError(family)
    before = FamilyOwner.objects.filter(family=family).select_related("owner").first()
    row, _ = FamilyOwner.objects.update_or_create(
        family=family, defaults={"owner": to, "since": timezone.now()}
    )
    record(
        by=by,
        action="feature.handed_over",
        object=row,
        before={"owner": str(before.owner)} if before else None,
        after={"family": family, "owner": str(to)},
    )
    return row
