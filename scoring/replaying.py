"""Past decisions made again: from the vector on record, and from the history of that time."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby

import numpy as np

from scoring import explaining, history, hours, listed
from scoring.engine import features
from scoring.engine.decision import Policy
from scoring.engine.history import History, Rows
from scoring.engine.lists import Lists
from scoring.engine.scorer import Scorer, Scores
from scoring.models import Decision, Transaction

# A statement lasts no longer than this (settings), so a row recorded earlier was committed.
UNDER_WAY = timedelta(seconds=60)
MOST_LATE = 64  # rows under way that are tried as the ones not yet seen


@dataclass
class Report:
    """What a replay found: how many of what, and every difference in a sentence."""

    counts: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def differs(self, decision: Decision, what: str) -> None:
        self.differences.append(f"transaction {decision.transaction_id}: {what}")


def replay(decisions: Iterable[Decision]) -> Report:
    """Make the decisions again; nothing is written. Give them with model, policy, transaction."""
    report, whole = Report(), []
    for decision in decisions:
        report.counts["decisions"] += 1
        try:
            whole.append((decision, explaining.stored_vector(decision)))
        except explaining.NotExplainable as reason:
            report.counts["without their vector"] += 1
            report.notes.append(f"transaction {decision.transaction_id}: {reason}")
    _from_vectors(whole, report)
    _from_history(whole, report)
    return report


Kept = tuple[Decision, np.ndarray]


def _from_vectors(kept: Sequence[Kept], report: Report) -> None:
    for (_, policy, whole, numbers), group in _grouped(kept).items():
        decisions = [decision for decision, _ in group]
        first = decisions[0]
        bundle = explaining.bundle_of(first.model) if first.model and whole else None
        lists = Lists(listed.numbered(numbers))
        scorer = Scorer(bundle, Policy.from_dict(first.policy.values), lists)
        events = _events(decisions)
        scores = scorer.rescore(events, np.array([features.widened(vector) for _, vector in group]))
        for place, decision in enumerate(decisions):
            report.counts["from the vector" if whole else "degraded, rules and outcome"] += 1
            for what in _unequal(decision, scores, place, whole):
                report.differs(decision, f"{what} (policy {policy})")


Group = tuple[int | None, int, bool, tuple[int, ...]]


def _grouped(kept: Sequence[Kept]) -> dict[Group, list[Kept]]:
    """By what decided, the entries of lists included: lists change, those a decision met are on it.

    A failure cannot be made again: of a degraded one the rules are checked.
    """
    groups: dict[Group, list[Kept]] = defaultdict(list)
    for decision, vector in kept:
        numbers = listed.numbers_in(decision.hits)
        key = (decision.model_id, decision.policy_id, not decision.degraded, numbers)
        groups[key].append((decision, vector))
    return groups


def _events(decisions: Sequence[Decision]) -> Rows:
    events = history.stored_events([decision.transaction_id for decision in decisions])
    place = {number: row for row, number in enumerate(events["id"].tolist())}
    return events[[place[decision.transaction_id] for decision in decisions]]


def _unequal(decision: Decision, scores: Scores, place: int, whole: bool) -> list[str]:
    verdict = scores.verdicts[place]
    pairs = {
        "reasons": (decision.reason_codes, verdict.reason_codes),
        "hits": (decision.hits, [vars(hit) for hit in scores.hits[place]]),
        "outcome": (decision.outcome, verdict.outcome),  # without a score: REVIEW, or denied
    }
    if whole:
        chance = None if scores.probability is None else float(scores.probability[place])
        pairs["score"] = (decision.risk_score, float(scores.risk_score[place]))
        pairs["probability"] = (decision.probability, chance)
        pairs["level"] = (decision.level, verdict.level)
    return [
        f"{name} was {then!r} and is {now!r}" for name, (then, now) in pairs.items() if then != now
    ]


def _from_history(kept: Sequence[Kept], report: Report) -> None:
    known = [(d, v) for d, v in kept if np.isfinite(v[0])]  # features that failed stay unknown
    known.sort(key=lambda one: one[0].known_at)
    for known_at, group in groupby(known, key=lambda one: one[0].known_at):
        rows = list(group)
        decisions = [decision for decision, _ in rows]
        events = _events(decisions)
        order = np.lexsort((events["id"], events["time"]))
        if len(rows) == 1:
            past = history.read_one(events, known_at=known_at, recount=True)
        else:
            past = history.read(events[order], known_at=known_at, recount=True)
        again = features.compute(events, past)
        for place, (decision, vector) in enumerate(rows):
            if again[place, : len(vector)].tobytes() == vector.tobytes():
                report.counts["from history"] += 1
            else:
                _explain(decision, vector, events[place : place + 1], report)


def _explain(decision: Decision, vector: np.ndarray, event: Rows, report: Report) -> None:
    """Name the rows that were under way when it was decided, if without them all is as it was."""
    past = history.read_one(event, known_at=decision.known_at, recount=True)
    late = _late(past, event, decision.known_at, vector)
    if late is None:
        again = features.compute(event, past)[0]
        pairs = zip(features.NAMES, vector, again, strict=False)  # an older vector holds fewer
        names = [name for name, then, now in pairs if then.tobytes() != now.tobytes()]
        report.differs(decision, f"history gives other values of {', '.join(names)}")
    else:
        report.counts["from history without rows still under way then"] += 1
        told = ", ".join(late)
        report.notes.append(
            f"transaction {decision.transaction_id}: not yet committed then: {told}"
        )


def _late(past: History, event: Rows, known_at: datetime, vector: np.ndarray) -> list[str] | None:
    """What was recorded and not yet seen: numbers of payments, and what else they are part of."""
    under_way = _under_way(past, event, known_at)
    # The latest are the likeliest; then each alone.
    attempts = [under_way[:count] for count in range(len(under_way) + 1)]
    attempts += [[one] for one in under_way[1:]]
    unsaid = history.read_one(event, known_at=known_at - UNDER_WAY).frauds
    # A worker keeps the hours of merchants while it does a file, labels have commits of their own.
    for frauds, labels in ((past.frauds, []), (unsaid, ["labels"])):
        known = replace(past, frauds=frauds)
        for uncounted, sums in (([], []), (under_way, ["sums of the merchant"])):
            for attempt in attempts:
                seen = _without(known, attempt, uncounted or attempt)
                again = features.compute(event, seen)[0, : len(vector)]
                if again.tobytes() == vector.tobytes():
                    return [str(one.pk) for one in attempt] + labels + sums
    return None


def _under_way(past: History, event: Rows, known_at: datetime) -> list[Transaction]:
    """Payments of the event's entities that may not have been committed then, latest first."""
    parts = (past.by_user, past.by_card, past.by_device, past.by_merchant)
    everything = np.unique(np.concatenate([part["id"] for part in parts]))
    last = history.moment(int(event["time"][0]))
    earlier = Transaction.objects.between(last - timedelta(days=features.DAYS + 1), last)
    merchant = int(event["merchant"][0])
    met = earlier.filter(merchant_key=merchant) if merchant else earlier.none()
    late = {"recorded_at__gt": known_at - UNDER_WAY, "recorded_at__lte": known_at}
    found = {
        one.pk: one
        for rows in (Transaction.objects.filter(pk__in=everything.tolist()), met)
        for one in rows.filter(**late).order_by("-recorded_at", "-pk")[:MOST_LATE]
    }
    return sorted(found.values(), key=lambda one: (one.recorded_at, one.pk), reverse=True)[
        :MOST_LATE
    ]


def _without(
    past: History, late: Sequence[Transaction], uncounted: Sequence[Transaction]
) -> History:
    """The same past as if these had not been there, nor those in the sums of merchants' hours."""
    ids = [one.pk for one in late]
    parts = (past.by_user, past.by_card, past.by_device, past.by_merchant)
    left = (rows[~np.isin(rows["id"], ids)] for rows in parts)
    return History(*left, hours.without(past.hours, uncounted), past.frauds)
