"""The champion goes on learning: a cheap update from the latest labels, in shadow at first.

An update is a version of its own. It scores along until known frauds say how it compares with what
decided; then it is proposed, or withdrawn with the reason. Two people promote it like any other.
"""

import shutil
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from anomalyshield import bell
from anomalyshield.audit.record import record
from anomalyshield.leases import advance, finish
from scoring import dataset, promotions, registry, stability, training
from scoring.dataset import Dataset
from scoring.engine import updating as engine
from scoring.engine.bundle import Bundle
from scoring.labels import MATURITY, matured_until
from scoring.models import ModelVersion, TrainingRun
from scoring.registry import Loaded

RECENT = timedelta(days=28)  # of matured payments are learnt from; the trees know what was before
MOST_UPDATES = 8  # one on the other; then, or after so many days, a model is made anew
OLDEST = timedelta(days=28)
PAUSE = timedelta(days=7)  # between two trainings that nobody asked for
BY = "schedule"
State = ModelVersion.State


class Refused(Exception):
    """The champion cannot be updated now; the message is a sentence for the person who asked."""


@transaction.atomic
def ask(*, by: Any, maturity_days: int = MATURITY.days) -> TrainingRun:
    """Have the champion updated. While an update waits to be made, asking again gives that one."""
    champion = ModelVersion.objects.filter(state=State.CHAMPION).first()
    if champion is None or champion.kind != "warm":
        raise Refused("Only a champion that learnt from labels can be updated. Train a candidate.")
    if champion.update_number >= MOST_UPDATES:
        raise Refused(f"{champion} was updated {MOST_UPDATES} times. Train a candidate anew.")
    if shadow := in_shadow().first():
        raise Refused(f"{shadow} is an update in shadow already. It has to be judged first.")
    waiting = TrainingRun.objects.filter(
        state=TrainingRun.State.READY, options__update_of=champion.number
    )
    if found := waiting.first():
        return found
    run = TrainingRun.objects.create(
        asked_by=by if isinstance(by, models.Model) else None,
        options={
            "update_of": champion.number,
            "maturity_days": maturity_days,
            "budget": float(champion.metrics.get("budget") or training.default_budget()),
        },
        message="Waiting for a worker",
    )
    record(by=by, action="model.update_asked", object=run, after=run.options)
    bell.leave("training")
    return run


def updatable() -> ModelVersion | None:
    """The champion, if updates can go on from it and none scores along already."""
    champion = ModelVersion.objects.filter(state=State.CHAMPION, kind="warm").first()
    if champion is None or champion.update_number >= MOST_UPDATES or in_shadow().exists():
        return None
    return champion


def in_shadow() -> models.QuerySet[ModelVersion]:
    """Updates that score along, the latest first."""
    return ModelVersion.objects.filter(state=State.SHADOW, update_of__isnull=False)


def perform(run: TrainingRun) -> None:
    """Learn what the latest labels add and put the update into shadow; or say why there is none."""
    base, maturity = registry.champion(), timedelta(days=run.options["maturity_days"])
    if base is None or not _decides(base.version, run.options["update_of"]):
        training.end(run, f"v{run.options['update_of']} does not decide any more.")
        return
    training.tell(run, 0.02, "Reading the latest vectors and labels")
    cutoff = timezone.now()
    matured = matured_until(cutoff, maturity)
    data = dataset.read(cutoff, maturity, since=matured - RECENT)
    data = data.where(data.times < matured.timestamp())

    advance(run, rows=len(data))

    def progress(share: float, message: str) -> None:
        training.tell(run, 0.2 + 0.7 * share, message)

    try:
        bundle = engine.update(
            base.bundle,
            data.vectors,
            data.labels,
            dataset.clock(data),
            known=dataset.outcomes(data).known,
            progress=progress,
        )
    except engine.Unchanged as reason:
        training.end(run, str(reason))
        return
    _enter(run, base, data, bundle)


def _decides(version: ModelVersion, number: int) -> bool:
    """A former champion that stands in for a damaged one is nothing to go on from."""
    return version.state == State.CHAMPION and version.number == number


def _enter(run: TrainingRun, base: Loaded, data: Dataset, bundle: Bundle) -> None:
    """Version, shadow and end of the run in one transaction; without it no trace on disk."""
    place = registry.put_down(bundle)
    try:
        with transaction.atomic():
            version = registry.register(
                bundle,
                run,
                place=place,
                kind=bundle.kind,
                metrics=_metrics(base.version, bundle),
                update_of=base.version,
                pipeline=base.version.pipeline,
                cutoff=timezone.now(),
                trained_rows=len(data),
                trained_frauds=data.frauds,
            )
            stability.remember(version, data.vectors)
            promotions.set_shadow(by=run.asked_by or "worker", version=version, on=True)
            verdict = f"An update of {base.version}: it scores along until labels judge it."
            finish(run, result=version, verdict=verdict, progress=1.0, message="Done")
    except BaseException:
        shutil.rmtree(settings.BUNDLES / place[0], ignore_errors=True)
        raise


def _metrics(base: ModelVersion, bundle: Bundle) -> dict[str, Any]:
    """What its page shows; nothing is measured on rows held out, for it has learnt from them."""
    measured = bundle.metrics
    return {
        "budget": bundle.manifest["budget"],
        "novelty": bundle.manifest.get("novelty", 0.0),
        "kind": bundle.kind,
        "note": f"An update of {base}.",
        "update": {
            **bundle.manifest["update"],
            "of": base.number,
            "before": measured["before_average_precision"],
            "after": measured["average_precision"],
        },
        **({"lane": base.metrics["lane"]} if base.metrics.get("lane") else {}),
    }


def daily() -> None:
    """Judge what scores along; when nothing does, have the champion updated, or made anew."""
    from scoring import judgement  # asks this module who scores along

    if not settings.UPDATES:
        return
    for version in in_shadow():
        judgement.judge(version=version)
    champion = ModelVersion.objects.filter(state=State.CHAMPION, kind="warm").first()
    if champion is None or in_shadow().exists():
        return
    if is_old(champion):
        _anew()
    else:
        ask(by=BY)


def is_old(champion: ModelVersion) -> bool:
    """Whether updates are no longer enough: there were many, or its first training is long ago."""
    first = champion
    while first.update_of is not None:
        first = first.update_of
    return champion.update_number >= MOST_UPDATES or first.cutoff < timezone.now() - OLDEST


def _anew() -> None:
    whole = TrainingRun.objects.exclude(options__has_key="update_of")
    if not whole.filter(asked_at__gt=timezone.now() - PAUSE).exists():
        training.ask(by=BY)
