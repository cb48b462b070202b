"""What a verdict does to the payment, and how it is taken back: exactly, in time, or not at all."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from alerts import triage
from alerts.models import Alert, Verdict
from anomalyshield.audit.models import AuditEvent
from cases import workflow
from scoring import labels
from scoring.models import Decision, Delivery, Endpoint, Label, OutboundEvent, Resolution
from scoring.webhooks import events
from tests.alerts import making
from tests.webhooks.making import endpoint

pytestmark = pytest.mark.django_db
FRAUD = "TRUE_POSITIVE_FRAUD"
FIELDS = [field.attname for field in Alert._meta.concrete_fields]


def state(alert: Alert) -> str:
    return Decision.objects.with_standing().get(pk=alert.decision_id).standing


def row(alert: Alert) -> dict[str, object]:
    return Alert.objects.values(*FIELDS).get(pk=alert.pk)


def age(alert: Alert, minutes: int) -> None:
    Verdict.objects.filter(alert=alert).update(at=timezone.now() - timedelta(minutes=minutes))


# --- the payment ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "disposition, expected",
    [
        (FRAUD, "DECLINED"),
        ("FALSE_POSITIVE", "RELEASED"),
        ("BENIGN_POSITIVE", "RELEASED"),
        ("INCONCLUSIVE", "HELD"),
    ],
)
@pytest.mark.parametrize("outcome", ["REVIEW", "BLOCK"])
def test_the_disposition_decides_about_the_payment(ana, cards, disposition, expected, outcome):
    alert = making.alert(cards, outcome=outcome)
    assert state(alert) == "HELD"
    alert = triage.decide(by=ana, alert=alert, disposition=disposition)
    assert state(alert) == expected
    step = Resolution.objects.get()
    assert (step.by, step.behind, step.is_reversal) == (ana, str(alert), False)


def test_an_installation_may_release_what_nobody_could_settle(ana, cards, settings):
    settings.INCONCLUSIVE = "release"
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition="INCONCLUSIVE")
    assert state(alert) == "RELEASED"


def test_an_approved_payment_was_never_held(ana, cards):
    sample = making.alert(cards, outcome="APPROVE", level="MEDIUM")
    endpoint()
    sample = triage.decide(by=ana, alert=sample, disposition=FRAUD)
    assert (state(sample), Resolution.objects.count()) == ("APPROVED", 0)
    assert not OutboundEvent.objects.exists()


def test_the_event_is_queued_in_the_same_transaction_or_not_at_all(ana, cards, monkeypatch):
    endpoint()
    alert = making.alert(cards)

    def broken(*_: object, **__: object) -> None:
        raise IntegrityError("the outbox is full")

    with monkeypatch.context() as broke:
        broke.setattr(events, "_address", broken)
        with pytest.raises(IntegrityError), transaction.atomic():
            triage.decide(by=ana, alert=alert, disposition=FRAUD)
    assert (state(alert), Label.objects.count(), Alert.objects.get().is_open) == ("HELD", 0, True)
    triage.decide(by=ana, alert=alert, disposition=FRAUD)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.event.type) == ("READY", "decision.updated")


@pytest.mark.parametrize(
    "statement", ["UPDATE scoring_resolution SET state = 'HELD'", "DELETE FROM scoring_resolution"]
)
def test_the_database_never_changes_a_resolution(ana, cards, statement):
    triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD)
    with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="never changed"):
        cursor.execute(statement)


# --- undo -----------------------------------------------------------------------------------------
def test_undone_the_alert_is_exactly_as_it_was(ana, cards):
    alert = triage.claim(by=ana, alert=making.alert(cards))
    before = row(alert)
    alert = triage.decide(by=ana, alert=alert, disposition=FRAUD, typology="MULE")
    triage.undo(by=ana, alert=alert)
    assert row(alert) == before


def test_undone_an_unclaimed_alert_belongs_to_nobody_again(ana, cards):
    alert = making.alert(cards)
    before = row(alert)
    triage.undo(by=ana, alert=triage.decide(by=ana, alert=alert, disposition="FALSE_POSITIVE"))
    assert row(alert) == before
    assert Alert.objects.workable_by(ana).get() == alert


def test_undone_the_payment_is_held_again_and_upstream_hears_of_both(ana, cards):
    receiver = endpoint()
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD)
    Delivery.objects.update(tries=1)  # it was sent, whatever came of it
    triage.undo(by=ana, alert=alert)
    assert state(alert) == "HELD"
    first, second = Resolution.objects.order_by("pk")
    assert (second.is_reversal, second.follows, second.by) == (True, first, ana)
    assert list(receiver.deliveries.values_list("state", flat=True)) == ["READY", "READY"]
    assert '"reversal": true' in second.event.body


def test_what_was_not_sent_yet_is_not_sent_any_more(ana, cards):
    receiver = endpoint(finality="DECLINED")
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD)
    triage.undo(by=ana, alert=alert)
    states = receiver.deliveries.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["CANCELLED", "READY"]


def test_undone_the_label_says_nothing_any_more_and_the_next_one_may(ana, lena, cards):
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD)
    triage.undo(by=ana, alert=alert)
    chain = Label.objects.order_by("pk").values_list("value", flat=True)
    assert list(chain) == ["TRUE_FRAUD", "INCONCLUSIVE"]
    alert = triage.decide(by=lena, alert=alert, disposition="FALSE_POSITIVE")
    assert Label.objects.standing().get().value == "FALSE_POSITIVE"
    assert state(alert) == "RELEASED"


def test_a_label_that_stood_before_stands_again(ana, cards):
    alert = making.alert(cards)
    labels.give(
        by=ana, transaction=alert.transaction, value="FALSE_POSITIVE", origin="API", note="a call"
    )
    alert = triage.decide(by=ana, alert=alert, disposition=FRAUD)
    triage.undo(by=ana, alert=alert)
    label = Label.objects.standing().get()
    assert (label.value, label.origin, label.note) == ("FALSE_POSITIVE", "API", "a call")


def test_a_later_word_from_outside_is_left_standing(ana, cards):
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition="FALSE_POSITIVE")
    paid, now = alert.transaction, timezone.now()
    labels.from_file([(paid.external_id, "TRUE_FRAUD", now)], source=paid.source)
    triage.undo(by=ana, alert=alert)
    assert Label.objects.standing().get().value == "TRUE_FRAUD"


def test_the_same_said_by_a_file_before_is_not_taken_back_with_it(ana, cards):
    alert = making.alert(cards)
    paid, then = alert.transaction, timezone.now() - timedelta(minutes=5)
    labels.from_file([(paid.external_id, "TRUE_FRAUD", then)], source=paid.source)
    triage.undo(by=ana, alert=triage.decide(by=ana, alert=alert, disposition=FRAUD))
    assert Label.objects.get().value == "TRUE_FRAUD"


def test_it_is_on_the_trail(ana, cards):
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD)
    triage.undo(by=ana, alert=alert)
    found = AuditEvent.objects.filter(actor="ana").order_by("pk").values_list("action", flat=True)
    assert list(found) == ["label.given", "alert.decided", "label.taken_back", "alert.undone"]


def refused(by, alert: Alert) -> str:
    before = row(alert)
    with pytest.raises(triage.Refused) as refusal:
        triage.undo(by=by, alert=alert)
    assert (row(alert), Resolution.objects.filter(is_reversal=True).count()) == (before, 0)
    return str(refusal.value)


def test_after_ten_minutes_it_is_too_late(ana, cards):
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD)
    age(alert, 11)
    assert "was decided 11 minutes ago. It can be undone for 10 minutes." in refused(ana, alert)


def test_someone_else_asks_the_one_who_decided_but_a_lead_may(ana, lena, cards):
    rival = making.queue_member("ines", cards)
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD)
    assert "Ana decided A-" in refused(rival, alert)
    assert triage.undo(by=lena, alert=alert).is_open


def test_an_open_alert_has_nothing_to_take_back(ana, cards):
    assert "is not decided" in refused(ana, making.alert(cards))


def test_twice_is_once(ana, cards):
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD)
    triage.undo(by=ana, alert=alert)
    with pytest.raises(triage.Refused, match="is not decided"):
        triage.undo(by=ana, alert=alert)


@pytest.mark.parametrize("decided_before", [True, False])
def test_what_a_second_person_approved_nobody_takes_back_alone(ana, lena, cards, decided_before):
    alert = making.alert(cards)
    case = workflow.open_case(by=ana, alerts=[alert])
    if decided_before:
        triage.decide(by=ana, alert=alert, disposition=FRAUD)
    case = workflow.propose_closure(by=ana, case=case, outcome="CONFIRMED", findings="Seen.")
    workflow.approve_closure(by=lena, case=case, seen=case.proposal)
    assert f"stays decided: {case} closed by lena." in refused(ana, alert)
    assert state(alert) == "DECLINED"


@pytest.mark.parametrize("finality", ["DECLINED", "ANY"])
def test_what_upstream_holds_to_be_final_stays_declined(ana, cards, finality):
    receiver = endpoint(finality=finality)
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD)
    Delivery.objects.update(state="RUNNING")
    assert "is being told “declined” at this moment. Try once more." in refused(ana, alert)
    Delivery.objects.update(state="DONE", tries=1, final=True)
    assert f"{receiver} took “declined” as final." in refused(ana, alert)


def test_a_released_payment_can_be_held_again_where_only_declines_are_final(ana, cards):
    endpoint(finality="DECLINED")
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition="FALSE_POSITIVE")
    Delivery.objects.update(state="DONE", tries=1, final=False)
    triage.undo(by=ana, alert=alert)
    assert state(alert) == "HELD"
    assert Endpoint.objects.get().deliveries.filter(state="READY").count() == 1
