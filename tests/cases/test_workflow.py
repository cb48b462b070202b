"""A case from its opening to the second person: verbs, refusals, and what the database holds."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction

from alerts import triage
from alerts.guards import Refused
from alerts.models import Alert
from anomalyshield.audit.models import AuditEvent
from cases import workflow
from cases.models import Case
from scoring import labels, reasons
from scoring.models import Label
from tests.alerts import making

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(ana, cards) -> Case:
    """Ana's case of one undecided alert."""
    return workflow.open_case(by=ana, alerts=[making.alert(cards)])


@pytest.fixture
def proposed(ana, case) -> Case:
    return workflow.propose_closure(by=ana, case=case, outcome="CONFIRMED", findings="Stolen card")


def kinds(case: Case) -> list[str]:
    """Without the steps of the playbook, which come with its opening."""
    told = case.timeline.exclude(kind="TASK_ADDED")
    return list(told.values_list("kind", flat=True))


# --- opening
def test_a_case_takes_its_alerts_out_of_the_line(ana, cards):
    pair = [making.alert(cards, level="HIGH"), making.alert(cards, level="CRITICAL")]
    case = workflow.open_case(by=ana, alerts=pair, note="Same evening")
    assert (case.subject, case.owner) == ("customer-0042", ana)
    assert set(case.alerts.values_list("status", flat=True)) == {Alert.Status.ESCALATED}
    case.refresh_from_db()
    assert (case.level, kinds(case)) == ("CRITICAL", ["OPENED", "ALERT_ADDED", "ALERT_ADDED"])


def test_a_title_says_what_it_is_about_without_naming_the_customer(ana, cards):
    case = workflow.open_case(
        by=ana, alerts=[making.alert(cards, reason_codes=["HIGH_AMOUNT", "UNUSUAL_HOUR"])]
    )
    assert case.title == "High amount, unusual hour"


def test_a_title_is_in_words_for_every_rule_and_for_one_of_long_ago(ana, cards):
    alert = making.alert(cards, reason_codes=["HIGH_RISK_MCC", "OLD_RULE"])
    case = workflow.open_case(by=ana, alerts=[alert])
    assert case.title == "High-risk merchant category, old rule"
    assert not any(title == title.upper() or "_" in title for title in reasons.TITLES.values())


def test_one_case_is_about_one_subject(ana, cards):
    pair = [making.alert(cards, user="a-customer"), making.alert(cards, user="another-customer")]
    with pytest.raises(Refused, match="one subject"):
        workflow.open_case(by=ana, alerts=pair)
    with pytest.raises(Refused, match="one subject"):
        workflow.open_case(by=ana, alerts=[])
    assert not Case.objects.exists()


def test_an_alert_of_another_subject_stays_out(ana, cards, case):
    with pytest.raises(Refused, match="concerns another entity"):
        workflow.add_alert(by=ana, case=case, alert=making.alert(cards, user="another-customer"))


def test_adding_an_alert_again_changes_nothing(ana, case):
    workflow.add_alert(by=ana, case=case, alert=case.alerts.get())
    assert kinds(case) == ["OPENED", "ALERT_ADDED"]


def test_a_second_alert_of_the_subject_joins_the_open_case(ana, cards, case):
    assert workflow.escalate(by=ana, alert=making.alert(cards), note="Again") == case
    assert case.alerts.count() == 2
    assert kinds(case)[-2:] == ["ALERT_ADDED", "NOTE"]


def test_a_case_of_a_foreign_queue_is_not_joined(ana, lena, cards, loans):
    foreign = workflow.open_case(by=lena, alerts=[making.alert(loans)])
    assert workflow.escalate(by=ana, alert=making.alert(cards)) != foreign


def test_what_someone_else_works_on_is_not_escalated_from_under_them(ana, cards):
    rival = making.queue_member("ines", cards)
    alert = triage.claim(by=rival, alert=making.alert(cards))
    with pytest.raises(Refused, match="Ines is working on"):
        workflow.escalate(by=ana, alert=alert)
    assert not Case.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_escalations_at_once_end_in_one_case(ana, lena, cards):
    making.queue("cards", lena)
    pair, start = [making.alert(cards), making.alert(cards)], Barrier(2)

    def escalate(person, alert: Alert) -> int:
        try:
            start.wait()
            return workflow.escalate(by=person, alert=alert).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        asked = zip((ana, lena), pair, strict=True)
        found = {future.result() for future in [pool.submit(escalate, *one) for one in asked]}
    assert len(found) == Case.objects.count() == 1


