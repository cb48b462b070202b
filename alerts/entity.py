"""What is known of the entity behind an alert: its payments, those around it, earlier alerts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from alerts.models import Alert, AlertHit, Look, Note
from anomalyshield.together import Part
from scoring.models import Transaction

EVENTS = 20  # payments on the timeline …
LATER = 5  # … of which at most so many came after the alert's, when enough came before
PRIOR = 8


@dataclass(frozen=True)
class Event:
    """One payment of the timeline, and whether it is one of the alert's."""

    payment: Transaction
    marked: bool


# Kind of entity → the columns that name it, key first. Merchants have too many payments for this.
COLUMNS = {
    Alert.Kind.USER: ("user_key", "user_id"),
    Alert.Kind.CARD: ("card_key", "card_id"),
    Alert.Kind.DEVICE: ("device_key", "device_id"),
}


def timeline(alert: Alert, own: "Collection[int] | QuerySet[Any]") -> Part[list[Event]]:
    """The payments of the same entity around the leading one, latest first, and it among them;
    marked are those of the alert, its `own`, by their ids or as a question for them."""
    at = alert.transaction
    columns = COLUMNS[timed_by(alert)]
    known = {name: getattr(at, name) for name in columns}
    same = Transaction.objects.filter(**known)
    here = Q(event_time=at.event_time)
    until = same.filter(Q(event_time__lt=at.event_time) | here & Q(pk__lte=at.pk))
    since = same.filter(Q(event_time__gt=at.event_time) | here & Q(pk__gt=at.pk))
    before = until.order_by("-event_time", "-pk").values("pk")[:EVENTS]
    after = since.order_by("event_time", "pk").values("pk")[:EVENTS]
    # Each by its index, and both in one query.
    found = Transaction.objects.filter(pk__in=before.union(after, all=True))
    marked = ExpressionWrapper(Q(pk__in=own), BooleanField())
    rows = yield found.select_related("decision").annotate(marked=marked)
    rows.sort(key=_moment)
    earlier = sum(_moment(payment) <= _moment(at) for payment in rows)
    later = rows[earlier:][: max(LATER, EVENTS - earlier)]
    shown = [*rows[:earlier][len(later) - EVENTS :], *later]
    return [Event(payment, payment.marked) for payment in reversed(shown)]


def _moment(payment: Transaction) -> tuple[datetime, int]:
    return payment.event_time, payment.pk


def timed_by(alert: Alert) -> Alert.Kind:
    """Whose payments the timeline shows: the alert's entity, or the customer for a merchant."""
    kind = Alert.Kind(alert.entity_kind)
    return kind if kind in COLUMNS else Alert.Kind.USER


def hits_of(alert: Alert, person: Any) -> Part[list[AlertHit]]:
    """Its payments: those that joined since this person looked, `fresh`, then the highest score.

    Whoever looks has seen them from now on; at the first look nothing is fresh.
    """
    look = Look.objects.filter(alert=OuterRef("alert"), person=person).values("hits")
    rows = alert.hits.select_related("transaction", "decision").annotate(looked=Subquery(look))
    hits = yield rows.order_by("-at", "-pk")
    seen_then = hits[0].looked if hits else None
    for number, hit in enumerate(reversed(hits)):
        hit.fresh = seen_then is not None and number >= seen_then
    if seen_then != len(hits):
        seen = Look(alert=alert, person=person, hits=len(hits), at=timezone.now())
        Look.objects.bulk_create(
            [seen],
            update_conflicts=True,
            unique_fields=["person", "alert"],
            update_fields=["hits", "at"],
        )
    return sorted(hits, key=lambda hit: (not hit.fresh, -hit.score, -hit.pk))


def notes_of(alert: Alert) -> "QuerySet[Note]":
    """Those on it, and on what was merged into it."""
    wanted = Q(alert=alert) | Q(alert__merged_into=alert)
    return Note.objects.filter(wanted).select_related("author")


def prior_alerts(alert: Alert, user: Any) -> Part[list[Alert]]:
    """Other alerts of the same customer or entity, latest first, as far as this person sees."""
    about = Q(user_id=alert.user_id) | Q(entity=alert.entity)
    moved_on = Q(status=Alert.Status.MERGED)
    others = Alert.objects.visible_to(user).filter(about, ~moved_on).exclude(pk=alert.pk)
    prior: list[Alert] = yield others.select_related("closed_by").order_by("-pk")[:PRIOR]
    return prior
