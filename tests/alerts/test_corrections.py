"""A label that one person may not change any more is corrected by two."""

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from alerts import corrections, triage
from alerts.models import Correction
from anomalyshield.audit.models import AuditEvent
from scoring import labels, resolving
from scoring.models import Delivery, Label, OutboundEvent
from tests.alerts import making
from tests.conftest import client_of, person
from tests.webhooks.making import endpoint

FRAUD, LEGITIMATE = Label.Value.TRUE_FRAUD, Label.Value.FALSE_POSITIVE
pytestmark = pytest.mark.django_db


@pytest.fixture
def bert(cards):
    """A second analyst of the same queue."""
    return making.queue_member("bert", cards)


def closed_as_fraud(by, queue):
    return triage.decide(
        by=by, alert=making.alert(queue), disposition="TRUE_POSITIVE_FRAUD", typology="MULE"
    )


@pytest.fixture
def decided(ana, cards):
    """An alert that ana closed as fraud an hour ago: its payment was declined."""
    alert = closed_as_fraud(ana, cards)
    label = said(alert)
    Label.objects.filter(pk=label.pk).update(known_at=label.known_at - timedelta(hours=1))
    return alert


def said(alert) -> Label:
    return Label.objects.filter(transaction=alert.transaction_id).standing().get()


def proposed(by, alert, value=LEGITIMATE, reason="Their daughter paid.", **more) -> Correction:
    return corrections.propose(by=by, label=said(alert), value=value, reason=reason, **more)


def state_of(alert) -> str:
    return resolving.standing(alert.decision).state


# --- two people -----------------------------------------------------------------------------------
def test_two_people_change_what_one_may_not(ana, bert, decided):
    with pytest.raises(labels.Refused, match="propose a correction"):
        labels.give(by=ana, transaction=decided.transaction, value=LEGITIMATE, origin="API")
    asked = proposed(ana, decided)
    assert said(decided).value == FRAUD  # nothing happens before the second person
    corrections.approve(by=bert, correction=asked)
    asked.refresh_from_db()
    made = said(decided)
    assert made == asked.made
    assert (made.value, made.labeller, made.supersedes) == (LEGITIMATE, ana, asked.label)
    assert (asked.state, asked.answered_by) == ("APPROVED", bert)
    trail = AuditEvent.objects.filter(actor="bert").order_by("pk")
    assert list(trail.values_list("action", flat=True)) == ["label.given", "label.corrected"]


def test_nobody_approves_their_own_and_the_attempt_is_kept(ana, decided):
    asked = proposed(ana, decided)
    with pytest.raises(corrections.Refused, match="second person"):
        corrections.approve(by=ana, correction=asked)
    assert said(decided).value == FRAUD
    assert AuditEvent.objects.filter(action="label.corrected", outcome="DENIED").count() == 1
    with pytest.raises(IntegrityError, match="corrected_by_a_second_person"):
        Correction.objects.filter(pk=asked.pk).update(state="APPROVED", answered_by=ana)


def test_in_a_one_person_installation_one_person_is_enough(ana, decided, settings):
    settings.FOUR_EYES = False
    corrections.approve(by=ana, correction=proposed(ana, decided))
    assert said(decided).value == LEGITIMATE


def test_who_lost_the_role_meanwhile_approves_nothing(ana, bert, decided):
    asked = proposed(ana, decided)
    bert.groups.clear()
    with pytest.raises(corrections.Refused, match="may not correct labels"):
        corrections.approve(by=bert, correction=asked)


def test_of_two_answers_the_second_is_told(ana, bert, lena, decided):
    asked = proposed(ana, decided)
    corrections.approve(by=bert, correction=asked)
    with pytest.raises(corrections.Refused, match="Bert has answered already: approved"):
        corrections.refuse(by=lena, correction=asked, answer="No.")


def test_a_label_that_changed_meanwhile_is_not_changed_again(ana, bert, decided):
    asked = proposed(ana, decided)
    paid = decided.transaction
    labels.give(by=ana, seconded_by=bert, transaction=paid, value="INCONCLUSIVE", origin="API")
    with pytest.raises(corrections.Refused, match="corrected meanwhile"):
        corrections.approve(by=bert, correction=asked)
    assert said(decided).value == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("value", "reason", "words"),
    [(LEGITIMATE, "  ", "Say why"), (FRAUD, "Surely.", "nothing would change")],
)
def test_what_makes_no_sense_is_not_proposed(ana, decided, value, reason, words):
    with pytest.raises(corrections.Refused, match=words):
        proposed(ana, decided, value, reason)


def test_one_proposal_waits_at_a_time(ana, bert, decided):
    proposed(ana, decided)
    with pytest.raises(corrections.Refused, match="Ana proposed a correction already"):
        proposed(bert, decided)


def test_another_kind_of_fraud_is_a_correction_too(ana, bert, decided):
    corrections.approve(by=bert, correction=proposed(ana, decided, FRAUD, typology="BUST_OUT"))
    assert (said(decided).value, said(decided).typology) == (FRAUD, "BUST_OUT")
    assert state_of(decided) == "DECLINED"


