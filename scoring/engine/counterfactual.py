"""What would have changed a decision: the payment itself otherwise, and decided again.

The smallest change that a customer could have made and that would have let the payment through
(Wachter, Mittelstadt and Russell, “Counterfactual explanations without opening the black box”,
Harvard Journal of Law & Technology 31, 2018): every change alone first, then two together, then all
of them. Rules, lists and the table decide along with the score, by the code that decides payments.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from scoring.engine.alternatives import Try, applied
from scoring.engine.decision import ORDER, Level, Outcome, Verdict
from scoring.engine.history import EVENT, History, Rows
from scoring.engine.scorer import Scorer

SHOWN = 3
Changes = tuple[Try, ...]


@dataclass(frozen=True)
class Way:
    """Changes that together would have been decided otherwise, and how."""

    changes: tuple[str, ...]
    sentence: str
    risk_score: float
    level: str
    outcome: str


@dataclass(frozen=True)
class Found:
    """`approved`, `lower`, or `nothing` when no change of the customer's would have mattered."""

    state: str
    ways: list[Way] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Tried:
    """Changes and what would have been decided with them."""

    changes: Changes
    score: float
    margin: float
    verdict: Verdict


@dataclass
class Search:
    """One payment: what was decided of it, what may be changed, and what came of that so far."""

    event: Rows
    before: Verdict
    singles: list[Try]
    tried: list[Tried] = field(default_factory=list)

    @property
    def approved(self) -> bool:
        return any(one.verdict.outcome == Outcome.APPROVE for one in self.tried)


Asked = tuple[Search, Changes]


def reachable(searches: Sequence[Search]) -> Rows:
    """Every event whose past may be asked for: amounts have none of their own."""
    asked: list[Asked] = []
    for one in searches:
        moved = [change for change in one.singles if change.change != "amount"]
        pairs = [*((change,) for change in moved), *combinations(moved, 2), tuple(moved)]
        asked += [(one, ()), *((one, changes) for changes in pairs if changes)]
    return _events(asked)


def search(searches: Sequence[Search], history: History, scorer: Scorer) -> list[Found]:
    """What would have changed each decision; the history is that of every `reachable` event."""
    _try(searches, [[(one,) for one in asked.singles] for asked in searches], history, scorer)
    further = [asked for asked in searches if asked.tried and not asked.approved]
    _try(further, [list(_together(asked)) for asked in further], history, scorer)
    return [_told(asked) for asked in searches]


def _try(
    searches: Sequence[Search],
    wanted: Sequence[Sequence[Changes]],
    history: History,
    scorer: Scorer,
) -> None:
    """All changes of all payments in one pass over the model."""
    asked = [(one, changes) for one, some in zip(searches, wanted, strict=True) for changes in some]
    if not asked:
        return
    scores = scorer.score(_events(asked), history)
    rows = zip(
        asked, scores.risk_score.tolist(), scores.margin.tolist(), scores.verdicts, strict=True
    )
    for (one, changes), score, margin, verdict in rows:
        one.tried.append(Tried(changes, score, margin, verdict))


def _events(asked: Sequence[Asked]) -> Rows:
    """One event for each, in their order."""
    # As plain numbers: to join records numpy compares their fields anew for each of them.
    events = np.concatenate([one.event.view(np.int64) for one, _ in asked]).view(EVENT)
    return applied(events, [[change.fields for change in changes] for _, changes in asked])


def _together(asked: Search) -> Iterable[Changes]:
    """The change that helps most with each other one, then all of them at once."""
    smallest = {one.change: one for one in reversed(asked.singles)}  # of amounts the first
    best = smallest[min(asked.tried, key=lambda one: one.margin).changes[0].change]
    yield from ((best, one) for one in asked.singles if one.change != best.change)
    if len(smallest) > 2:
        yield tuple(reversed(smallest.values()))


def _told(asked: Search) -> Found:
    """The ways with the fewest changes; of an amount, the largest below which all are as good."""
    for state, wanted in (("approved", _approved), ("lower", lambda one: _lower(asked, one))):
        ways = [one for one in _steady(asked.tried, wanted) if wanted(one)]
        if ways:
            fewest = min(len(one.changes) for one in ways)
            kept = [one for one in ways if len(one.changes) == fewest]
            kept.sort(key=lambda one: one.margin)
            return Found(state, [_way(one) for one in kept[:SHOWN]])
    return Found("nothing")


def _steady(tried: Sequence[Tried], wanted: Any) -> list[Tried]:
    """Of changes that differ by the amount alone, the last of those that all do from below.

    So “or less” is true of every amount that was tried.
    """
    kept: dict[tuple[str, ...], Tried] = {}
    over: set[tuple[str, ...]] = set()
    for one in tried:
        named = tuple(change.change for change in one.changes)
        if not wanted(one):
            over.add(named)
        elif named not in over:
            kept[named] = one
    return list(kept.values())


def _approved(one: Tried) -> bool:
    return one.verdict.outcome == Outcome.APPROVE


def _lower(asked: Search, one: Tried) -> bool:
    return ORDER.index(one.verdict.level) < ORDER.index(Level(asked.before.level))


def _way(one: Tried) -> Way:
    *first, last = [change.words for change in one.changes]
    words, verdict = f"{', '.join(first)} and {last}" if first else last, one.verdict
    approved = verdict.outcome == Outcome.APPROVE
    ending = "it would have been approved" if approved else "a person would still have to look"
    return Way(
        tuple(change.change for change in one.changes),
        f"{words[0].upper()}{words[1:]}, {ending}: {verdict.level}, score {one.score:.2f}.",
        one.score,
        str(verdict.level),
        str(verdict.outcome),
    )
