"""What is known of the entity behind an alert: its payments around it and its earlier alerts."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from alerts.models import Alert
from scoring.models import Transaction

EVENTS = 20  # payments on the timeline …
LATER = 5  # … of which at most so many came after the alert's, when enough came before
PRIOR = 8


@dataclass(frozen=True)
class Event:
    """One payment of the timeline, and whether it is the one that raised the alert."""

    payment: Transaction
    marked: bool


def timeline(alert: Alert) -> list[Event]:
    """The payments of the same user around the alert's, latest first, the alert's among them."""
    at = alert.transaction
    same = Transaction.objects.filter(user_key=at.user_key, user_id=at.user_id).select_related(
        "decision"
    )
    here = Q(event_time=at.event_time)
    until = same.filter(Q(event_time__lt=at.event_time) | here & Q(pk__lte=at.pk))
    since = same.filter(Q(event_time__gt=at.event_time) | here & Q(pk__gt=at.pk))
    before = list(until.order_by("-event_time", "-pk")[:EVENTS])
    room = max(LATER, EVENTS - len(before))
    later = list(since.order_by("event_time", "pk")[:room])
    shown = [*reversed(later), *before[: EVENTS - len(later)]]
    return [Event(payment, payment.pk == at.pk) for payment in shown]


def prior_alerts(alert: Alert, user: Any) -> list[Alert]:
    """Other alerts of the same user, latest first, as far as this person may see them."""
    others = Alert.objects.visible_to(user).filter(user_id=alert.user_id).exclude(pk=alert.pk)
    return list(others.select_related("closed_by").order_by("-pk")[:PRIOR])
