"""The clocks of a case as a page shows them, and what becomes of the open ones at this pace."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from anomalyshield.together import Part
from cases.calendars import business_time_between
from cases.deadlines import Forecast, forecast
from cases.models import BusinessCalendar, Case, CaseQuerySet, Clock
from cases.models.case import CLOSED

PAST = timedelta(days=30)  # whose pace is taken for the future
MOST = 500  # open cases looked at


@dataclass(frozen=True)
class Face:
    """One clock: what it is, until when, and whether it runs, stands or is over."""

    clock: Clock
    late: bool
    pause: Any  # the one that lasts, or None
    pauses: int
    over: bool


def clocks_of(case: Case) -> Part[list[Face]]:
    """Those that run first, then those that are over."""
    found = yield case.clocks.select_related("calendar").prefetch_related("pauses")
    faces = [_face(clock) for clock in found]
    return sorted(faces, key=lambda face: face.over)


def _face(clock: Clock) -> Face:
    pauses, over = list(clock.pauses.all()), clock.stopped_at is not None
    late = clock.was_late if over else bool(clock.due_at and clock.due_at < timezone.now())
    lasting = next((one for one in pauses if one.ended_at is None), None)
    return Face(clock, late, lasting, len(pauses), over)


def breaches(cases: CaseQuerySet, now: datetime | None = None) -> Forecast:
    """Which of these open cases are late, and which will be if they go on being closed so fast."""
    now = now or timezone.now()
    hours = BusinessCalendar.default().hours
    running = Clock.objects.running().filter(kind=Clock.Kind.CASE, case__in=cases.open())
    waiting = list(running.order_by("due_at").values_list("case_id", "due_at")[:MOST])
    closed = cases.filter(status__in=CLOSED, closed_at__gte=now - PAST, closed_at__lte=now)
    return forecast(
        waiting,
        now=now,
        calendar=hours,
        closed=closed.count(),
        worked=business_time_between(hours, now - PAST, now),
    )
