"""Whatever people do, every flagged payment is in one alert, or kept out by one suppression.

And whoever looked at an alert is told of each payment that came to it since.
"""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.utils import timezone

from alerts import duplicates, regrouping, routing, snoozing, suppressing, triage
from alerts.entity import hits_of
from alerts.guards import Refused
from alerts.models import Alert, AlertHit, Regrouping, Snooze, SuppressedHit, Suppression
from anomalyshield.together import alone
from cases import workflow
from scoring.models import Label
from tests.alerts import making

FRAUD, LEGITIMATE = "TRUE_POSITIVE_FRAUD", "FALSE_POSITIVE"


class Desk:
    """Two people at one queue who do whatever the dice say; what is refused changes nothing."""

    def __init__(self, seed: str, ana: Any, lena: Any) -> None:
        self.dice, self.ana, self.lena = Random(seed), ana, lena
        self.flagged: list[int] = []
        self.looked: dict[int, set[int]] = {}  # alert → the hits that ana saw
        self.did: set[str] = set()

    def pay(self) -> None:
        paid = making.payment(
            self.dice.choice(["ann", "bob"]), str(self.dice.randint(1, 900)),
            card_id=self.dice.choice(["", "card-1"]),
            event_time=timezone.now() - timedelta(hours=self.dice.uniform(0, 60)),
        )  # fmt: skip
        large = self.dice.random() < 0.5
        score = self.dice.choice([0.2, 0.4]) if large else self.dice.uniform(0.71, 0.89)
        codes = ["HIGH_AMOUNT"] if large else []
        self.flagged.append(making.decision(paid, score=score, reason_codes=codes).pk)

    def alerts(self, **asked: Any) -> list[Alert]:
        return list(Alert.objects.filter(**asked).order_by("pk"))

    def one(self) -> Alert | None:
        there = self.alerts()
        return self.dice.choice(there) if there else None

    def step(self) -> None:
        verbs = ["route", "sweep", "decide", "undo", "escalate", "snooze", "wake", "tick", "merge",
                 "split", "unite", "suppress", "end", "duplicate", "look", "look"]  # fmt: skip
        verb = self.dice.choice(verbs)
        try:
            getattr(self, verb)()
        except Refused:
            return
        self.did.add(verb)

    def route(self) -> None:
        routing.raise_alerts(self.dice.sample(self.flagged, len(self.flagged) // 2))

    def sweep(self) -> None:
        routing.sweep()

    def decide(self) -> None:
        if alert := self.one():
            meant = self.dice.choice([FRAUD, LEGITIMATE, "INCONCLUSIVE"])
            triage.decide(by=self.ana, alert=alert, disposition=meant)

    def undo(self) -> None:
        if closed := self.alerts(status="CLOSED"):
            triage.undo(by=self.lena, alert=closed[-1])

    def escalate(self) -> None:
        if (alert := self.one()) and self.dice.random() < 0.3:
            workflow.escalate(by=self.lena, alert=alert)

    def snooze(self) -> None:
        if alert := self.one():
            until = timezone.now() + timedelta(hours=1)
            asked = self.dice.random() < 0.5
            snoozing.snooze(by=self.lena, alert=alert, until=until, reason="x", for_customer=asked)

    def wake(self) -> None:
        if asleep := self.alerts(status__in=Alert.ASLEEP):
            snoozing.wake(by=self.lena, alert=asleep[0])

    def tick(self) -> None:
        Alert.objects.asleep().update(snoozed_until=timezone.now() - timedelta(seconds=1))
        snoozing.wake_due()

    def merge(self) -> None:
        there = self.alerts(status__in=["NEW", "ASSIGNED"])
        if len(there) > 1:
            into, *others = self.dice.sample(there, min(len(there), 3))
            same = [one for one in others if one.entity == into.entity]
            regrouping.merge(by=self.lena, into=into, alerts=same)

    def split(self) -> None:
        if groups := self.alerts(hit_count__gt=1):
            alert = self.dice.choice(groups)
            mine = list(alert.hits.values_list("transaction_id", flat=True))
            part = self.dice.sample(mine, self.dice.randint(1, len(mine) - 1))
            regrouping.split(by=self.lena, alert=alert, payments=part)

    def unite(self) -> None:
        if done := Regrouping.objects.filter(undone_at=None).first():
            regrouping.undo(by=self.lena, regrouping=done)

    def suppress(self) -> None:
        if alert := self.one():
            code = self.dice.choice(["HIGH_AMOUNT", "SCORE"])
            until = timezone.now() + timedelta(days=1)
            suppressing.suppress(
                by=self.ana, alert=alert, codes=[code], kind="user", expires_at=until, reason="x"
            )

    def end(self) -> None:
        if made := Suppression.objects.living().first():
            suppressing.end(by=self.ana, suppression=made, reason="x")

    def duplicate(self) -> None:
        alert, of = self.one(), self.one()
        if alert and of:
            duplicates.close_as_duplicate(by=self.lena, alert=alert, of=of)

    def look(self) -> None:
        if alert := self.one():
            self.looked[alert.pk] = {hit.pk for hit in alone(hits_of(alert, self.ana))}


@pytest.mark.django_db
@pytest.mark.parametrize("seed", ["Monday", "Tuesday", "Wednesday"])
def test_every_flagged_payment_is_reachable_whatever_people_do(seed, cards, ana, lena):
    making.assign_perm("work_queue", lena, cards)
    desk = Desk(seed, ana, lena)
    for _ in range(60):
        desk.pay()
        desk.step()
        desk.step()
    routing.sweep()
    assert len(desk.did) > 12

    in_alerts = AlertHit.objects.exclude(alert__status="MERGED").values_list("decision", flat=True)
    kept_out = SuppressedHit.objects.values_list("decision", flat=True)
    assert kept_out
    assert sorted([*in_alerts, *kept_out]) == sorted(desk.flagged)
    for alert in Alert.objects.all():
        whole(alert)
    for pk, seen in desk.looked.items():
        alert = Alert.objects.get(pk=pk)
        came = set(alert.hits.values_list("pk", flat=True)) - seen
        if came and alert.is_open:
            assert alert in Alert.objects.changed_for(ana)


def whole(alert: Alert) -> None:
    """What stands on it is of its payments; its verdict is about all of them, and no other's."""
    hits = list(alert.hits.select_related("transaction"))
    assert alert.hit_count == len(hits)
    assert alert.total == sum(hit.transaction.amount for hit in hits)
    assert alert.is_asleep == Snooze.objects.standing().filter(alert=alert).exists() or not (
        alert.is_asleep
    )
    if alert.status == "MERGED":
        assert not hits
        assert alert.merged_into_id
        return
    assert alert.risk_score == max(hit.score for hit in hits)
    assert alert.decision_id in {hit.decision_id for hit in hits}
    standing = alert.verdicts.filter(undone_at=None).first()
    assert (standing is not None) == (not alert.is_open)
    if standing is None:
        return
    labelled = Label.objects.standing().decisive().filter(transaction__hit__alert=alert)
    if alert.disposition == "DUPLICATE":
        assert not labelled.exists()
    else:
        assert {hit.pk for hit in hits} <= set(standing.consequences.values_list("hit", flat=True))
        assert labelled.count() == (len(hits) if alert.disposition != "INCONCLUSIVE" else 0)
