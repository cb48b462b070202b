"""Claim, release, decide, comment, escalate: what changes, what is refused and in which words."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from alerts import triage
from alerts.models import Alert, Note
from anomalyshield.audit.models import AuditEvent
from scoring import labels
from scoring.models import Label
from tests.alerts import making

pytestmark = pytest.mark.django_db
FRAUD = Alert.Disposition.TRUE_POSITIVE_FRAUD


def events(alert: Alert) -> list[str]:
    found = AuditEvent.objects.filter(object_type="alerts.alert", object_id=str(alert.pk))
    return list(found.order_by("pk").values_list("action", flat=True))


def test_claiming_makes_it_theirs(ana, cards):
    alert = triage.claim(by=ana, alert=making.alert(cards))
    assert (alert.assignee, alert.status) == (ana, Alert.Status.ASSIGNED)
    assert events(alert) == ["alert.claimed"]


def test_the_second_to_claim_is_told_who_won(ana, cards):
    rival = making.queue_member("ines", cards)
    alert = triage.claim(by=ana, alert=making.alert(cards))
    with pytest.raises(triage.Refused, match="Ana is working on A-"):
        triage.claim(by=rival, alert=alert)


def test_a_lead_may_take_over(ana, lena, cards):
    alert = triage.claim(by=ana, alert=making.alert(cards))
    assert triage.claim(by=lena, alert=alert).assignee == lena


def test_released_it_waits_for_anybody(ana, cards):
    alert = triage.claim(by=ana, alert=making.alert(cards))
    alert = triage.release(by=ana, alert=alert)
    assert (alert.assignee, alert.status) == (None, Alert.Status.NEW)
    assert events(alert) == ["alert.claimed", "alert.released"]


def test_nobody_releases_what_someone_else_works_on(ana, cards):
    rival = making.queue_member("ines", cards)
    alert = triage.claim(by=ana, alert=making.alert(cards))
    with pytest.raises(triage.Refused, match="Ana is working"):
        triage.release(by=rival, alert=alert)


@pytest.mark.parametrize(
    "disposition, value",
    [
        ("TRUE_POSITIVE_FRAUD", "TRUE_FRAUD"),
        ("FALSE_POSITIVE", "FALSE_POSITIVE"),
        ("BENIGN_POSITIVE", "FALSE_POSITIVE"),
        ("INCONCLUSIVE", "INCONCLUSIVE"),
    ],
)
def test_a_decision_closes_the_alert_and_labels_its_transaction(ana, cards, disposition, value):
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition=disposition)
    assert (alert.status, alert.closed_by, alert.disposition) == ("CLOSED", ana, disposition)
    label = Label.objects.get(transaction=alert.transaction)
    assert (label.value, label.labeller, label.origin) == (value, ana, "DISPOSITION")
    assert events(alert) == ["alert.decided"]


def test_a_typology_is_kept_for_fraud_only(ana, cards):
    fraud = triage.decide(
        by=ana, alert=making.alert(cards), disposition=FRAUD, typology="CARD_TESTING"
    )
    legitimate = triage.decide(
        by=ana, alert=making.alert(cards), disposition="FALSE_POSITIVE", typology="CARD_TESTING"
    )
    assert (fraud.typology, legitimate.typology) == ("CARD_TESTING", "")
    assert Label.objects.get(transaction=fraud.transaction).typology == "CARD_TESTING"


def test_a_note_is_kept_on_the_alert_but_never_in_the_trail(ana, cards):
    words = "Spoke to Mrs Example"
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD, note=words)
    assert alert.notes.get().text == words
    assert not [e for e in AuditEvent.objects.all() if words in f"{e.reason}{e.before}{e.after}"]


def test_deciding_twice_is_refused_and_changes_nothing(ana, lena, cards):
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD)
    with pytest.raises(triage.Refused, match=r"A-\d+ was already decided by Ana: fraud\."):
        triage.decide(by=lena, alert=alert, disposition="FALSE_POSITIVE")
    alert.refresh_from_db()
    assert (alert.disposition, alert.closed_by) == (FRAUD, ana)
    assert Label.objects.get().value == "TRUE_FRAUD"


def test_nobody_decides_what_someone_else_works_on(ana, cards):
    rival = making.queue_member("ines", cards)
    alert = triage.claim(by=rival, alert=making.alert(cards))
    with pytest.raises(triage.Refused, match="Ines is working on"):
        triage.decide(by=ana, alert=alert, disposition=FRAUD)
    assert not Label.objects.exists()


def test_when_the_label_fails_the_alert_stays_open(ana, cards, monkeypatch):
    alert = making.alert(cards)

    def broken(**_: object) -> None:
        raise IntegrityError("the disk is full")

    monkeypatch.setattr(labels, "give_all", broken)
    with pytest.raises(IntegrityError):
        triage.decide(by=ana, alert=alert, disposition=FRAUD, note="kept?")
    alert.refresh_from_db()
    assert (alert.is_open, Note.objects.count(), events(alert)) == (True, 0, [])


def test_when_the_trail_fails_there_is_no_label_either(ana, cards, monkeypatch):
    alert, real = making.alert(cards), triage.record

    def broken(*, action: str, **more: object) -> object:
        if action == "alert.decided":
            raise IntegrityError("the trail is full")
        return real(action=action, **more)

    monkeypatch.setattr(triage, "record", broken)
    with pytest.raises(IntegrityError):
        triage.decide(by=ana, alert=alert, disposition=FRAUD)
    alert.refresh_from_db()
    assert alert.is_open
    assert not Label.objects.exists()


def test_a_report_from_outside_is_not_overruled_in_passing(ana, cards):
    alert = making.alert(cards)
    labels.give(
        by="worker",
        transaction=alert.transaction,
        value="TRUE_FRAUD",
        origin="FILE",
        known_at=timezone.now() - timedelta(minutes=1),
    )
    with pytest.raises(triage.Refused, match=r"A-\d+ stays open. A report from outside says fraud"):
        triage.decide(by=ana, alert=alert, disposition="FALSE_POSITIVE")
    alert.refresh_from_db()
    assert alert.is_open
    assert triage.decide(by=ana, alert=alert, disposition=FRAUD).disposition == FRAUD


def test_an_unknown_disposition_is_an_error(ana, cards):
    with pytest.raises(ValueError, match="PERHAPS"):
        triage.decide(by=ana, alert=making.alert(cards), disposition="PERHAPS")


def test_a_comment_is_possible_on_a_decided_alert_too(ana, cards):
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD)
    triage.comment(by=ana, alert=alert, text="Card was blocked.")
    assert events(alert) == ["alert.decided", "alert.commented"]


def test_escalated_it_stays_open_and_leaves_the_line(ana, cards):
    alert = triage.escalate(by=ana, alert=making.alert(cards), why="C-1")
    assert (alert.status, alert.assignee, alert.is_open) == ("ESCALATED", ana, True)
    assert not Alert.objects.workable_by(ana).exists()


def test_the_database_keeps_no_closed_alert_without_a_person(ana, cards):
    alert = making.alert(cards)
    with pytest.raises(IntegrityError, match="alert_closed_by_someone"):
        Alert.objects.filter(pk=alert.pk).update(status="CLOSED", disposition=FRAUD)


@pytest.mark.django_db(transaction=True)
def test_of_two_decisions_at_once_one_is_refused(ana, lena, cards):
    alert, start = making.alert(cards), Barrier(2)

    def decide(person, disposition: str) -> str:
        try:
            start.wait()
            return triage.decide(by=person, alert=alert, disposition=disposition).disposition
        except triage.Refused as refusal:
            return str(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        asked = [(ana, "TRUE_POSITIVE_FRAUD"), (lena, "FALSE_POSITIVE")]
        answers = [future.result() for future in [pool.submit(decide, *one) for one in asked]]
    assert sum("already decided" in answer for answer in answers) == 1
    assert (Label.objects.count(), len(events(alert))) == (1, 1)
