"""What routes would have done: the payments of past alerts, placed and grouped again, in memory."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from alerts.candidates import Candidate, candidates
from alerts.conditions import matches
from alerts.grouping import Placing, count, place
from alerts.models import Route
from alerts.routing import active_routes
from scoring.models import Decision, Source

MOST = 5_000  # payments, the latest: a page answers within a second
STEP = 1_000  # vectors read at once
PAID = (
    "source_id", "event_time", "amount_units", "currency", "user_id", "card_id", "device_id",
    "merchant_name", "merchant_category", "mcc", "location", "country", "user_key",
)  # fmt: skip
ASKED = (
    "level", "outcome", "reason_codes", "risk_score", "known_at", "transaction_id",
    *(f"transaction__{name}" for name in PAID),
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One route: what it would have taken, and what it asks for but those before it take."""

    route: Route
    payments: int
    alerts: int
    asked_for: int
    share: float

    @property
    def shadowed(self) -> int:
        return 0 if self.route.is_default else self.asked_for - self.payments


@dataclass(frozen=True)
class Rehearsal:
    """The same payments under these routes and under those in force."""

    days: int
    payments: int
    capped: bool
    lines: list[Line]
    alerts: int
    alerts_in_force: int
    moved: list[tuple[str, str, int]]  # from this queue to that one, so many payments


def rehearse(routes: Sequence[Route], *, days: int) -> Rehearsal:
    """Nothing is written. Payments that are already decided count too: it is about the stream."""
    since = timezone.now() - timedelta(days=days)
    decisions = _decided(since)
    past = list(_candidates(decisions[MOST - 1 :: -1]))
    then = [place(one, routes) for one in past]
    in_force = active_routes()
    now = [place(one, in_force) for one in past]
    moved = Counter(
        (a.route.queue.name, b.route.queue.name)
        for a, b in zip(now, then, strict=True)
        if a.route.queue_id != b.route.queue_id
    )
    lines = _lines(routes, past, then)
    return Rehearsal(
        days=days,
        payments=len(past),
        capped=len(decisions) > MOST,
        lines=lines,
        alerts=sum(line.alerts for line in lines),
        alerts_in_force=count(now),
        moved=[(a, b, payments) for (a, b), payments in moved.most_common()],
    )


def _decided(since: datetime) -> list[Decision]:
    """What was put into alerts since then, latest first, with what routes and suspicions ask."""
    found = Decision.objects.filter(hit__at__gte=since).select_related("transaction")
    found = found.only(*ASKED).order_by("-hit__at", "-hit__pk")
    decisions, sources = list(found[: MOST + 1]), Source.objects.in_bulk()
    for decision in decisions:
        decision.transaction.source = sources[decision.transaction.source_id]
    return decisions


def _candidates(decisions: list[Decision]) -> Iterator[Candidate]:
    for start in range(0, len(decisions), STEP):
        yield from candidates(decisions[start : start + STEP])


def _lines(routes: Sequence[Route], past: list[Candidate], then: list[Placing]) -> list[Line]:
    taken: dict[int, list[Placing]] = {id(route): [] for route in routes}
    for placing in then:
        taken[id(placing.route)].append(placing)
    return [
        Line(
            route=route,
            payments=len(taken[id(route)]),
            alerts=count(taken[id(route)]),
            asked_for=sum(matches(route, one) for one in past),
            share=len(taken[id(route)]) / len(past) if past else 0.0,
        )
        for route in routes
    ]
