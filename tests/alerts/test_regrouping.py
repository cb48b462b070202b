"""Alerts merged, split and closed as duplicates: payments move, and every one stays reachable."""

from decimal import Decimal
from typing import Any

import pytest

from alerts import duplicates, regrouping, routing, snoozing, triage
from alerts.guards import Refused
from alerts.models import Alert, AlertHit, Look, Profile, Regrouping
from anomalyshield.audit.models import AuditEvent
from scoring.models import Decision, Label
from tests.alerts import making
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
FRAUD = "TRUE_POSITIVE_FRAUD"


def rows() -> list[dict[str, Any]]:
    """Every alert and every hit, byte for byte."""
    hits = list(AlertHit.objects.order_by("pk").values())
    return [*Alert.objects.order_by("pk").values(), *hits]


def group(*amounts: str, user: str = "customer-0042", score: float = 0.8) -> Alert:
    """One alert with a payment of each amount."""
    known = set(Alert.objects.values_list("pk", flat=True))
    for number, amount in enumerate(amounts):
        making.decision(making.payment(user, amount), score=score + number / 100)
    routing.sweep()
    return Alert.objects.exclude(pk__in=known).get()


def test_merged_payments_are_of_the_survivor_and_the_other_points_to_it(cards, ana):
    into, other = making.alert(cards, amount="100"), making.alert(cards, amount="300", score=0.9)
    Alert.objects.filter(pk=other.pk).update(due_at=into.created_at)
    regrouping.merge(by=ana, into=into, alerts=[other])
    into.refresh_from_db()
    other.refresh_from_db()
    assert (into.hit_count, into.total, into.risk_score) == (2, Decimal(400), 0.9)
    assert into.decision_id == other.decision_id
    assert into.due_at == into.created_at
    assert (other.status, other.merged_into, other.hit_count) == ("MERGED", into, 0)
    assert list(Alert.objects.open()) == [into]
    told = AuditEvent.objects.filter(action="alert.merged")
    assert {one.object_id for one in told} == {str(into.pk), str(other.pk)}


def test_a_verdict_on_the_survivor_is_about_all_of_them_and_its_undo_too(cards, ana):
    into, other = making.alert(cards), making.alert(cards)
    regrouping.merge(by=ana, into=into, alerts=[other])
    triage.decide(by=ana, alert=into, disposition=FRAUD, seen=2)
    said = Label.objects.standing().filter(value="TRUE_FRAUD")
    assert said.count() == 2
    with pytest.raises(Refused, match=f"merged into {into}"):
        triage.claim(by=ana, alert=other)
    triage.undo(by=ana, alert=into)
    assert said.count() == 0


def test_taken_back_everything_is_as_it_was(cards, ana):
    into, others = making.alert(cards), [making.alert(cards, score=0.9), group("5", "6")]
    before = rows()
    done = regrouping.merge(by=ana, into=into, alerts=others)
    assert Alert.objects.open().get() == into
    regrouping.undo(by=ana, regrouping=done)
    assert rows() == before
    with pytest.raises(Refused, match="already"):
        regrouping.undo(by=ana, regrouping=done)


def test_what_joined_the_survivor_meanwhile_stays_there(cards, ana):
    into, other = group("10"), making.alert(cards, amount="500", score=0.9)
    done = regrouping.merge(by=ana, into=into, alerts=[other])
    making.decision(making.payment(amount="7"))
    routing.sweep()
    regrouping.undo(by=ana, regrouping=done)
    into.refresh_from_db()
    assert (into.hit_count, into.total) == (2, Decimal(17))
    assert into.amount == Decimal(10)
    assert Alert.objects.get(pk=other.pk).hit_count == 1


def test_once_somebody_went_on_it_stays(cards, ana):
    into, other = making.alert(cards), making.alert(cards)
    done = regrouping.merge(by=ana, into=into, alerts=[other])
    triage.decide(by=ana, alert=into, disposition=FRAUD)
    with pytest.raises(Refused, match="went on with"):
        regrouping.undo(by=ana, regrouping=done)
    bob = making.queue_member("bob", cards)
    with pytest.raises(Refused, match="Ana did it"):
        regrouping.undo(by=bob, regrouping=done)


