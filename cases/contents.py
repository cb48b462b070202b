"""What a case is made of, as far as one person sees it: payments, sums, whom and what they name."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from alerts.models import Alert, AlertHit
from anomalyshield.together import Part
from cases.models import Case

MOST = 200  # payments on a page; the files of a report have all of them
NAMED = (("user", "user_id"), ("card", "card_id"), ("device", "device_id"),
         ("merchant", "merchant_name"))  # fmt: skip
TOP = 6  # of each kind
OTHERS = 5


@dataclass(frozen=True)
class Named:
    """An entity that payments of the case name, and how many do."""

    kind: str
    title: str
    value: str
    count: int


@dataclass(frozen=True)
class Contents:
    """Payments in the order of their time, their sum in the base currency, and whom they name."""

    hits: list[AlertHit]
    total: Decimal
    undecided: int
    named: list[Named]
    more: int  # payments that are not shown


def contents_of(alerts: list[Alert]) -> Part[Contents]:
    """One question for the payments of these alerts."""
    rows = AlertHit.objects.filter(alert__in=alerts).select_related("transaction")
    hits = yield rows.order_by("transaction__event_time", "transaction_id")[:MOST]
    count = sum(alert.hit_count for alert in alerts)
    total = sum((alert.total for alert in alerts), Decimal(0))
    undecided = sum(alert.is_open for alert in alerts)
    return Contents(hits, total, undecided, _named(hits), max(0, count - len(hits)))


def others_of(case: Case, user: Any) -> "QuerySet[Alert]":
    """Open alerts about the same subject that are in no case yet, the most urgent first."""
    if not case.takes_content:
        return Alert.objects.none()
    return Alert.objects.visible_to(user).growing().about(case.subject).by_urgency()[:OTHERS]


def _named(hits: list[AlertHit]) -> list[Named]:
    found: list[Named] = []
    for kind, column in NAMED:
        counts = Counter(filter(None, (getattr(hit.transaction, column) for hit in hits)))
        title = Alert.Kind(kind).label
        found += [Named(kind, title, value, n) for value, n in counts.most_common(TOP)]
    return found
