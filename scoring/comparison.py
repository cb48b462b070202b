"""How good a version is on rows it has not learnt from, and how that reads beside the champion."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

from scoring import dataset, importance, judging, novelty, registry
from scoring.curves import LEAST_FRAUDS, curves, precision_recall, roc
from scoring.dataset import Dataset, Split
from scoring.doubts import suspicions
from scoring.engine import evaluation
from scoring.engine.bundle import Bundle
from scoring.engine.ensemble import Scored
from scoring.engine.evaluation_intervals import resampled, verdict
from scoring.exchange import by_amount, exchanged, overlap
from scoring.models import ModelVersion
from scoring.registry import Loaded

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """One number of the table: where it is kept, its name, what it says, which way is better."""

    key: str
    title: str
    hint: str
    share: bool = True  # shown as a percentage
    lower: bool = False  # the lower the better
    tile: bool = False
    target: float | None = None  # the nearer to it the better


MEASURES = [
    Measure(
        "ap",
        _("Average precision"),
        _("Precision averaged over all frauds found"),
        False,
        tile=True,
    ),
    Measure(
        "auc", "ROC AUC", _("Chance that a fraud scores above a genuine one"), False, tile=True
    ),
    Measure("precision_at_5", _("Precision at 5 %"), _("Frauds among the top 5 %"), tile=True),
    Measure("recall_at_5", _("Recall at 5 %"), _("Share of frauds in the top 5 %"), tile=True),
    Measure("f1_at_5", _("F1 at 5 %"), _("Precision and recall at 5 % in one")),
    Measure(
        "precision_at_budget", _("Precision at the alert budget"), _("Frauds among its alerts")
    ),
    Measure(
        "recall_at_budget", _("Recall at the alert budget"), _("Share of frauds it would show")
    ),
    Measure(
        "value_at_budget", _("Value recall at the budget"), _("Share of the stolen money it shows")
    ),
    Measure("f1_at_budget", _("F1 at the alert budget"), _("Precision and recall in one")),
    Measure("recall_at_fpr_01", _("Recall at 0.1 % false alarms"), _("Frauds found meanwhile")),
    Measure("recall_at_fpr_05", _("Recall at 0.5 % false alarms"), _("Frauds found meanwhile")),
    Measure("recall_at_fpr_1", _("Recall at 1 % false alarms"), _("Frauds found meanwhile")),
    Measure("card_precision", _("Card precision a day"), _("Stolen cards among those looked at")),
    Measure("value_by_team", _("Value found by the team"), _("Stolen money on cards it looked at")),
    Measure("episodes_by_team", _("Episodes found by the team"), _("Chains of frauds of one user")),
    Measure(
        "first_by_team", _("Found at the first fraud"), _("Episodes found on their first payment")
    ),
    Measure(
        "ece", _("Calibration error"), _("Mean gap of foretold and found (ECE)"), False, lower=True
    ),
    Measure("brier", _("Brier score"), _("Mean squared error of probabilities"), False, lower=True),
    Measure(
        "foretold", _("Foretold over found"), _("Mean probability over frauds"), False, target=1.0
    ),
]


def report(
    part: Split, bundle: Bundle, champion: Loaded | None, *, budget: float
) -> dict[str, Any]:
    """Everything the pages show about a candidate, measured on the held-out rows."""
    own = bundle.ensemble.score(part.test.vectors)
    held = part.test if len(part.test) else part.train
    per_day = judging.alerts_a_day(part.test, budget) if len(part.test) else None
    found: dict[str, Any] = {
        "budget": budget,
        "per_day": per_day,
        "kind": bundle.kind,
        "members": [member.name for member in bundle.ensemble.members if member.weight > 0],
        "shares": {one.name: one.weight for one in bundle.ensemble.members if one.weight > 0},
        "heldout": _heldout(part),
        "measured": measured(part.test, own.risk_score, own.probability, budget, per_day),
        "curves": curves(part.test, own.risk_score, own.probability),
        "importance": importance.measured(bundle, held.vectors),
        "champion": None,
        "note": bundle.manifest.get("note", ""),
        **(novelty.heldout(part.test, bundle.ensemble, own, budget) if len(part.test) else {}),
    }
    if part.test.frauds >= LEAST_FRAUDS:
        found |= judging.parts(part.test, own.risk_score, budget)
    if champion and len(part.test):
        found |= beside(part.test, own, champion, budget, per_day)
    elif part.test.frauds >= LEAST_FRAUDS:
        draws = resampled([judging.sample(part.test, own.margin)])
        found["intervals"] = judging.intervals(draws)
    return found | {"suspicions": suspicions(found)}


def compare(candidate: Loaded, champion: Loaded) -> dict[str, Any]:
    """Both on the same rows: the latest matured ones that neither has learnt from."""
    cutoff = timezone.now()
    unseen_from = max(candidate.version.learnt_until, champion.version.learnt_until)
    part = dataset.split(dataset.read(cutoff), cutoff, unseen_from=unseen_from)
    budget = float(candidate.version.metrics["budget"])
    return report(part, candidate.bundle, champion, budget=budget)


def renew(version: ModelVersion) -> None:
    """Measure a version beside today's champion, when it was measured beside another one.

    Whoever approves a promotion compares with what would be replaced. With no rows that both can be
    measured on, the old numbers stay, under the name of the champion they were taken beside.
    """
    champion = registry.champion()
    rival = version.metrics.get("champion") or {}
    if champion is None or champion.version.number in {version.number, rival.get("number")}:
        return
    found = compare(Loaded(version, registry.load(version)), champion)
    if found["measured"]:
        version.metrics |= found
        version.save(update_fields=["metrics"])


def measured(
    test: Dataset,
    scores: Floats,
    probability: Floats | None,
    budget: float,
    per_day: int | None = None,
) -> dict[str, float]:
    """The numbers of MEASURES that can be said; too few frauds say nothing."""
    if test.frauds < LEAST_FRAUDS:
        return {}
    at_five, at_budget = (
        evaluation.at_share(test.labels, scores, share) for share in (0.05, budget)
    )
    top = np.argsort(-scores, kind="stable")[: round(len(scores) * budget)]
    stolen = test.amounts * (test.labels == 1)
    numbers = {
        "ap": evaluation.average_precision(test.labels, scores),
        "auc": evaluation.roc_auc(test.labels, scores),
        "precision_at_5": at_five["precision"],
        "recall_at_5": at_five["recall"],
        "f1_at_5": at_five["f1"],
        "precision_at_budget": at_budget["precision"],
        "recall_at_budget": at_budget["recall"],
        "value_at_budget": float(stolen[top].sum() / max(stolen.sum(), 1e-9)),
    }
    if probability is not None:
        numbers["ece"] = evaluation.calibration_error(test.labels, probability)
        numbers["brier"] = evaluation.brier(test.labels, probability)
    team = per_day or judging.alerts_a_day(test, budget)
    numbers |= judging.figures(test, scores, probability, budget=budget, per_day=team)
    return {name: round(value, 6) for name, value in numbers.items() if np.isfinite(value)}


def beside(
    test: Dataset, own: Scored, champion: Loaded, budget: float, per_day: int | None = None
) -> dict[str, Any]:
    """The champion on the same rows: how many alerts in common, which is better, and how surely."""
    theirs = champion.bundle.ensemble.score(test.vectors)
    rival: dict[str, Any] = {
        "pk": champion.version.pk,
        "number": champion.version.number,
        "kind": champion.version.kind,
        "measured": measured(test, theirs.risk_score, theirs.probability, budget, per_day),
        "overlap": overlap(own.risk_score, theirs.risk_score, round(len(test) * budget)),
        "pr": [],
    }
    if test.frauds < LEAST_FRAUDS:
        return {"champion": rival}
    gained, draws = judging.difference(test, own.margin, theirs.margin)
    rival |= {
        "pr": precision_recall(test.labels, theirs.risk_score),
        "roc": roc(test.labels, theirs.risk_score),
        "exchanged": exchanged(test, own.risk_score, theirs.risk_score, budget),
        "by_amount": by_amount(test, own.risk_score, theirs.risk_score, budget),
        "intervals": judging.intervals(draws, 1),
    }
    if np.isfinite(gained.low):
        value, low, high = gained.as_list()
        rival["paired"] = {"value": value, "low": low, "high": high, "verdict": verdict(gained)}
    return {"champion": rival, "intervals": judging.intervals(draws)}


def _heldout(part: Split) -> dict[str, Any]:
    if not len(part.test):
        return {"rows": 0, "frauds": 0, "waiting": part.waiting}
    first, last = (datetime.fromtimestamp(part.test.times[at], UTC) for at in (0, -1))
    return {
        "rows": len(part.test),
        "frauds": part.test.frauds,
        "from": f"{first:%Y-%m-%d}",
        "until": f"{last:%Y-%m-%d}",
        "waiting": part.waiting,
        "maturity_days": part.maturity.days,
    }
