"""Who sees which alerts, and how much of them: queues by grant, personal data by right."""

from typing import TYPE_CHECKING, Any

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from anomalyshield.accounts.grants import granted

if TYPE_CHECKING:
    from alerts.models import Queue
    from scoring.models import Label


def queues_of(user: Any) -> "QuerySet[Queue]":
    """The queues whose alerts this person may see, as one query that nests into others.

    Whoever works alerts sees the queues granted to them or to one of their groups, and no other,
    whatever further roles they hold. Admins see all; engineers and owners see all, masked.
    """
    from alerts.models import Queue

    if not user.may("alert.view"):
        return Queue.objects.none()
    if user.may("user.manage") or not user.may("alert.work"):
        return Queue.objects.all()
    if (known := getattr(user, "queues_seen", None)) is not None:  # of programs it is not kept
        return Queue.objects.filter(pk__in=known)
    return Queue.objects.filter(granted(user, "alerts.work_queue"))


def remember_queues(user: Any) -> None:
    """Asked once for all that one request asks: grants are looked up in long statements. Not of
    programs, which outlive their request."""
    if getattr(user, "queues_seen", ()) is None:
        user.queues_seen = list(queues_of(user).values_list("pk", flat=True))


def labels_for(user: Any) -> "QuerySet[Label]":
    """The labels this person may speak about: a payment in no alert is anybody's, else its
    queue's."""
    from scoring.models import Label

    theirs = Q(transaction__hit__alert__queue__in=queues_of(user))
    seen = Label.objects.filter(Q(transaction__hit=None) | theirs)
    seen = seen.exclude(transaction__in=unread_by(user))
    return seen.select_related("labeller", "transaction")


def unread_by(user: Any) -> "QuerySet[Any]":
    """The payments of alerts this person reviews without knowing the verdict: their labels are
    not theirs to read until they have answered."""
    from alerts.models import AlertHit, Review

    return AlertHit.objects.filter(alert__in=Review.objects.blinding(user).values("alert")).values(
        "transaction"
    )


def entries_unread_by(user: Any) -> "QuerySet[Any]":
    """Whom somebody put on a list from an alert this person reviews: it would tell the verdict."""
    from alerts.models import Review
    from scoring.models import ListEntry

    theirs = Review.objects.blinding(user).annotate(
        called=Concat(Value("A-"), Cast("alert_id", CharField()))
    )
    return ListEntry.objects.filter(behind__in=theirs.values("called")).values("pk")


def masked(user: Any) -> bool:
    """Whether personal data is hidden from this person: they may look, but not work alerts."""
    return not user.may("alert.work")
