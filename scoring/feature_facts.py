"""What is known about each feature: who answers for it, how often it is unknown, who reads it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import models, transaction
from django.utils import timezone

from anomalyshield.audit.record import record
from anomalyshield.together import answered, first
from scoring import importance
from scoring.engine import moving
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

COUNTED = 20_000  # decisions of a day: the share is known to a third of a per cent


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


def families(versions: list[ModelVersion], drift: FeatureDrift | None) -> list[KnownFamily]:
    """Everything the feature page says, from a handful of small rows."""
    days, ablations, owned = answered(
        (
            FeatureDay.objects.all()[:1],
            Ablation.objects.all()[:1],
            FamilyOwner.objects.select_related("owner"),
        )
    )
    day, ablation = first(days), first(ablations)
    owners = {row.family: row.owner for row in owned}
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
                    importance=[(one, importance_of(one, name)) for one in versions],
                    stability=drift.moved.get(name) if drift else None,
                )
                for name in family.features
            ],
        )
        for key, family in FAMILIES.items()
    ]


def importance_of(version: ModelVersion, name: str) -> float | None:
    """The feature's share of all that moved the scores; None when it was not measured."""
    shares = importance.shares(version.metrics)
    return None if shares is None else float(shares.get(name, 0.0))


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