# --- closing
def test_a_second_person_closes_it_and_the_verdict_becomes_the_label(ana, lena, proposed):
    closed = workflow.approve_closure(by=lena, case=proposed, seen=proposed.proposal)
    assert (closed.status, closed.closed_by, closed.proposed_by) == ("CLOSED", lena, ana)
    alert = closed.alerts.get()
    assert (alert.disposition, alert.closed_by) == ("TRUE_POSITIVE_FRAUD", ana)
    label = Label.objects.get(transaction=alert.transaction)
    assert (label.value, label.labeller) == ("TRUE_FRAUD", ana)
    assert kinds(closed)[-2:] == ["CLOSURE_PROPOSED", "CLOSED"]


@pytest.mark.parametrize(
    "outcome, disposition",
    [
        ("CONFIRMED", "TRUE_POSITIVE_FRAUD"),
        ("REFUTED", "FALSE_POSITIVE"),
        ("INCONCLUSIVE", "INCONCLUSIVE"),
    ],
)
def test_each_outcome_has_its_disposition(ana, lena, case, outcome, disposition):
    case = workflow.propose_closure(by=ana, case=case, outcome=outcome, findings="x")
    case = workflow.approve_closure(by=lena, case=case, seen=case.proposal)
    assert case.alerts.get().disposition == disposition


def test_an_alert_decided_before_keeps_its_own_outcome(ana, lena, cards, case):
    triage.decide(by=ana, alert=case.alerts.get(), disposition="BENIGN_POSITIVE")
    case = workflow.propose_closure(by=ana, case=case, outcome="CONFIRMED", findings="x")
    case = workflow.approve_closure(by=lena, case=case, seen=case.proposal)
    assert case.alerts.get().disposition == "BENIGN_POSITIVE"


def test_it_refuses_an_approval_by_the_proposer(ana, proposed):
    with pytest.raises(Refused, match=r"You proposed to close C-\d+. A second person"):
        workflow.approve_closure(by=ana, case=proposed, seen=proposed.proposal)
    proposed.refresh_from_db()
    assert (proposed.status, Label.objects.count()) == ("PENDING_CLOSURE_APPROVAL", 0)


def test_the_database_itself_refuses_one_person_twice(ana, proposed):
    row = Case.objects.filter(pk=proposed.pk)
    with pytest.raises(IntegrityError, match="second_person"), transaction.atomic():
        row.update(status="CLOSED", closed_by=ana)
    with pytest.raises(IntegrityError, match="named_persons"), transaction.atomic():
        row.update(status="CLOSED", closed_by=None)


def test_an_approval_is_of_what_was_read(ana, lena, proposed):
    seen = proposed.proposal
    workflow.return_case(by=lena, case=proposed, reason="Which card?")
    again = workflow.propose_closure(by=ana, case=proposed, outcome="REFUTED", findings="None")
    with pytest.raises(Refused, match="changed"):
        workflow.approve_closure(by=lena, case=again, seen=seen)
    with pytest.raises(Refused, match="changed"):
        workflow.approve_closure(by=lena, case=again, seen="")


def test_returned_it_can_be_worked_on_and_proposed_again(ana, lena, proposed):
    making.queue("cards", lena)
    returned = workflow.return_case(by=lena, case=proposed, reason="Which card?")
    assert returned.status == Case.Status.RETURNED
    workflow.add_note(by=ana, case=returned, text="The blue one")
    again = workflow.propose_closure(by=lena, case=returned, outcome="REFUTED", findings="Fine")
    assert workflow.approve_closure(by=ana, case=again, seen=again.proposal).closed_by == ana


def test_while_it_waits_for_approval_nothing_is_added(ana, cards, proposed):
    with pytest.raises(Refused, match="waits for the approval"):
        workflow.add_alert(by=ana, case=proposed, alert=making.alert(cards))
    with pytest.raises(Refused, match="waits for the approval"):
        workflow.propose_closure(by=ana, case=proposed, outcome="REFUTED", findings="x")
    assert workflow.escalate(by=ana, alert=making.alert(cards)) != proposed


