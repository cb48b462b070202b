"""What routes would have done: the payments of past alerts, placed and grouped again, in memory."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from alerts.candidates import Candidate, candidates
from alerts.conditions import matches
from alerts.grouping import Placing, group, place
from alerts.models import AlertHit, Route
from alerts.routing import active_routes

MOST = 5_000  # payments, the latest: a page answers in a second or two
STEP = 1_000  # vectors read at once


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
    hits = list(
        AlertHit.objects.filter(at__gte=since)
        .select_related("decision__transaction__source")
        .order_by("-at", "-pk")[: MOST + 1]
    )
    past = list(_candidates(hits[MOST - 1 :: -1] if len(hits) > MOST else hits[::-1]))
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
        capped=len(hits) > MOST,
        lines=lines,
        alerts=sum(line.alerts for line in lines),
        alerts_in_force=_alerts(now),
        moved=[(a, b, count) for (a, b), count in moved.most_common()],
    )


def _candidates(hits: list[AlertHit]) -> Iterator[Candidate]:
    for start in range(0, len(hits), STEP):
        yield from candidates(hit.decision for hit in hits[start : start + STEP])


def _lines(routes: Sequence[Route], past: list[Candidate], then: list[Placing]) -> list[Line]:
    taken: dict[int, list[Placing]] = {id(route): [] for route in routes}
    for placing in then:
        taken[id(placing.route)].append(placing)
    return [
        Line(
            route=route,
            payments=len(taken[id(route)]),
            alerts=_alerts(taken[id(route)]),
            asked_for=sum(matches(route, one) for one in past),
            share=len(taken[id(route)]) / len(past) if past else 0.0,
        )
        for route in routes
    ]


def _alerts(placings: Sequence[Placing]) -> int:
    """How many alerts they would make, if nothing were closed in between."""
    return len({id(hit.alert) for hit in group(placings, [], timezone.now())})
