"""The tiles above the queue: how much waits, how late it is, how right the alerts are."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Min, Q, Sum
from django.utils import timezone

from alerts.models import Alert, AlertQuerySet

WINDOW = timedelta(days=7)
FRAUD = Q(disposition=Alert.Disposition.TRUE_POSITIVE_FRAUD)
KNOWN = ~Q(disposition=Alert.Disposition.INCONCLUSIVE)


@dataclass(frozen=True)
class Figures:
    """What the tiles say, over the alerts someone sees."""

    open: int
    unassigned: int
    overdue: int
    oldest_due: datetime | None
    at_risk: Decimal
    decided_today: int
    decided_yesterday: int
    precision: float | None  # frauds among the alerts decided one way or the other; None: no such
    judged: int


def figures(alerts: AlertQuerySet) -> Figures:
    """Two queries: one over what is open, one over the last seven days of decisions."""
    now = timezone.now()
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = today - timedelta(days=1)
    waiting = alerts.open().aggregate(
        open=Count("pk"),
        unassigned=Count("pk", Q(assignee=None)),
        overdue=Count("pk", Q(due_at__lt=now)),
        oldest_due=Min("due_at", filter=Q(due_at__lt=now)),
        at_risk=Sum("expected_loss", default=Decimal(0)),
    )
    done = alerts.filter(closed_at__gte=now - WINDOW).aggregate(
        decided_today=Count("pk", Q(closed_at__gte=today)),
        decided_yesterday=Count("pk", Q(closed_at__gte=yesterday, closed_at__lt=today)),
        fraud=Count("pk", FRAUD),
        judged=Count("pk", KNOWN),
    )
    fraud = done.pop("fraud")
    precision = fraud / done["judged"] if done["judged"] else None
    return Figures(**waiting, **done, precision=precision)
