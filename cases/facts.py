"""What the rows of a case say, gathered once: for the draft of a report and for its table."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from alerts.models import Alert, AlertHit
from anomalyshield.together import answered
from cases.models import Case, Evidence
from cases.states import Refused
from scoring.engine.transaction import UNITS
from scoring.models import Transaction
from scoring.personal import IDS, as_sent


@dataclass(frozen=True)
class Payment:
    """A payment of the case and the alert that brought it."""

    row: Transaction
    alert: int
    score: float

    @property
    def base(self) -> Decimal:
        """In the base currency."""
        return Decimal(self.row.amount_units) / UNITS


@dataclass(frozen=True)
class Facts:
    """A case with its alerts, payments in the order of their time, and evidence."""

    case: Case
    alerts: list[Alert]
    payments: list[Payment]
    evidence: list[Evidence]
    subject: str  # whom it is about, by the name that the outside knows
    currency: str = field(default_factory=lambda: settings.BASE_CURRENCY)

    @property
    def total(self) -> Decimal:
        """Of all payments, in the base currency."""
        return sum((one.base for one in self.payments), Decimal(0))

    @property
    def first(self) -> datetime:
        return self.payments[0].row.event_time

    @property
    def last(self) -> datetime:
        return self.payments[-1].row.event_time


def facts_of(case: Case, by: Any) -> Facts:
    """Refused, with a sentence, when some of its alerts lie in queues this person does not work:
    they would be missing, and nobody would see it."""
    hits = AlertHit.objects.filter(alert__cases=case).select_related("transaction")
    found, seen, brought, evidence = answered(
        (
            case.alerts.select_related("closed_by", "decision__explanation").order_by("pk"),
            Alert.objects.visible_to(by).filter(cases=case).values_list("pk", flat=True),
            hits,
            case.evidence.all(),
        )
    )
    if not {alert.pk for alert in found} <= set(seen):
        raise Refused(
            _("{case} holds alerts of a queue you do not work: they would be missing.").format(
                case=case
            )
        )
    payments = [Payment(hit.transaction, hit.alert_id, hit.score) for hit in brought]
    payments.sort(key=lambda one: (one.row.event_time, one.row.pk))
    names: dict[str, str] = {}
    for one in payments:
        names |= _unveiled(one.row)
    return Facts(case, found, payments, evidence, names.get(case.subject, case.subject))


def _unveiled(row: Transaction) -> dict[str, str]:
    """Put the ids as they were sent in the place of tokens, in this copy alone: a report is for
    somebody who knows no tokens. Token → id."""
    names = {getattr(row, name): as_sent(row, name) for name in IDS}
    for name in IDS:
        setattr(row, name, names[getattr(row, name)])
    return names
