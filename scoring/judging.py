"""What scores are worth to a team: cards found in a day, money, episodes, and how sure that is."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.dataset import Dataset, clock, outcomes
from scoring.engine import evaluation, evaluation_cards, evaluation_tables
from scoring.engine.evaluation_intervals import MEASURES, Interval, Sample, interval, resampled
from scoring.engine.features import column
from scoring.engine.folds import DAY
from scoring.exchange import BANDS, highest
from scoring.models import Decision

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
NEW_DAYS = 7  # a user known for less is new


def alerts_a_day(test: Dataset, budget: float) -> int:
    """How many decisions wanted a person, per day of these rows; the budget's where none did."""
    days = max((test.times[-1] - test.times[0]) / 86_400, 1.0)
    shown = Decision.objects.filter(reviewable=True, transaction_id__in=test.ids.tolist()).count()
    return max(1, round((shown or budget * len(test)) / days))


def figures(
    test: Dataset, scores: Floats, probability: Floats | None, *, budget: float, per_day: int
) -> dict[str, float]:
    """The numbers beyond the ranking; the team looks at `per_day` cards each day."""
    labels, raised = test.labels, highest(scores, round(len(test) * budget))
    times = clock(test)
    team = evaluation_cards.looked_at(
        times, test.users, labels, scores, per_day=per_day, start=int(times.min()) // DAY * DAY
    )
    episode = evaluation_cards.episodes(times, test.users, labels)
    found = {
        "f1_at_budget": evaluation.at_top(labels, scores, int(raised.sum()))["f1"],
        "card_precision": team.precision,
        "value_by_team": evaluation_cards.value_recall(test.amounts, labels, team.found),
        "episodes_by_team": evaluation_cards.episode_recall(episode, team.found),
        "first_by_team": evaluation_cards.first_fraud_recall(times, episode, team.found),
    }
    for name, share in zip(FALSE_ALARMS, evaluation_tables.FALSE_ALARMS, strict=True):
        found[name] = evaluation_tables.recall_at_false_alarms(labels, scores, share)
    if probability is not None:
        found["foretold"] = evaluation_tables.foretold_over_found(labels, probability)
    return found


FALSE_ALARMS = ("recall_at_fpr_01", "recall_at_fpr_05", "recall_at_fpr_1")


def parts(test: Dataset, scores: Floats, budget: float) -> dict[str, list[dict[str, Any]]]:
    """One line per typology and per segment, at the alert budget of all rows together."""
    raised = highest(scores, round(len(test) * budget))
    lines = {
        name: evaluation_tables.parts(named, test.labels, scores, test.amounts, raised)
        for name, named in (("typologies", typologies(test)), ("segments", segments(test)))
    }
    return {name: found for name, found in lines.items() if found}


def typologies(test: Dataset) -> Mapping[str, Mask]:
    """The frauds of each kind among all genuine rows; empty where nobody has said a kind."""
    fraud = test.labels == 1
    kinds = [str(kind) for kind in np.unique(test.typologies[fraud])]
    if kinds in ([], [""]):
        return {}
    return {kind or "not said": ~fraud | (test.typologies == kind) for kind in kinds}


def segments(test: Dataset) -> Mapping[str, Mask]:
    """Where, for whom and how much: what a reader would want to see apart."""
    online, days = (test.vectors[:, column(name)] for name in ("is_online", "history_days"))
    named = {
        "online": online == 1,
        "in person": online == 0,
        f"users of less than {NEW_DAYS} days": ~(days >= NEW_DAYS),
        "users known for longer": days >= NEW_DAYS,
    }
    for low, high in pairwise(BANDS):
        title = f"amounts from {low:,.0f}" + ("" if np.isinf(high) else f" to {high:,.0f}")
        named[title] = (test.amounts >= low) & (test.amounts < high)
    return named


def sample(test: Dataset, *scores: Floats) -> Sample:
    """The rows as the draws want them."""
    return Sample(test.labels, test.users, scores)


def intervals(draws: Floats, score: int = 0) -> dict[str, list[float]]:
    """[value, low, high] of each measure that has one."""
    found = {name: interval(draws[:, score, at]) for at, name in enumerate(MEASURES)}
    return {name: one.as_list() for name, one in found.items() if np.isfinite(one.low)}


def difference(test: Dataset, own: Floats, theirs: Floats) -> tuple[Interval, Floats]:
    """Of the average precision of two scores of the same rows, and the draws it comes from."""
    draws = resampled([sample(test, own, theirs)])
    return interval(draws[:, 0, 0] - draws[:, 1, 0]), draws


def delays(data: Dataset) -> dict[str, float]:
    """How many days after a payment its fraud was known, as observed: half of them, nine tenths."""
    said = outcomes(data)
    frauds = np.isfinite(data.known) & (data.labels == 1)
    if not frauds.any():
        return {}
    days = (said.known[frauds] - said.times[frauds]) / DAY
    half, most = np.quantile(days, [0.5, 0.9])
    return {"median": round(float(half), 1), "most": round(float(most), 1)}