def test_nothing_happens_to_a_closed_case(ana, lena, cards, proposed):
    closed = workflow.approve_closure(by=lena, case=proposed, seen=proposed.proposal)
    attempts = [
        lambda: workflow.add_note(by=ana, case=closed, text="x"),
        lambda: workflow.add_alert(by=ana, case=closed, alert=making.alert(cards)),
        lambda: workflow.propose_closure(by=ana, case=closed, outcome="REFUTED", findings="x"),
        lambda: workflow.approve_closure(by=ana, case=closed, seen=closed.proposal),
        lambda: workflow.return_case(by=ana, case=closed, reason="x"),
    ]
    for attempt in attempts:
        with pytest.raises(Refused, match="was closed by Lena"):
            attempt()


def test_approving_or_returning_takes_a_proposal(lena, case):
    with pytest.raises(Refused, match="Nobody has proposed"):
        workflow.approve_closure(by=lena, case=case, seen=case.proposal)
    with pytest.raises(Refused, match="Nobody has proposed"):
        workflow.return_case(by=lena, case=case, reason="x")


def test_whoever_may_not_label_proposes_no_verdict_on_undecided_alerts(ana, adam, case):
    with pytest.raises(Refused, match=r"undecided alerts\. An analyst"):
        workflow.propose_closure(by=adam, case=case, outcome="CONFIRMED", findings="x")
    triage.decide(by=ana, alert=case.alerts.get(), disposition="FALSE_POSITIVE")
    assert workflow.propose_closure(by=adam, case=case, outcome="REFUTED", findings="x")


def test_nobody_judges_undecided_alerts_of_a_queue_they_do_not_work(ana, lena, loans, case):
    making.queue("cards", lena)
    making.queue("loans", lena)
    workflow.add_alert(by=lena, case=case, alert=making.alert(loans))
    with pytest.raises(Refused, match="a queue you do not work"):
        workflow.propose_closure(by=ana, case=case, outcome="CONFIRMED", findings="x")


def test_a_verdict_against_a_report_from_outside_closes_nothing(ana, lena, case):
    paid = case.alerts.get().transaction
    labels.give(by="worker", transaction=paid, value="TRUE_FRAUD", origin="FILE")
    case = workflow.propose_closure(by=ana, case=case, outcome="REFUTED", findings="x")
    with pytest.raises(Refused, match="A report from outside says fraud"):
        workflow.approve_closure(by=lena, case=case, seen=case.proposal)
    case.refresh_from_db()
    assert (case.awaits_approval, case.alerts.get().is_open) == (True, True)


def test_a_one_person_installation_closes_at_once(ana, case, settings):
    settings.FOUR_EYES = False
    closed = workflow.propose_closure(by=ana, case=case, outcome="CONFIRMED", findings="x")
    assert (closed.status, closed.four_eyes, closed.closed_by) == ("CLOSED", False, ana)


def test_switching_four_eyes_off_does_not_free_what_was_proposed_before(ana, proposed, settings):
    settings.FOUR_EYES = False
    with pytest.raises(Refused, match="second person"):
        workflow.approve_closure(by=ana, case=proposed, seen=proposed.proposal)


@pytest.mark.django_db(transaction=True)
def test_of_two_approvers_at_once_one_closes_it(lena, cards, proposed):
    other, start = making.queue_member("ines", cards), Barrier(2)

    def approve(person) -> str:
        try:
            start.wait()
            return workflow.approve_closure(by=person, case=proposed, seen=proposed.proposal).status
        except Refused as refusal:
            return str(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = [future.result() for future in [pool.submit(approve, p) for p in (lena, other)]]
    assert sum("was closed by" in answer for answer in answers) == 1
    assert (Label.objects.count(), answers.count("CLOSED")) == (1, 1)


def test_every_step_is_in_the_trail_without_its_free_text(ana, lena, proposed):
    workflow.add_note(by=ana, case=proposed, text="Mrs Example")
    workflow.return_case(by=lena, case=proposed, reason="Mrs Example?")
    trail = AuditEvent.objects.filter(object_type="cases.case").exclude(action="case.task_added")
    assert [event.action for event in trail.order_by("pk")] == [
        "case.opened",
        "case.alert_added",
        "case.closure_proposed",
        "case.commented",
        "case.returned",
    ]
    said = [f"{event.reason}{event.before}{event.after}" for event in AuditEvent.objects.all()]
    assert not [text for text in said if "Mrs Example" in text or "Stolen card" in text]