def test_a_split_is_an_alert_of_its_own_and_can_be_taken_back(cards, ana):
    alert = group("10", "20", "30")
    first = alert.hits.order_by("pk").first()
    before = rows()
    done = regrouping.split(by=ana, alert=alert, payments=[first.transaction_id])
    alert.refresh_from_db()
    assert (alert.hit_count, alert.total) == (2, Decimal(50))
    assert (done.into.hit_count, done.into.total, done.into.due_at) == (1, 10, alert.due_at)
    making.decision(making.payment(amount="40"))
    routing.sweep()
    assert Alert.objects.get(pk=done.into_id).hit_count == 1  # it takes nothing more
    assert Alert.objects.get(pk=alert.pk).hit_count == 3
    AlertHit.objects.filter(amount=40).delete()
    Alert.objects.filter(pk=alert.pk).update(
        **{name: value for name, value in before[0].items() if name not in ("id", "urgency")}
        | {"hit_count": 2}
    )
    regrouping.undo(by=ana, regrouping=done)
    part = Alert.objects.get(pk=done.into_id)
    assert (part.status, part.merged_into) == ("MERGED", alert)
    assert [one for one in rows() if one["id"] != part.pk or "alert_id" in one] == before


def test_a_split_says_what_it_cannot(cards, ana):
    alert, other = group("10", "20"), making.alert(cards)
    mine = list(alert.hits.values_list("transaction_id", flat=True))
    for chosen in ([], mine, [other.transaction_id], [mine[0], other.transaction_id]):
        with pytest.raises(Refused, match="leave at least one"):
            regrouping.split(by=ana, alert=alert, payments=chosen)


def test_only_what_belongs_together_is_merged(cards, loans, ana, adam):
    alert = making.alert(cards)
    away = making.alert(loans)
    for other, sentence in (
        (away, "another queue"),
        (making.alert(cards, user="somebody"), "nobody in common"),
        (alert, "other alerts"),
        (snoozing.snooze(by=ana, alert=making.alert(cards), until=alert.due_at, reason="x"),
         "is snoozed"),
        (triage.escalate(by=ana, alert=making.alert(cards), why="C-1"), "part of a case"),
        (triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD), "already decided"),
        (triage.claim(by=making.queue_member("bob", cards), alert=making.alert(cards)), "Bob is"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=sentence):
            regrouping.merge(by=ana, into=alert, alerts=[other])


def test_an_alert_does_not_outgrow_what_one_verdict_labels(cards, ana, monkeypatch):
    monkeypatch.setattr(Alert, "MOST", 2)
    into, other = group("1", "2"), making.alert(cards)
    with pytest.raises(Refused, match="at most 2"):
        regrouping.merge(by=ana, into=into, alerts=[other])


def test_moved_payments_are_new_to_whoever_looked_before(cards, ana, as_ana):
    into, other = making.alert(cards), making.alert(cards)
    as_ana.get(f"/alerts/{into.pk}/")
    done = regrouping.merge(by=ana, into=into, alerts=[other])
    assert list(Alert.objects.changed_for(ana)) == [into]
    assert as_ana.get(f"/alerts/{into.pk}/").content.count(b">new</span>") == 1
    regrouping.undo(by=ana, regrouping=done)
    assert Look.objects.get(alert=into).hits == 1
    assert not Look.objects.filter(behind=True).exists()
    assert not Alert.objects.changed_for(ana).exists()


def test_the_vector_kept_is_that_of_the_payment_that_leads(cards, ana):
    into, other = making.alert(cards), making.alert(cards, score=0.9)
    Profile.objects.create(alert=into, spec="s", vector=b"12345678")
    done = regrouping.merge(by=ana, into=into, alerts=[other])
    assert not Profile.objects.exists()  # none was kept of the other payment
    regrouping.undo(by=ana, regrouping=done)
    assert Alert.objects.get(pk=into.pk).decision_id == into.decision_id


