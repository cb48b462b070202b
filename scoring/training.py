"""From labels to a candidate: a claimed row with progress, measured beside the champion."""

import shutil
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from anomalyshield import bell, leases
from anomalyshield.audit.record import record
from anomalyshield.leases import advance, finish
from scoring import comparison, dataset, feature_pipelines, plans, registry, stability, weekly
from scoring.dataset import Dataset, Split
from scoring.doubts import compared
from scoring.engine import lane, presets
from scoring.engine import training as learning
from scoring.engine.bundle import Bundle
from scoring.labels import MATURITY
from scoring.models import FeaturePipeline, ModelVersion, TrainingRun

SEED = 7
State = TrainingRun.State


@transaction.atomic
def ask(
    *,
    by: Any,
    maturity_days: int = MATURITY.days,
    budget: float | None = None,
    novelty: float | None = None,
    until: datetime | None = None,
    weeks: int = 0,
    preset: str = learning.DEFAULT,
) -> TrainingRun:
    """Have a model trained. While one waits to be trained, asking again gives that one.

    `until` learns as if it were that moment: later events and labels that became known later are
    not there, which is how a past is tested honestly. `novelty` is the share of the budget left to
    the novelty lane; without one it is the champion's, else the default. So many past `weeks` are
    measured, too, each with a model of its own (`weekly`). A `preset` other than the default trains
    the weighted mean of that name. ValueError if there is none, or if the share cannot be.
    """
    if preset not in preset_names():
        raise ValueError(f"there is no preset {preset}")
    if novelty is not None and not 0 <= novelty <= lane.MOST:
        raise ValueError(f"the novelty lane's share is from 0 to {lane.MOST:g}")
    whole = TrainingRun.objects.exclude(options__has_key="update_of")
    waiting = whole.filter(state=State.READY, attempts=0).first()
    if waiting is not None:
        return waiting
    run = TrainingRun.objects.create(
        asked_by=by if isinstance(by, models.Model) else None,
        options={
            "maturity_days": maturity_days,
            "budget": budget or default_budget(),
            "novelty": default_novelty() if novelty is None else novelty,
            "pipeline": feature_pipelines.active().number,
            **({"until": until.isoformat()} if until else {}),
            **({"weeks": weeks} if weeks else {}),
            **({"preset": preset} if preset != learning.DEFAULT else {}),
        },
        message="Waiting for a worker",
    )
    record(by=by, action="model.training_asked", object=run, after=run.options)
    bell.leave("training")
    return run


@transaction.atomic
def cancel(*, by: Any, run: TrainingRun) -> bool:
    """Stop a training, or an update, that nobody wants any more; False if it has ended.

    The process that learns notices at its next word of progress and lets go of what it had.
    """
    if not leases.cancel(run):
        return False
    run.refresh_from_db()
    after = {"progress": run.progress}
    record(by=by, action="model.training_cancelled", object=run, after=after)
    return True


def preset_names() -> list[str]:
    """What can be asked for by name, the default first."""
    return [learning.DEFAULT, *(preset.name for preset in presets.PRESETS)]


def default_budget() -> float:
    """The champion's share of transactions for people, else the installation's."""
    reigning = ModelVersion.objects.filter(state=ModelVersion.State.CHAMPION).first()
    known = (reigning.metrics if reigning else {}).get("budget")
    return float(known or settings.ALERT_BUDGET)


def default_novelty() -> float:
    """The champion's share of the budget for the novelty lane, else the default.

    A champion that learnt without labels has no lane and says nothing about one.
    """
    reigning = ModelVersion.objects.filter(state=ModelVersion.State.CHAMPION).first()
    return float((reigning.metrics if reigning else {}).get("novelty", lane.SHARE))


def perform(run: TrainingRun) -> None:
    """Learn, measure, register; or say why there is nothing to register."""
    advance(run, begun_at=timezone.now())
    if "update_of" in run.options:
        from scoring import updating  # which tells of its progress by this module

        updating.perform(run)
        return
    tell(run, 0.02, "Reading stored vectors and labels")
    maturity = timedelta(days=run.options.get("maturity_days", MATURITY.days))
    until = run.options.get("until")
    cutoff = datetime.fromisoformat(until) if until else timezone.now()
    data, reigning = dataset.read(cutoff, maturity), registry.champion()
    # A champion that learnt without labels has seen rows, but of none what it was: no reason to
    # wait for months until there are frauds it cannot know.
    taught = reigning is not None and reigning.version.kind != "cold"
    unseen_from = reigning.version.learnt_until if taught and reigning else 0.0
    part = dataset.split(data, cutoff, maturity, unseen_from=unseen_from)
    if reason := _pointless(part, run):
        end(run, reason)
        return
    advance(run, rows=len(part.train))
    try:
        bundle = _fit(run, part)
    except (learning.Untrainable, plans.Unreadable) as reason:
        end(run, str(reason))
        return
    tell(run, 0.7, "Measuring on the held-out rows, beside the champion")
    metrics = comparison.report(part, bundle, reigning, budget=run.options["budget"])
    _enter(run, part, bundle, metrics | _weeks(run, data, cutoff, maturity))


