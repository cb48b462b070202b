"""Model versions: numbered, kept on disk, verified before use."""

import hashlib
import logging
import secrets
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import models, transaction

from anomalyshield.audit.record import record
from anomalyshield.locks import one_at_a_time
from scoring.engine import bundle as bundles
from scoring.engine.bundle import Bundle
from scoring.models import ModelVersion, TrainingRun

log = logging.getLogger(__name__)
State = ModelVersion.State


class Loaded(NamedTuple):
    """A version together with its verified bundle."""

    version: ModelVersion
    bundle: Bundle


def signing_key() -> bytes:
    """Signs bundles, so that only what this installation trained is ever loaded."""
    return hashlib.sha256(b"anomalyshield.bundle\0" + settings.SECRET_KEY.encode()).digest()


def folder_of(version: ModelVersion) -> Path:
    return settings.BUNDLES / version.folder


def load(version: ModelVersion) -> Bundle:
    """The bundle of a version, exactly as registered. Raises `engine.bundle.Refused`."""
    return bundles.load(folder_of(version), key=signing_key(), sha256=version.sha256)


def champion() -> Loaded | None:
    """The champion, verified. One that is refused is named in the log and the one before it serves.

    None: there is no usable model, and every score is degraded.
    """
    for version in [*ModelVersion.objects.filter(state=State.CHAMPION), *former_champions()]:
        try:
            return Loaded(version, load(version))
        except bundles.Refused as reason:
            log.error("Model %s is refused: %s", version, reason)
    return None


def former_champions() -> models.QuerySet[ModelVersion]:
    """Latest first. One that was rolled back has no `champion_since` and is not among them."""
    former = ModelVersion.objects.filter(state=State.RETIRED, champion_since__isnull=False)
    return former.order_by("-champion_since")


def put_down(bundle: Bundle) -> tuple[str, str]:
    """Write a bundle into a folder of its own: the folder's name and the manifest's SHA-256."""
    name = f"bundle-{secrets.token_hex(8)}"
    settings.BUNDLES.mkdir(parents=True, exist_ok=True)
    return name, bundles.save(bundle, settings.BUNDLES / name, key=signing_key())


@transaction.atomic
def register(
    bundle: Bundle,
    run: TrainingRun | None = None,
    *,
    place: tuple[str, str] | None = None,
    by: Any = None,
    **facts: Any,
) -> ModelVersion:
    """Enter a bundle as the next candidate; `place` is where `put_down` has written it."""
    folder, sha256 = place or put_down(bundle)
    trainer = by or (run.asked_by if run else None) or "command"
    version = ModelVersion.objects.create(
        number=_next_number(),
        folder=folder,
        sha256=sha256,
        trained_by=trainer if isinstance(trainer, models.Model) else None,
        **facts,
    )
    record(
        by=trainer,
        action="model.trained",
        object=version,
        after={"version": version.number, "sha256": sha256, "kind": version.kind},
    )
    return version


def _next_number() -> int:
    one_at_a_time("model number")  # two trainings that end at once must not share one
    last = ModelVersion.objects.aggregate(last=models.Max("number"))["last"]
    return (last or 0) + 1
