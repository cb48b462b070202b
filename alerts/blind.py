"""An alert as it lay before the first person: all that a reviewer sees until they have answered.

Nothing here knows the verdict, so nothing that shows this can tell it: not what was said, nor by
whom, nor the note written with it, the label, what became of the payment, or what came later.
"""

from copy import copy
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from alerts.entity import Event, prior_alerts, timeline
from alerts.models import Alert, AlertHit, Review
from anomalyshield.together import rows, together


@dataclass(frozen=True)
class Prior:
    """Another alert of the same customer or entity, as it stood at that moment."""

    alert: Alert
    outcome: str  # "" while it was open


@dataclass(frozen=True)
class Sight:
    """What there was to see when the verdict was given."""

    alert: Alert
    hits: list[AlertHit]
    events: list[Event]
    prior: list[Prior]
    notes: list[str]  # who wrote them is not told: it may have been who decided


def sight(review: Review, asker: Any) -> Sight:
    """Of the alert under review. `review` comes with its verdict and alert."""
    alert, at = undecided(review.alert), review.verdict.at
    hits, around, prior = together(
        rows(alert.hits.select_related("transaction", "decision").order_by("-score", "-pk")),
        timeline(alert, alert.hits.values("transaction")),
        prior_alerts(alert, asker),
    )
    events = [one for one in around if one.payment.event_time <= at]
    return Sight(
        alert=alert,
        hits=hits,
        events=events,
        prior=[_then(one, at) for one in prior if one.created_at <= at],
        notes=notes_of(review),
    )


def undecided(alert: Alert) -> Alert:
    """A copy that says nothing of what became of it; never saved."""
    bare = copy(alert)
    bare.status, bare.disposition, bare.typology = Alert.Status.NEW, "", ""
    bare.closed_at = bare.closed_by_id = bare.assignee_id = None
    bare._state = copy(alert._state)
    bare._state.fields_cache = {
        name: value
        for name, value in alert._state.fields_cache.items()
        if name not in {"closed_by", "assignee"}
    }
    return bare


def _then(other: Alert, at: Any) -> Prior:
    known = other.closed_at is not None and other.closed_at < at
    return Prior(undecided(other), other.get_disposition_display() if known else "")


def notes_of(review: Review) -> list[str]:
    """What was written before the verdict, without the note that came with it."""
    earlier = Q(at__lt=review.verdict.at) & ~Q(pk=review.verdict.note_id or 0)
    return list(review.alert.notes.filter(earlier).values_list("text", flat=True))
