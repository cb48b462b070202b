"""The demo's fraud desk: what two analysts decided, what waits on their table, and its dates.

Everything is done by the verbs of the pages, today. Afterwards the rows are dated back to when the
story says it happened; the audit trail is not, and tells what was done when.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from alerts import snoozing, triage
from alerts.models import Alert, AlertHit, Consequence, Note, Verdict
from anomalyshield.accounts.models import User
from scoring.demo.story import Story
from scoring.demo.typologies import NAMES, REGISTER
from scoring.models import Label, Source

RECENT = 13  # days: since then this desk works, and no reports of other analysts come in
LAIN = 6  # days after which hardly anything is still open
FRESH_DAYS = 2.5  # in which every kind of fraud has happened; most of it waits
TYPOLOGY = {kind.name: kind.label or kind.name for kind in REGISTER}
FILE = Label.Origin.FILE
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
AT_ONCE = 50  # decisions in one commit: a disk takes its time for each
ARRIVES = 0.08  # a payment of two days ago came with the file of four hours ago
SAID = {
    Alert.Disposition.TRUE_POSITIVE_FRAUD: "The customer did not make this payment.",
    Alert.Disposition.FALSE_POSITIVE: "Called the customer, who made this payment.",
    Alert.Disposition.BENIGN_POSITIVE: "On a journey; the airline confirms the booking.",
    Alert.Disposition.INCONCLUSIVE: "Not reached in three calls.",
}


@dataclass
class Item:
    """One alert, what its payments really were, and when the story has it opened and closed."""

    alert: Alert
    kind: str  # of most of the fraudulent ones; "" when all are honest
    age: timedelta  # of the last of them, at the story's end
    told: bool  # somebody outside has said that it was fraud
    waits: bool = False
    opened: datetime | None = None
    closed: datetime | None = None

    @property
    def number(self) -> int:
        """The same in every demo of this seed, whatever the database calls it."""
        return int(self.alert.transaction.external_id.rpartition("-")[2])


class Desk:
    """The table of ana and lena, with every alert of the story on it."""

    def __init__(self, story: Story, source: Source) -> None:
        self.source, self.until, self.truth = source, story.until, story.typology_of()
        self.ana, self.lena = User.objects.filter(username__in=("ana", "lena")).order_by("username")
        self.items = [self._item(alert) for alert in _alerts(source)]
        for item in self.items:
            item.waits = _waits(item)
        for kind in NAMES:  # nothing of a kind left? Then the last one of it was not decided yet
            own = [one for one in self.items if one.kind == kind and not one.told]
            if own and not any(one.waits for one in own):
                min(own, key=lambda one: one.age).waits = True

    def _item(self, alert: Alert) -> Item:
        payments = [hit.transaction for hit in alert.hits.all()]
        kinds = sorted(filter(None, (self.truth[one.external_id] for one in payments)))
        return Item(
            alert=alert,
            kind=max(kinds, key=kinds.count, default=""),
            age=self.until - alert.last_event,
            told=any(label.origin == FILE for one in payments for label in one.labels.all()),
        )

    @property
    def waiting(self) -> list[Item]:
        return [one for one in self.items if one.waits]

    def decide(self, items: Iterable[Item]) -> None:
        """What is not decided yet of these, some at a time in one commit."""
        undone = [one for one in items if one.alert.is_open]
        for start in range(0, len(undone), AT_ONCE):
            with transaction.atomic():
                for item in undone[start : start + AT_ONCE]:
                    self._decide(item)

    def _decide(self, item: Item) -> None:
        meant = disposition(item)
        item.alert = triage.decide(
            by=(self.ana, self.lena)[item.number % 2],
            alert=item.alert,
            disposition=meant,
            typology=TYPOLOGY.get(item.kind, ""),
            note=SAID[meant] if item.number % 5 == 0 else "",
            confidence=_confidence(item),
            worth_reviewing=None if item.number % 3 else bool(item.kind),
        )

    def take_up(self) -> None:
        """The analysts have begun: a few alerts are theirs, one customer was not reached, and one
        alert waits until tomorrow for an answer."""
        free = [one.alert for one in self.waiting if one.alert.status == Alert.Status.NEW]
        free.sort(key=lambda alert: (-alert.expected_loss, alert.pk))
        for by, alert in zip((self.ana, self.lena, self.ana), free[2:8:2], strict=False):
            triage.claim(by=by, alert=alert)
            if not alert.notes.exists():
                triage.comment(by=by, alert=alert, text="Customer not reached; again at three.")
        for alert in free[8:9]:
            until, why = timezone.now() + timedelta(hours=20), "Customer not reached; tomorrow."
            snoozing.snooze(by=self.ana, alert=alert, until=until, reason=why, for_customer=True)

    @transaction.atomic
    def date_back(self) -> None:
        """Alerts, verdicts, labels and notes to the hours at which the story has them made."""
        for item in self.items:
            self._date(item)
        names = ["created_at", "last_hit_at", "due_at", "closed_at"]
        Alert.objects.bulk_update([one.alert for one in self.items], names, batch_size=200)
        closed = [one.alert.pk for one in self.items if one.closed]
        when = Subquery(Alert.objects.filter(pk=OuterRef("alert")).values("closed_at"))
        Verdict.objects.filter(alert__in=closed).update(at=when)
        Note.objects.filter(alert__in=closed).update(at=when)
        opened = Alert.objects.filter(pk=OuterRef("alert")).values("created_at")
        AlertHit.objects.filter(transaction__source=self.source).update(at=Subquery(opened))
        given = Consequence.objects.filter(verdict__alert__in=closed, label__isnull=False)
        said = given.filter(label=OuterRef("pk")).values("verdict__at")[:1]
        Label.objects.filter(pk__in=given.values("label")).update(known_at=Subquery(said))

    def _date(self, item: Item) -> None:
        alert = item.alert
        opened = alert.last_event + timedelta(seconds=90)
        if item.waits and item.age < FRESH_DAYS * DAY:
            opened = self.until - ARRIVES * item.age
        alert.created_at = alert.last_hit_at = item.opened or opened
        alert.due_at = alert.created_at + timedelta(minutes=alert.queue.sla_minutes)
        if not alert.is_open:
            item.closed = item.closed or self._closed(item)
            alert.closed_at = item.closed

    def _closed(self, item: Item) -> datetime:
        """Within a shift; yesterday what is of the last days, and some that had lain for longer."""
        dice = np.random.default_rng(item.number)
        if item.age < FRESH_DAYS * DAY or (item.age < LAIN * DAY and item.number % 2):
            return self.until - dice.uniform(14, 22) * HOUR
        hours = min(2.2 * float(np.exp(0.8 * dice.standard_normal())), 18.0)
        return item.alert.last_event + timedelta(minutes=10) + hours * HOUR


def disposition(item: Item) -> Alert.Disposition:
    """What the desk says. Now and then it cannot say, and a careful thief fools it."""
    if not item.told and item.number % 29 == 0:
        return Alert.Disposition.INCONCLUSIVE
    if item.kind and (item.told or item.number % 17):
        return Alert.Disposition.TRUE_POSITIVE_FRAUD
    journeys = item.number % 3 == 0
    return Alert.Disposition.BENIGN_POSITIVE if journeys else Alert.Disposition.FALSE_POSITIVE


def _confidence(item: Item) -> Verdict.Confidence:
    """Mostly fairly sure, as people are."""
    said = {0: Verdict.Confidence.UNSURE, 1: Verdict.Confidence.SURE, 2: Verdict.Confidence.SURE}
    return said.get(item.number % 9, Verdict.Confidence.FAIRLY)


def _waits(item: Item) -> bool:
    """Most of the last days, and a few of those before: a desk is never quite through."""
    if item.told or item.age >= LAIN * DAY:
        return False
    if item.age >= FRESH_DAYS * DAY:
        return item.number % (4 if item.kind else 2) == 0
    return item.age < DAY or not item.kind or item.number % 3 > 0


def _alerts(source: Source) -> Iterable[Alert]:
    found = Alert.objects.filter(transaction__source=source).select_related("transaction", "queue")
    return found.prefetch_related("hits__transaction__labels").order_by("pk")