def _pointless(part: Split, run: TrainingRun) -> str:
    """Why this training would be for nothing, or an empty text."""
    if not len(part.train):
        return "Nothing to learn from: no transaction has been scored yet."
    anew = ModelVersion.objects.filter(update_of=None)
    last = anew.exclude(state=ModelVersion.State.REJECTED).first()
    if last is None or last.metrics.get("recipe") != _recipe(part, run):
        return ""
    waiting = f" Labels too young to be learnt from: {part.waiting}." if part.waiting else ""
    return f"Nothing changed since {last}: the same transactions, the same labels.{waiting}"


def _recipe(part: Split, run: TrainingRun) -> dict[str, Any]:
    """What a training is made of: the same again would give the same model."""
    return {
        "digest": part.digest,
        "budget": run.options["budget"],
        "novelty": novelty_of(run),
        "pipeline": pipeline_of(run).sha256,
        **({"preset": run.options["preset"]} if "preset" in run.options else {}),
    }


def novelty_of(run: TrainingRun) -> float:
    """The lane's share; a run asked for before there was a lane has none."""
    return float(run.options.get("novelty", 0.0))


def pipeline_of(run: TrainingRun) -> FeaturePipeline:
    """The pipeline that was in force when it was asked for."""
    asked = FeaturePipeline.objects.filter(number=run.options.get("pipeline"))
    return asked.first() or feature_pipelines.active()


def _fit(run: TrainingRun, part: Split) -> Bundle:
    def progress(share: float, message: str = "Learning") -> None:
        tell(run, 0.1 + 0.6 * share, message)

    labels = part.train.labels
    return learning.fit(
        part.train.vectors,
        labels if np.nansum(labels) else None,
        dataset.clock(part.train),
        budget=run.options["budget"],
        novelty=novelty_of(run),
        seed=SEED,
        preset=run.options.get("preset", learning.DEFAULT),
        plan=feature_pipelines.plan_of(pipeline_of(run)),
        known=dataset.outcomes(part.train).known,
        progress=progress,
    )


def _weeks(
    run: TrainingRun, data: Dataset, cutoff: datetime, maturity: timedelta
) -> dict[str, Any]:
    """The past weeks, if they were asked for and there is enough in them."""
    if not run.options.get("weeks"):
        return {}
    plan = feature_pipelines.plan_of(pipeline_of(run))
    budget, asked = run.options["budget"], run.options["weeks"]
    recipe = weekly.Recipe(
        budget=budget,
        plan=plan,
        weeks=asked,
        maturity=maturity,
        preset=run.options.get("preset", learning.DEFAULT),
    )

    def told(at: int, of: int, what: str) -> None:
        tell(run, 0.75 + 0.2 * at / of, f"Measuring {what}")

    try:
        return {"weekly": weekly.measure(data, cutoff, recipe, told=told)}
    except weekly.Unmeasurable as reason:
        return {"weekly_note": str(reason)}


def _enter(run: TrainingRun, part: Split, bundle: Bundle, metrics: dict[str, Any]) -> None:
    """Version, verdict and end of the run in one transaction; without it no trace on disk."""
    place = registry.put_down(bundle)
    try:
        with transaction.atomic():
            version = registry.register(
                bundle,
                run,
                place=place,
                kind=bundle.kind,
                metrics=metrics | _asked_for(run, part),
                pipeline=pipeline_of(run),
                cutoff=part.cutoff,
                trained_rows=len(part.train),
                trained_frauds=part.train.frauds,
            )
            stability.remember(version, part.train.vectors)
            verdict = verdict_of(metrics)
            finish(run, result=version, verdict=verdict, progress=1.0, message="Done")
    except BaseException:
        shutil.rmtree(settings.BUNDLES / place[0], ignore_errors=True)
        raise


def _asked_for(run: TrainingRun, part: Split) -> dict[str, Any]:
    """What a later training takes over from this one, or compares itself with."""
    told = {"recipe": _recipe(part, run), "learnt_until": part.test_from}
    return told | {"novelty": novelty_of(run)}


def verdict_of(metrics: dict[str, Any]) -> str:
    """How it compares with the champion, in words and with the range of the difference.

    The better one of two is named only where users drawn again and again agree. It is kept in any
    case; what looks too good says so first.
    """
    own, rival = metrics["measured"].get("ap"), metrics.get("champion")
    if own is None:
        return "Not comparable: too few matured labels among the held-out rows."
    first = "Too good? Check for a leak. " if metrics.get("suspicions") else ""
    if rival is None:
        return f"{first}No champion to compare with: average precision {own:.3f}."
    if "paired" not in rival:
        return f"{first}Not comparable with v{rival['number']}: too few users with frauds."
    return first + compared(metrics)


@transaction.atomic
def end(run: TrainingRun, verdict: str) -> None:
    """Nothing is made, and this is why."""
    finish(run, verdict=verdict, progress=1.0, message="Done")
    record(by=run.asked_by or "worker", action="model.training_ended", object=run, reason=verdict)


def tell(run: TrainingRun, progress: float, message: str) -> None:
    """Write the progress down; raises LeaseLost when this run is somebody else's by now."""
    advance(run, progress=round(progress, 3), message=message[:200])
