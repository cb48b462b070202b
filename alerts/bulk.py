"""Many alerts at once, for leads: looked over first, one reason, each in its own transaction.

Every alert is decided, assigned or given back by the verb that does it for one, with its own
event, its own verdict and its own labels; what one of them refuses is told beside it and leaves
the others as they are. For ten minutes the whole of it can be taken back.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts import guards, snoozing, triage
from alerts.listing import edge_of, narrow, question, up_to
from alerts.models import Alert, Bulk, BulkItem
from alerts.visibility import queues_of
from anomalyshield.audit.record import record

MOST = 200  # one request does them all: so many take seconds, not minutes
Refused = triage.Refused


@dataclass(frozen=True)
class Choice:
    """One alert that was looked over, with as many payments as it had then."""

    alert: int
    seen: int | None = None


@dataclass(frozen=True)
class Preview:
    """Those it would be done to, how different they are, and those left out."""

    alerts: list[Alert]
    held: list[Alert]
    more: bool  # than are done at once

    @property
    def levels(self) -> list[tuple[str, int]]:
        return Counter(alert.level for alert in self.alerts).most_common()

    @property
    def suspicions(self) -> list[tuple[str, int]]:
        said = (alert.get_suspected_display() or _("No suspicion") for alert in self.alerts)
        return Counter(said).most_common()

    @property
    def by_level(self) -> dict[str, int]:
        return dict(self.levels)

    @property
    def by_suspicion(self) -> dict[str, int]:
        return dict(self.suspicions)

    @property
    def entities(self) -> int:
        return len({(alert.entity_kind, alert.entity) for alert in self.alerts})

    @property
    def payments(self) -> int:
        return sum(alert.hit_count for alert in self.alerts)

    @property
    def totals(self) -> tuple[Decimal, Decimal]:
        """The least and the most one of them is about, in the base currency."""
        sums = [alert.total for alert in self.alerts] or [Decimal(0)]
        return min(sums), max(sums)

    @property
    def scores(self) -> tuple[float, float]:
        scores = [alert.risk_score for alert in self.alerts] or [0.0]
        return min(scores), max(scores)


def ticked(by: Any, ids: Sequence[int]) -> Preview:
    """These alerts, as far as this person sees them and they are open."""
    seen = Alert.objects.visible_to(by).open().filter(pk__in=ids[: MOST + 1])
    return _preview(by, list(seen.for_rows().by_urgency()))


def matching(by: Any, asked: Mapping[str, Any]) -> Preview:
    """All open alerts that answer filters and search, not only those of one page; the most urgent
    ones when there are more than are done at once."""
    asks = question(asked, by, list(queues_of(by)))
    alerts = narrow(Alert.objects.all(), asks.filters, by).open()
    edge = None
    if asks.rest is not None:
        edge = edge_of(alerts, asks.queues, Alert.URGENCY)
        alerts = up_to(alerts, Alert.URGENCY, edge).filter(asks.rest)
    ids = [row[-1] for row in alerts.across(asks.queues, Alert.URGENCY, MOST + 1)]
    rows = Alert.objects.for_rows().in_bulk(ids)
    found = _preview(by, [rows[pk] for pk in ids if pk in rows])
    return Preview(found.alerts, found.held, found.more or edge is not None)


def act(
    *,
    by: Any,
    action: str,
    choices: Sequence[Choice],
    reason: str,
    disposition: str = "",
    typology: str = "",
    to: Any = None,
    until: datetime | None = None,
    confidence: str = "",
    worth_reviewing: bool | None = None,
) -> Bulk:
    """Do it to each of them, each in its own transaction together with what is noted of it.

    Not one transaction for all: locks on hundreds of rows would stop everybody else. What was
    done before a crash is noted with it, so nothing is half done and all of it can be undone.
    """
    _may(by)
    if not 0 < len(choices) <= MOST:
        raise Refused(_("Choose between 1 and {most} alerts.").format(most=MOST))
    if not reason.strip():
        raise Refused(_("Say why: one reason for all of them."))
    if action == Bulk.Action.DECIDE and not (disposition and by.may("label.write")):
        raise Refused(_("Analysts decide; say what they were."))
    if action == Bulk.Action.ASSIGN and to is None:
        raise Refused(_("Say who works on them from now on."))
    if action == Bulk.Action.SNOOZE and until is None:
        raise Refused(_("Say when they come back."))
    said = {"disposition": disposition, "typology": typology, "to": to, "until": until}
    said |= {"confidence": confidence, "worth_reviewing": worth_reviewing}
    bulk = _begin(by, action, reason.strip(), disposition, len(choices))
    for choice in {one.alert: one for one in choices}.values():
        _one(bulk, choice, said)
    return bulk


def undo(*, by: Any, bulk: Bulk) -> Bulk:
    """Take all of it back within ten minutes: every alert is as it was, labels, holds and lists
    with it, and upstream is told. What somebody went on with meanwhile stays, and is told."""
    _may(by)
    with transaction.atomic():
        bulk = Bulk.objects.select_for_update(of=("self",)).select_related("by").get(pk=bulk.pk)
        _undoable(bulk)
        bulk.undone_at, bulk.undone_by = timezone.now(), by
        bulk.save(update_fields=["undone_at", "undone_by"])
        record(by=by, action="bulk.undone", object=bulk)
    for item in bulk.items.filter(refusal="").select_related("alert").order_by("-pk"):
        _back(by, item)
    return bulk


def may_undo(by: Any, bulk: Bulk) -> bool:
    """Is it worth offering? The verb looks again."""
    fresh = timezone.now() - bulk.at < triage.UNDO_WITHIN
    return bulk.undone_at is None and fresh and guards.leads(by)


def of_person(by: Any) -> Any:
    """The acts somebody may look at: those that touched an alert of a queue they see."""
    seen = BulkItem.objects.filter(alert__queue__in=queues_of(by)).values("bulk")
    return Bulk.objects.filter(pk__in=seen).select_related("by", "undone_by")


@transaction.atomic
def _begin(by: Any, action: str, reason: str, disposition: str, many: int) -> Bulk:
    bulk = Bulk.objects.create(by=by, action=action, reason=reason, disposition=disposition)
    after = {"action": action, "disposition": disposition, "alerts": many}
    record(by=by, action="bulk.begun", object=bulk, after=after)
    return bulk


def _one(bulk: Bulk, choice: Choice, said: Mapping[str, Any]) -> None:
    found = Alert.objects.visible_to(bulk.by).filter(pk=choice.alert).first()
    if found is None:
        return  # of a foreign queue: it does not exist for them, and is told by no list
    item = BulkItem(bulk=bulk, alert=found)
    try:
        with transaction.atomic():
            _do(item, choice, said)
            item.save()
    except Refused as refusal:
        item.before, item.after, item.verdict = {}, {}, None
        item.refusal = str(refusal)
        item.save(force_insert=True)


def _do(item: BulkItem, choice: Choice, said: Mapping[str, Any]) -> None:
    bulk = item.bulk
    alert = Alert.objects.select_for_update(of=("self",)).get(pk=choice.alert)
    others = alert.is_open and alert.assignee_id not in {None, bulk.by_id}
    if others and bulk.action == Bulk.Action.DECIDE:
        raise Refused(
            _("{assignee} is working on {alert}: left out.").format(
                assignee=alert.assignee, alert=alert
            )
        )
    item.before = _state(alert)
    if bulk.action == Bulk.Action.DECIDE:
        alert = triage.decide(
            by=bulk.by,
            alert=alert,
            disposition=said["disposition"],
            typology=said["typology"],
            note=bulk.reason,
            seen=choice.seen,
            confidence=said["confidence"],
            worth_reviewing=said["worth_reviewing"],
        )
        item.verdict = alert.verdicts.get(undone_at=None)
    elif bulk.action == Bulk.Action.ASSIGN:
        alert = triage.assign(by=bulk.by, alert=alert, to=said["to"])
    elif bulk.action == Bulk.Action.SNOOZE:
        alert = snoozing.snooze(by=bulk.by, alert=alert, until=said["until"], reason=bulk.reason)
    else:
        alert = triage.release(by=bulk.by, alert=alert)
    item.alert, item.after = alert, _state(alert)


def _back(by: Any, item: BulkItem) -> None:
    try:
        with transaction.atomic():
            alert = Alert.objects.select_for_update(of=("self",)).get(pk=item.alert_id)
            if item.verdict_id:
                _still_that(alert, item)
                triage.undo(by=by, alert=alert)
            elif item.bulk.action == Bulk.Action.SNOOZE:
                _still_left(alert, item)
                snoozing.wake(by=by, alert=alert)
            else:
                triage.put_back(by=by, alert=alert, before=item.before, after=item.after)
            item.undone = True
            item.save(update_fields=["undone"])
    except Refused as refusal:
        item.refusal = str(refusal)
        item.save(update_fields=["refusal"])


def _still_left(alert: Alert, item: BulkItem) -> None:
    if _state(alert) != item.after:
        raise Refused(
            _("Somebody went on with {alert} meanwhile: it stays as it is.").format(alert=alert)
        )


def _still_that(alert: Alert, item: BulkItem) -> None:
    if not alert.verdicts.filter(pk=item.verdict_id, undone_at=None).exists():
        raise Refused(_("{alert} was taken back or decided anew meanwhile.").format(alert=alert))


def _state(alert: Alert) -> dict[str, Any]:
    return {"status": alert.status, "assignee_id": alert.assignee_id}


def _preview(by: Any, alerts: list[Alert]) -> Preview:
    free = [alert for alert in alerts if alert.assignee_id in {None, by.pk}]
    held = [alert for alert in alerts if alert.assignee_id not in {None, by.pk}]
    return Preview(free[:MOST], held, len(alerts) > MOST)


def _may(by: Any) -> None:
    if not guards.leads(by):
        raise Refused(_("A lead acts on many alerts at once."))


def _undoable(bulk: Bulk) -> None:
    if bulk.undone_at is not None:
        raise Refused(_("{bulk} was taken back already.").format(bulk=bulk))
    age = timezone.now() - bulk.at
    if age > triage.UNDO_WITHIN:
        raise Refused(
            _(
                "{bulk} was done {minutes} minutes ago. It can be undone for {minutes_2} minutes."
            ).format(
                bulk=bulk,
                minutes=int(age.total_seconds() // 60),
                minutes_2=int(triage.UNDO_WITHIN.total_seconds() // 60),
            )
        )