def test_refused_or_withdrawn_the_label_stands(ana, bert, decided):
    asked = proposed(ana, decided)
    with pytest.raises(corrections.Refused, match="Say why"):
        corrections.refuse(by=bert, correction=asked, answer=" ")
    assert corrections.refuse(by=bert, correction=asked, answer="It was not.").state == "REFUSED"
    own = proposed(ana, decided)
    assert corrections.refuse(by=ana, correction=own, answer="My error.").state == "WITHDRAWN"
    assert said(decided).value == FRAUD


# --- the payment ----------------------------------------------------------------------------------
def test_the_payment_follows_and_upstream_is_told(ana, bert, decided):
    endpoint()
    asked = corrections.approve(by=bert, correction=proposed(ana, decided))
    assert state_of(decided) == "RELEASED"
    event = OutboundEvent.objects.get(resolution=asked.resolution)
    told = json.loads(event.body)["data"]
    assert (told["previous"], told["state"], told["reversal"]) == ("DECLINED", "RELEASED", False)
    assert Delivery.objects.filter(event=event).count() == 1


def test_what_upstream_took_as_final_stays_and_the_page_says_so(ana, bert, cards):
    there = endpoint(finality="DECLINED")
    alert = closed_as_fraud(ana, cards)
    Delivery.objects.update(state="DONE", tries=1, final=True)
    asked = corrections.approve(by=bert, correction=proposed(ana, alert))
    assert (said(alert).value, state_of(alert)) == (LEGITIMATE, "DECLINED")
    assert asked.resolution is None
    page = client_of(bert).get(f"/corrections/{asked.pk}/").content.decode()
    assert f"{there} took “declined” as final" in page


def test_a_payment_that_was_approved_at_once_has_nothing_to_release(ana):
    paid = making.decision(making.payment(), outcome="APPROVE", reviewable=False).transaction
    label = labels.give(by=ana, transaction=paid, value=FRAUD, origin="API")
    asked = corrections.propose(by=ana, label=label, value=LEGITIMATE, reason="A slip.")
    asked = corrections.approve(by=person("bert", "analyst"), correction=asked)
    assert (asked.resolution, asked.final) == (None, "")


# --- the pages ------------------------------------------------------------------------------------
def test_from_the_payment_to_the_corrected_label(ana, bert, decided):
    mine, his = client_of(ana), client_of(bert)
    payment = f"/transactions/{decided.transaction_id}/"
    correct = f"/labels/{said(decided).pk}/correct/"
    assert correct in mine.get(payment).content.decode()
    assert "Correct a label" in mine.get(correct).content.decode()
    answer = mine.post(correct, {"value": LEGITIMATE, "reason": "Their <b>daughter</b> paid."})
    asked = Correction.objects.get()
    assert answer["Location"] == f"/corrections/{asked.pk}/"
    assert "Withdraw" in mine.get(answer["Location"]).content.decode()
    for page in (payment, f"/alerts/{decided.pk}/", "/", "/corrections/"):
        assert f"/corrections/{asked.pk}/" in his.get(page).content.decode(), page
    assert "&lt;b&gt;daughter" in his.get(f"/corrections/{asked.pk}/").content.decode()
    his.post(f"/corrections/{asked.pk}/approve/")
    assert "legitimate" in mine.get(f"/alerts/{decided.pk}/").content.decode()
    assert "by Bert" in mine.get("/corrections/?show=answered").content.decode()


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"value": LEGITIMATE}, "Say why the label is wrong."),
        ({"value": "MAYBE", "reason": "x"}, "MAYBE"),
        ({"value": LEGITIMATE, "reason": "a\x00b"}, "Null characters"),
    ],
)
def test_a_form_that_makes_no_sense_comes_back_with_the_reason(ana, decided, form, words):
    answer = client_of(ana).post(f"/labels/{said(decided).pk}/correct/", form)
    assert (answer.status_code, words in answer.content.decode()) == (400, True)
    assert not Correction.objects.exists()


def test_a_refusal_on_the_page_keeps_what_was_typed(ana, decided):
    asked = proposed(ana, decided)
    answer = client_of(ana).post(f"/corrections/{asked.pk}/approve/", {"answer": "Please."})
    assert (answer.status_code, b"Please." in answer.content) == (409, True)


def test_labels_of_a_foreign_queue_do_not_exist(ana, decided):
    asked, foreign = proposed(ana, decided), client_of(making.queue_member("ines"))
    for address in (f"/labels/{said(decided).pk}/correct/", f"/corrections/{asked.pk}/"):
        assert foreign.get(address).status_code == 404
    assert foreign.post(f"/corrections/{asked.pk}/approve/").status_code == 404
    assert f"/corrections/{asked.pk}/" not in foreign.get("/corrections/").content.decode()
    assert "says it was" not in foreign.get("/").content.decode()


def test_the_list_costs_the_same_for_many(ana, bert, cards):
    client = client_of(bert)

    def cost() -> int:
        proposed(ana, closed_as_fraud(ana, cards))
        with CaptureQueriesContext(connection) as captured:
            client.get("/corrections/")
        return len(captured)

    client.get("/corrections/")
    assert cost() == cost()
