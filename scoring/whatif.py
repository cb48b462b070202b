"""What other rules would have decided: the latest decisions under two policies, nothing written."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from django.db import connection

from scoring import explaining, history
from scoring.engine import rules
from scoring.engine.bundle import Refused
from scoring.engine.decision import NOVELTY, Hit, Outcome, Policy, Verdict, decide, heeded
from scoring.engine.features import FEATURES, widened
from scoring.engine.history import Rows
from scoring.engine.lane import LANE_RULES, with_novelty
from scoring.engine.lists import LIST_RULES
from scoring.engine.transaction import UNITS
from scoring.models import Decision, Label, Snapshot

SIZES = (200, 1000, 5000)
SHOWN = 12
LISTED = frozenset(rule.code for rule in LIST_RULES)
Both = tuple[Verdict, Verdict]


@dataclass(frozen=True)
class Change:
    """One decision that would be another, with what is known of the payment by now."""

    decision: Decision
    before: Verdict
    after: Verdict
    label: str


@dataclass
class Effect:
    """How the latest decisions would read; the scores are those on record."""

    decisions: int = 0
    seconds: float = 0.0  # from the first of these decisions to the last
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)  # outcome before, after
    hits: dict[str, tuple[int, int]] = field(default_factory=dict)  # per rule, before and after
    newly: int = 0  # to people, who did not see them
    no_longer: int = 0
    gained: dict[str, int] = field(default_factory=dict)  # by what the new ones turned out to be
    lost: dict[str, int] = field(default_factory=dict)
    changed: int = 0
    examples: list[Change] = field(default_factory=list)
    without_vector: int = 0

    def people(self, after: bool) -> int:
        """How many would wait for a person or be blocked."""
        side = int(after)
        return sum(n for pair, n in self.moved.items() if pair[side] != Outcome.APPROVE)

    @property
    def days(self) -> float:
        return round(self.seconds / 86_400, 2)

    @property
    def people_before(self) -> int:
        return self.people(False)

    @property
    def people_after(self) -> int:
        return self.people(True)

    @property
    def before_a_day(self) -> float | None:
        """None below a whole day: a file decided in a minute says nothing of a day."""
        return self.people_before / self.days if self.days >= 1 else None

    @property
    def after_a_day(self) -> float | None:
        return self.people_after / self.days if self.days >= 1 else None


def effect(before: Policy, after: Policy, *, last: int = SIZES[1]) -> Effect:
    """Both policies on the latest `last` decisions: score and vector as they were then."""
    rows = Decision.objects.select_related("transaction", "model").order_by("-pk")
    decisions = sorted(rows[:last], key=lambda one: one.transaction_id)
    found = Effect(decisions=len(decisions))
    if not decisions:
        return found
    events = _events(decisions)
    # Not the time of the payments: a single old one would stretch it over months.
    times = [one.decided_at for one in decisions]
    found.seconds = (max(times) - min(times)).total_seconds()
    vectors, found.without_vector = _vectors(decisions)
    said = _labels(decisions)
    novelty = _novelty(decisions, vectors)
    sides = (_verdicts(decisions, events, vectors, novelty, policy) for policy in (before, after))
    pairs = list(zip(*sides, strict=True))
    found.hits = _hits(pairs)
    for decision, pair in zip(decisions, pairs, strict=True):
        _count(found, decision, pair, said.get(decision.transaction_id, ""))
    return found


def _events(decisions: Sequence[Decision]) -> Rows:
    """In the order of the decisions."""
    events = history.stored_events([one.transaction_id for one in decisions])
    return events[np.argsort(events["id"], kind="stable")]


def _vectors(decisions: Sequence[Decision]) -> tuple[np.ndarray, int]:
    """As kept; where none is kept any more nothing is known, and rules of history stay silent."""
    days = {one.transaction_id: one.known_at.date() for one in decisions}
    kept = Snapshot.objects.filter(day__in=set(days.values()), transaction_id__in=list(days))
    rows = {row.transaction_id: row for row in kept if row.day == days[row.transaction_id]}
    vectors = np.full((len(decisions), len(FEATURES)), np.nan)
    for place, one in enumerate(decisions):
        if (row := rows.get(one.transaction_id)) is not None:
            vectors[place] = widened(np.frombuffer(bytes(row.vector), "<f8"))
    return vectors, len(decisions) - len(rows)


def _novelty(decisions: Sequence[Decision], vectors: np.ndarray) -> np.ndarray:
    """By the lane of the model that decided: other cut points leave other payments to it."""
    found = np.zeros(len(decisions))
    by_model = np.array([one.model_id or 0 for one in decisions])
    for number in set(by_model.tolist()) - {0}:
        rows = np.flatnonzero(by_model == number)
        try:
            bundle = explaining.bundle_of(decisions[rows[0]].model)
            found[rows] = bundle.ensemble.novelty(vectors[rows])
        except Refused:  # its files are gone; what it let in then is on record
            stored = [
                [hit["observed"] for hit in decisions[row].hits if hit["code"] == NOVELTY]
                for row in rows
            ]
            found[rows] = [max(hits, default=0.0) for hits in stored]
    return found


def _verdicts(
    decisions: Sequence[Decision],
    events: Rows,
    vectors: np.ndarray,
    novelty: np.ndarray,
    policy: Policy,
) -> Iterator[Verdict]:
    fired = rules.hits(events, vectors, policy)
    met = [[Hit(**hit) for hit in one.hits if hit["code"] in LISTED] for one in decisions]
    fired = [listed + hits for listed, hits in zip(met, fired, strict=True)]
    scores = np.array([np.nan if one.degraded else one.risk_score for one in decisions])
    fired = with_novelty(fired, novelty, scores, policy)
    amounts = (events["units"] / UNITS).tolist()
    for one, hits, amount in zip(decisions, fired, amounts, strict=True):
        told = heeded(hits, one.risk_score, policy)
        yield decide(
            score=one.risk_score, hits=told, amount=amount, policy=policy, degraded=one.degraded
        )


def _hits(pairs: Sequence[Both]) -> dict[str, tuple[int, int]]:
    old, new = (Counter(code for pair in pairs for code in pair[n].reason_codes) for n in (0, 1))
    return {rule.code: (old[rule.code], new[rule.code]) for rule in (*rules.RULES, *LANE_RULES)}


def _count(found: Effect, decision: Decision, pair: Both, label: str) -> None:
    before, after = pair
    found.moved[(str(before.outcome), str(after.outcome))] += 1
    if before.outcome == after.outcome:
        return
    found.changed += 1
    if before.outcome == Outcome.APPROVE:
        found.newly += 1
        found.gained[label] = found.gained.get(label, 0) + 1
    elif after.outcome == Outcome.APPROVE:
        found.no_longer += 1
        found.lost[label] = found.lost.get(label, 0) + 1
    if len(found.examples) < SHOWN:
        found.examples.append(Change(decision, before, after, label))


LAST_WORDS = """
SELECT DISTINCT ON (transaction_id) transaction_id, value FROM scoring_label
WHERE transaction_id = ANY(%s) ORDER BY transaction_id, id DESC
"""


def _labels(decisions: Sequence[Decision]) -> dict[int, str]:
    """What each payment turned out to be, as far as anybody has said."""
    meaning = {
        Label.Value.TRUE_FRAUD: "fraud",
        Label.Value.FALSE_POSITIVE: "genuine",
        Label.Value.INCONCLUSIVE: "inconclusive",
    }
    with connection.cursor() as cursor:
        cursor.execute(LAST_WORDS, [[one.transaction_id for one in decisions]])
        return {number: meaning[Label.Value(value)] for number, value in cursor.fetchall()}