def test_pages_merge_split_and_undo(cards, as_ana):
    into, other = making.alert(cards, amount="90"), making.alert(cards, amount="10")
    answer = as_ana.post(f"/alerts/{into.pk}/merge/", {"other": [other.pk]}, follow=True)
    assert f"{other} merged into {into}." in answer.content.decode()
    assert as_ana.get(f"/alerts/{other.pk}/").url == f"/alerts/{into.pk}/"
    paid = other.transaction_id
    answer = as_ana.post(f"/alerts/{into.pk}/split/", {"payment": [paid]}, follow=True)
    assert "1 payment split off into" in answer.content.decode()
    last = Regrouping.objects.first()
    as_ana.post(f"/alerts/{into.pk}/regroupings/{last.pk}/undo/")
    assert Alert.objects.get(pk=into.pk).hit_count == 2
    assert as_ana.post(f"/alerts/{into.pk}/regroupings/999/undo/").status_code == 404
    assert as_ana.post(f"/alerts/{into.pk}/merge/").status_code == 409


# --- duplicates


def held() -> dict[int, str]:
    return {one.pk: one.standing for one in Decision.objects.with_standing()}


def test_a_duplicate_gives_no_label_and_follows_the_original(cards, ana):
    alert, of = making.alert(cards), making.alert(cards)
    duplicates.close_as_duplicate(by=ana, alert=alert, of=of)
    assert (Label.objects.count(), held()[alert.decision_id]) == (0, "HELD")
    triage.decide(by=ana, alert=of, disposition=FRAUD)
    assert held() == {alert.decision_id: "DECLINED", of.decision_id: "DECLINED"}
    assert Label.objects.get().transaction_id == of.transaction_id
    triage.undo(by=ana, alert=of)
    assert set(held().values()) == {"HELD"}


def test_a_duplicate_of_what_is_decided_follows_at_once_and_is_taken_back(cards, ana):
    alert, of = making.alert(cards), making.alert(cards)
    triage.decide(by=ana, alert=of, disposition="FALSE_POSITIVE")
    before = Alert.objects.filter(pk=alert.pk).values().get()
    duplicates.close_as_duplicate(by=ana, alert=alert, of=of, note="Sent twice.")
    assert held()[alert.decision_id] == "RELEASED"
    triage.undo(by=ana, alert=alert)
    assert Alert.objects.filter(pk=alert.pk).values().get() == before
    assert held()[alert.decision_id] == "HELD"


def test_what_is_no_duplicate_is_told(cards, ana):
    alert, of = making.alert(cards), making.alert(cards)
    third = duplicates.close_as_duplicate(by=ana, alert=making.alert(cards), of=of)
    for wrong, sentence in (
        (alert, "itself"),
        (third, "name that one"),
        (making.alert(cards, user="somebody"), "nobody in common"),
    ):
        with pytest.raises(Refused, match=sentence):
            duplicates.close_as_duplicate(by=ana, alert=alert, of=wrong)
    with pytest.raises(Refused, match="duplicates of"):
        duplicates.close_as_duplicate(by=ana, alert=of, of=alert)


def test_a_duplicate_is_no_alert_that_was_right_or_wrong(cards, ana, as_ana):
    alert, of = making.alert(cards), making.alert(cards)
    triage.decide(by=ana, alert=of, disposition=FRAUD)
    as_ana.post(f"/alerts/{alert.pk}/duplicate/", {"of": f"a-{of.pk}"})
    assert Alert.objects.get(pk=alert.pk).duplicate_of == of
    shown = as_ana.get("/alerts/").context["figures"]
    assert (shown.judged, shown.precision) == (1, 1.0)
    for wrong in ("", "the other", "99999"):
        answer = as_ana.post(f"/alerts/{of.pk}/duplicate/", {"of": wrong})
        assert answer.status_code == 400


def test_an_alert_of_another_queue_is_not_named(cards, loans, as_ana):
    alert, away = making.alert(cards), making.alert(loans)
    answer = as_ana.post(f"/alerts/{alert.pk}/duplicate/", {"of": str(away.pk)})
    assert answer.status_code == 400
    assert client_of(making.queue_member("bob", loans)).get(f"/alerts/{alert.pk}/").status_code
