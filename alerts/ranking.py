"""The order of open alerts follows the cost model: when that changes, they are reckoned anew.

In steps of a few hundred alerts, each a short transaction with its checkpoint, so that a process
that dies goes on where the last step ended, and nobody who decides an alert waits for all of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Max

from alerts.grouping import expected_loss
from alerts.models import Alert, AlertHit, Reranking
from anomalyshield import bell, leases
from anomalyshield.audit.record import record
from anomalyshield.rows import rewrite
from scoring import costs
from scoring.engine.costs import Costs

STEP = 500  # alerts reckoned anew in one transaction
WORK = "reranking"


def follow() -> None:
    """Leave the work there is since the cost model in force was put into force; a pulse does it."""
    latest = (
        Reranking.objects.aggregate(of=Max("version"))["of"] or 0
    )  # 0: raised by an earlier release
    version = costs.active().version
    if version > latest:
        with transaction.atomic():
            Reranking.objects.bulk_create([Reranking(version=version)], ignore_conflicts=True)
            bell.leave(WORK)


def perform(row: Reranking) -> None:
    """All open alerts, the oldest first, step by step."""
    while True:
        with transaction.atomic():
            figures = Costs.from_dict(costs.active().values)
            waiting = Alert.objects.open().filter(pk__gt=row.through).order_by("pk")
            alerts = list(waiting.select_for_update(of=("self",))[:STEP])
            moved = rank(alerts, figures)
            if len(alerts) < STEP:
                _done(row, row.alerts + moved)
                return
            leases.checkpoint(row, through=alerts[-1].pk, alerts=row.alerts + moved)


def anew(alerts: Sequence[Alert]) -> None:
    """Reckon open again what was not while another cost model may have come into force, within the
    caller's transaction: nobody replaces the model before that ends."""
    rank(alerts, Costs.from_dict(costs.held().values))


def rank(alerts: Sequence[Alert], figures: Costs) -> int:
    """Reckon these, which the caller holds, from all their payments; how many stand elsewhere."""
    sums = _sums(alerts, figures)
    moved = [one for one in alerts if one.expected_loss != sums[one.pk]]
    for one in moved:
        one.expected_loss = sums[one.pk]
    rewrite(moved, ["expected_loss"])
    return len(moved)


def _sums(alerts: Iterable[Alert], figures: Costs) -> dict[int, Decimal]:
    sums: dict[int, Decimal] = defaultdict(Decimal)
    hits = AlertHit.objects.filter(alert__in=[one.pk for one in alerts])
    for hit in (
        hits.select_related("decision")
        .defer("decision__hits")
        .annotate(units=F("transaction__amount_units"))
    ):
        sums[hit.alert_id] += expected_loss(hit.decision, hit.units, figures)
    return sums


def _done(row: Reranking, moved: int) -> None:
    record(by="worker", action="alerts.reranked", object=row, after={"alerts": moved})
    leases.finish(row, alerts=moved)
