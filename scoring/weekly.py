"""Prequential weeks: as if each of the past weeks had been met by a model of the week before."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone

from anomalyshield.audit.record import record
from scoring import comparison, dataset, judging
from scoring.curves import LEAST_FRAUDS, reliability
from scoring.dataset import Dataset
from scoring.engine import training as learning
from scoring.engine.bundle import Bundle
from scoring.engine.ensemble import Scored
from scoring.engine.evaluation_intervals import resampled
from scoring.engine.evaluation_tables import too_good
from scoring.engine.folds import DAY, Fold, Protocol, weekly
from scoring.engine.plan import Plan
from scoring.engine.transaction import EPOCH
from scoring.labels import MATURITY
from scoring.models import ModelVersion

WEEKS, WINDOW = 4, 28  # how many weeks are measured, from how many days each is learnt
SEED = 7
Told = Callable[[int, int, str], None]


class Unmeasurable(Exception):
    """No week has enough to learn from and to measure on; the text says what is missing."""


@dataclass(frozen=True)
class Recipe:
    """How a week's model is made: everything of a version but the data."""

    budget: float
    plan: Plan | None = None
    weeks: int = WEEKS
    preset: str = learning.DEFAULT
    window: int | None = WINDOW
    maturity: timedelta = MATURITY


@dataclass(frozen=True)
class Week:
    """One fold, the model of its week, and what that said of the rows tested."""

    fold: Fold
    bundle: Bundle
    test: Dataset
    said: Scored


def measure(
    data: Dataset, cutoff: datetime, recipe: Recipe, *, told: Told = lambda at, of, what: None
) -> dict[str, Any]:
    """Everything the pages show of the latest matured weeks; raises Unmeasurable.

    Labels count in a week's training only if they were known before it began; users already known
    to be compromised are left out of it. `told` hears which week of how many is being done.
    """
    protocol = Protocol(recipe.window, recipe.maturity / timedelta(days=1))
    until = _midnight(cutoff - recipe.maturity)
    folds = weekly(dataset.outcomes(data), protocol, until=until, weeks=recipe.weeks)
    weeks: list[Week] = []
    for at, fold in enumerate(folds, 1):
        told(at, len(folds), f"week {at} of {len(folds)}: {len(fold.train):,} rows to learn from")
        if week := _week(data, fold, recipe):
            weeks.append(week)
    if not weeks:
        raise Unmeasurable(
            f"In none of the {len(folds)} weeks before {_day(until)} are there {LEAST_FRAUDS} "
            f"known frauds and {learning.LEAST_ROWS} earlier payments to learn from."
        )
    return _summary(weeks, data, recipe)


def _week(data: Dataset, fold: Fold, recipe: Recipe) -> Week | None:
    """None where there is too little to learn from, or too few frauds to measure on."""
    test, train = data.where(_rows(data, fold.test)), data.where(_rows(data, fold.train))
    if test.frauds < LEAST_FRAUDS:
        return None
    try:
        bundle = learning.fit(
            train.vectors,
            fold.labels if fold.labels.sum() else None,
            dataset.clock(train),
            budget=recipe.budget,
            seed=SEED,
            preset=recipe.preset,
            plan=recipe.plan,
            known=fold.known,
        )
    except learning.Untrainable:
        return None
    return Week(fold, bundle, test, bundle.ensemble.score(test.vectors))


def _rows(data: Dataset, numbers: Any) -> Any:
    chosen = np.zeros(len(data), bool)
    chosen[numbers] = True
    return chosen


def _summary(weeks: list[Week], data: Dataset, recipe: Recipe) -> dict[str, Any]:
    rows = [_told(week, recipe.budget) for week in weeks]
    draws = resampled([judging.sample(week.test, week.said.margin) for week in weeks])
    found: dict[str, Any] = {
        "weeks": rows,
        "mean": _mean(rows),
        "intervals": judging.intervals(draws),
        "window": recipe.window,
        "maturity_days": recipe.maturity.days,
        "delays": judging.delays(data),
        "suspicions": list(_suspicions(rows)),
        "at": timezone.now().isoformat(timespec="minutes"),
    }
    return found | _together(weeks, recipe.budget)


def _told(week: Week, budget: float) -> dict[str, Any]:
    fold, said = week.fold, week.said
    per_day = judging.alerts_a_day(week.test, budget)
    draws = resampled([judging.sample(week.test, said.margin)])
    return {
        "from": _day(fold.start),
        "until": _day(fold.end - DAY),
        "kind": week.bundle.kind,
        "trained_rows": len(fold.train),
        "trained_frauds": int(np.sum(fold.labels == 1)),
        "rows": len(week.test),
        "frauds": week.test.frauds,
        "compromised": fold.compromised,
        "per_day": per_day,
        "intervals": judging.intervals(draws),
        "measured": comparison.measured(week.test, said.margin, said.probability, budget, per_day),
    }


def _mean(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Of each measure over the weeks that have it."""
    names = {name: None for row in rows for name in row["measured"]}
    told = {n: [row["measured"][n] for row in rows if n in row["measured"]] for n in names}
    return {name: round(float(np.mean(values)), 6) for name, values in told.items()}


def _together(weeks: list[Week], budget: float) -> dict[str, Any]:
    """Parts of the payments and the calibration, of all weeks together.

    Log-odds of different weeks are on one scale; without labels they are not, and nothing is said.
    """
    warm = [week for week in weeks if week.said.probability is not None]
    if not warm:
        return {}
    joined = Dataset(
        *(np.concatenate(columns) for columns in zip(*(_columns(w) for w in warm), strict=True))
    )
    margins = np.concatenate([week.said.margin for week in warm])
    probability = np.concatenate([week.said.probability for week in warm])
    told = {"reliability": reliability(joined.labels, probability)}
    return told | judging.parts(joined, margins, budget)


def _columns(week: Week) -> list[Any]:
    return list(vars(week.test).values())


def _suspicions(rows: list[dict[str, Any]]) -> list[str]:
    """A week that is better than the one before by more than methods and chance explain."""
    found: list[str] = []
    for before, row in zip([None, *rows], rows, strict=False):
        like = before is not None and before["kind"] == row["kind"]
        level = before["measured"]["ap"] if before and like else None
        sure = row["intervals"].get("ap", [0, 0, 0])[1]
        beside = {} if level is None or sure <= level else {"the week before": level}
        found += [
            f"in the week of {row['from']} {why}" for why in too_good(row["measured"]["ap"], beside)
        ]
    return found


@transaction.atomic
def keep(*, by: Any, version: ModelVersion, found: dict[str, Any]) -> None:
    """Keep it with the version, for its page and its card."""
    version = ModelVersion.objects.select_for_update().get(pk=version.pk)
    version.metrics["weekly"] = found
    version.save(update_fields=["metrics"])
    record(
        by=by,
        action="model.measured",
        object=version,
        after={"weeks": len(found["weeks"]), "average_precision": found["mean"]["ap"]},
    )


def _midnight(moment: datetime) -> int:
    """The last one before it, as the engine counts: microseconds since 2000."""
    return round((moment - EPOCH).total_seconds() * 1e6) // DAY * DAY


def _day(moment: int) -> str:
    return f"{EPOCH + timedelta(microseconds=int(moment)):%Y-%m-%d}"
