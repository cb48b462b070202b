"""What would have changed decisions that a person will read: their payments tried otherwise."""

import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop as _noop

from scoring import history, listed
from scoring.engine import counterfactual as engine
from scoring.engine.alternatives import actionable, alternatives, own_past
from scoring.engine.bundle import Bundle
from scoring.engine.decision import RAISING, Level, Outcome, Policy, Verdict
from scoring.engine.features import FEATURES
from scoring.engine.history import Rows
from scoring.engine.lists import Lists
from scoring.engine.scorer import Scorer
from scoring.engine.wording import sentence_of
from scoring.models import Decision

log = logging.getLogger(__name__)
COUNTS = 2  # sentences on what no change of a customer's can move
NOT_WHOLE = _noop("Scoring was not whole, so it cannot be said what would have changed it.")
OTHER_PAST = _noop(
    "Its past is no longer read as it was then, so it cannot be said what would have changed it."
)
NOTHING = _noop(
    "Nothing the customer could have done differently in this payment would have changed it."
)
Asked = tuple[Decision, np.ndarray, np.ndarray]  # with its vector and its contributions


def found(asked: Sequence[Asked], bundle: Bundle) -> list[dict[str, Any]]:
    """For each decision of this model what would have changed it, as it is kept and shown."""
    told = {one[0].pk: untold(NOT_WHOLE) for one in asked}
    whole = [one for one in asked if not one[0].degraded]
    for _, group in groupby(sorted(whole, key=_key), _key):
        told |= _of_policy(list(group), bundle)
    return [told[decision.pk] for decision, _, _ in asked]


def untold(why: str) -> dict[str, Any]:
    return {"state": "untold", "ways": [], "counts": [], "sentence": why}


def _key(one: Asked) -> tuple[int, tuple[int, ...]]:
    """By what decided besides the model: policy, and the entries of lists that were met."""
    return one[0].policy_id, listed.numbers_in(one[0].hits)


def _of_policy(asked: Sequence[Asked], bundle: Bundle) -> dict[int, dict[str, Any]]:
    """Read as of now, which many share; where that is another past than then, as of then."""
    first = asked[0][0]
    lists = Lists(listed.numbered(listed.numbers_in(first.hits)))
    scorer = Scorer(bundle, Policy.from_dict(first.policy.values), lists)
    told, others = _read(asked, scorer, timezone.now(), exactly=True)
    for one in others:
        alone, missed = _read([one], scorer, one[0].known_at, exactly=False)
        told |= alone or {missed[0][0].pk: untold(OTHER_PAST)}
    return told


def _read(
    asked: Sequence[Asked], scorer: Scorer, known_at: datetime, *, exactly: bool
) -> tuple[dict[int, dict[str, Any]], list[Asked]]:
    """What was found, and the decisions that this past does not come to again."""
    events = _events([decision for decision, _, _ in asked])
    past = history.read_users(events, known_at=known_at)
    currency, policy = settings.BASE_CURRENCY, scorer.policy
    searches = [
        engine.Search(
            events[row : row + 1],
            Verdict(Level(one[0].level), Outcome(one[0].outcome), one[0].reason_codes),
            alternatives(events[row], own_past(events[row], past), policy, currency),
        )
        for row, one in enumerate(asked)
    ]
    needed = engine.reachable(searches)
    whole = history.read(needed, known_at=known_at, recount=not exactly)
    again = scorer.score(events, whole)
    same = [
        _same(again.vectors[row], vector)
        if exactly
        else str(again.verdicts[row].level) == decision.level
        for row, (decision, vector, _) in enumerate(asked)
    ]
    kept = [
        pair for pair, good in zip(zip(asked, searches, strict=True), same, strict=True) if good
    ]
    results = engine.search([one for _, one in kept], whole, scorer)
    told = {one[0].pk: _told(one, result) for (one, _), result in zip(kept, results, strict=True)}
    return told, [one for one, good in zip(asked, same, strict=True) if not good]


def _events(decisions: Sequence[Decision]) -> Rows:
    """In the order of the decisions."""
    events = history.stored_events([decision.transaction_id for decision in decisions])
    place = {number: row for row, number in enumerate(events["id"].tolist())}
    return events[[place[decision.transaction_id] for decision in decisions]]


def _same(again: np.ndarray, vector: np.ndarray) -> bool:
    """An older vector holds fewer features; those are the first ones."""
    known = ~np.isnan(vector)
    return bool(np.array_equal(again[known], vector[known]))


def _told(one: Asked, result: engine.Found) -> dict[str, Any]:
    if result.ways:
        return {**result.as_dict(), "counts": [], "sentence": result.ways[0].sentence}
    return {"state": "nothing", "ways": [], "counts": counts(*one), "sentence": NOTHING}


def counts(decision: Decision, vector: np.ndarray, contributions: np.ndarray) -> list[str]:
    """What speaks against the payment and is not in the customer's hand, the strongest first."""
    rules = [hit["sentence"] for hit in decision.hits if hit["code"] in RAISING | {"DENY_LIST"}]
    told = list(rules)
    for number in np.argsort(-contributions, kind="stable"):
        if contributions[number] <= 0 or len(told) >= len(rules) + COUNTS:
            break
        if not actionable(FEATURES[number]):
            sentence = sentence_of(FEATURES[number], vector)
            told += [sentence] if sentence not in told else []
    return told
