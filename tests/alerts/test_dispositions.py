"""What each disposition labels and does to the payment; how sure and worth reviewing beside it."""

import pytest

from alerts import bulk, triage
from alerts.dispositions import FOUND, JUDGED, LABEL_OF
from alerts.models import Alert, Verdict
from scoring import resolving
from scoring.models import Label
from tests.alerts import making

pytestmark = pytest.mark.django_db


def standing(alert: Alert) -> Label:
    return Label.objects.filter(transaction=alert.transaction_id).standing().get()


def verdict(alert: Alert) -> Verdict:
    return alert.verdicts.get(undone_at=None)


def test_every_disposition_has_a_label_and_is_judged_or_says_nothing():
    assert set(LABEL_OF) == set(Alert.Disposition) - {Alert.Disposition.DUPLICATE}
    said = {one for one, label in LABEL_OF.items() if label != Label.Value.INCONCLUSIVE}
    assert said == set(JUDGED)
    frauds = {one for one, label in LABEL_OF.items() if label == Label.Value.TRUE_FRAUD}
    assert frauds == set(FOUND)


@pytest.mark.parametrize(
    ("disposition", "label", "state"),
    [
        ("TRUE_POSITIVE_FRAUD", "TRUE_FRAUD", "DECLINED"),
        ("TRUE_POSITIVE_AML", "TRUE_FRAUD", "DECLINED"),
        ("FALSE_POSITIVE", "FALSE_POSITIVE", "RELEASED"),
        ("BENIGN_POSITIVE", "FALSE_POSITIVE", "RELEASED"),
        ("INCONCLUSIVE", "INCONCLUSIVE", "HELD"),
        ("POLICY_VIOLATION", "INCONCLUSIVE", "DECLINED"),
        ("TEST", "INCONCLUSIVE", "RELEASED"),
    ],
)
def test_what_is_said_labels_the_payment_and_settles_it(ana, cards, disposition, label, state):
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition=disposition)
    assert (standing(alert).value, resolving.standing(alert.decision).state) == (label, state)
    triage.undo(by=ana, alert=alert)
    assert resolving.standing(alert.decision).state == "HELD"


def test_laundering_has_a_typology_and_a_policy_violation_has_none(ana, cards):
    laundered = triage.decide(
        by=ana, alert=making.alert(cards), disposition="TRUE_POSITIVE_AML", typology="MULE"
    )
    assert standing(laundered).typology == "MULE"
    broken = triage.decide(
        by=ana, alert=making.alert(cards), disposition="POLICY_VIOLATION", typology="MULE"
    )
    assert (broken.typology, standing(broken).typology) == ("", "")


def test_whoever_says_nothing_is_fairly_sure_and_has_not_answered(ana, cards):
    said = verdict(triage.decide(by=ana, alert=making.alert(cards), disposition="TEST"))
    assert (said.confidence, said.worth_reviewing, said.note) == ("FAIRLY", None, None)


def test_a_page_keeps_how_sure_and_worth_apart_from_the_verdict(as_ana, cards):
    alert = making.alert(cards)
    said = {"disposition": "FALSE_POSITIVE", "confidence": "UNSURE", "worth_reviewing": "yes"}
    assert as_ana.post(f"/alerts/{alert.pk}/decide/", {**said, "note": "Hm."}).status_code == 302
    kept = verdict(alert)
    assert (kept.confidence, kept.worth_reviewing, kept.note.text) == ("UNSURE", True, "Hm.")
    shown = as_ana.get(f"/alerts/{alert.pk}/").content.decode()
    assert "· unsure" in shown
    assert "not worth reviewing" not in shown


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("confidence", "QUITE", "how sure"), ("worth_reviewing", "maybe", "Worth reviewing")],
)
def test_nonsense_is_refused_in_words_and_decides_nothing(as_ana, cards, field, value, words):
    alert = making.alert(cards)
    answer = as_ana.post(
        f"/alerts/{alert.pk}/decide/", {"disposition": "FALSE_POSITIVE", field: value}
    )
    assert answer.status_code == 400
    assert words in answer.content.decode()
    alert.refresh_from_db()
    assert alert.is_open


def test_many_at_once_are_decided_with_one_answer(lena, cards):
    making.queue("cards", lena)
    alerts = [making.alert(cards) for _ in range(2)]
    bulk.act(
        by=lena,
        action="DECIDE",
        choices=[bulk.Choice(one.pk, 1) for one in alerts],
        reason="A new merchant of ours.",
        disposition="BENIGN_POSITIVE",
        confidence="SURE",
        worth_reviewing=False,
    )
    kept = {(one.confidence, one.worth_reviewing) for one in Verdict.objects.all()}
    assert kept == {("SURE", False)}


def test_what_is_no_judgement_counts_in_no_precision(ana, cards):
    from alerts.figures import figures

    for said in ("TRUE_POSITIVE_AML", "FALSE_POSITIVE", "TEST", "POLICY_VIOLATION"):
        triage.decide(by=ana, alert=making.alert(cards), disposition=said)
    found = figures([cards.pk])
    assert (found.fraud, found.judged) == (1, 2)
