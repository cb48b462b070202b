"""Many alerts at once: who may, what is left out, each record, and all of it back."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts import bulk, triage
from alerts.models import Alert, Bulk, BulkItem, Note, Verdict
from anomalyshield.audit.models import AuditEvent
from scoring.models import Label, ListEntry, Resolution
from tests.alerts import making
from tests.conftest import client_of
from tests.rest.asking import get, post

pytestmark = pytest.mark.django_db
FRAUD = "TRUE_POSITIVE_FRAUD"


@pytest.fixture
def as_lena(lena, cards):
    making.assign_perm("work_queue", lena, cards)
    return client_of(lena)


@pytest.fixture
def pile(cards, as_lena):
    """Four alerts, most urgent first, the last one in Rome."""
    return [
        making.alert(
            cards, user=f"u{n}", amount=str(900 - n), location="Oslo" if n < 3 else "Rome",
            level="CRITICAL" if n == 0 else "HIGH",
        )
        for n in range(4)
    ]  # fmt: skip


def chosen(*alerts: Alert) -> list[bulk.Choice]:
    return [bulk.Choice(one.pk, one.hit_count) for one in alerts]


def decide(by: Any, *alerts: Alert, **more: Any) -> Bulk:
    said = {"disposition": FRAUD, "typology": "STOLEN_CARD", "reason": "One stolen batch."}
    return bulk.act(by=by, action="DECIDE", choices=chosen(*alerts), **(said | more))


def state() -> dict[str, Any]:
    """Everything a decision touches, as it stands: rows byte for byte, chains by their ends."""
    labels = Label.objects.standing().decisive()
    ends = Resolution.objects.filter(followed_by=None).exclude(state="HELD")
    return {
        "alerts": list(Alert.objects.order_by("pk").values()),
        "labels": list(labels.values_list("transaction", "value")),
        "resolved": list(ends.values_list("decision", "state")),
        "lists": list(ListEntry.objects.living().values_list("pk", flat=True)),
        "verdicts": Verdict.objects.filter(undone_at=None).count(),
    }


def test_each_is_decided_by_its_own_record_with_the_one_reason(lena, pile):
    done = decide(lena, *pile[:3])
    assert Alert.objects.closed().count() == 3
    assert [item.refusal for item in done.items.all()] == ["", "", ""]
    for alert in pile[:3]:
        told = AuditEvent.objects.get(action="alert.decided", object_id=str(alert.pk))
        assert (told.actor, told.after["typology"]) == ("lena", "STOLEN_CARD")
        assert Label.objects.get(transaction=alert.transaction).value == Label.Value.TRUE_FRAUD
        assert Note.objects.get(alert=alert).text == "One stolen batch."
    assert AuditEvent.objects.get(action="bulk.begun").after["alerts"] == 3


def test_undone_everything_is_as_it_was(lena, ana, cards, pile):
    triage.claim(by=lena, alert=pile[1])
    before = state()
    done = decide(lena, *pile)
    assert state() != before
    bulk.undo(by=lena, bulk=done)
    assert state() == before
    assert set(done.items.values_list("undone", "refusal")) == {(True, "")}
    ends = Resolution.objects.filter(followed_by=None)
    assert set(ends.values_list("state", "is_reversal")) == {("HELD", True)}
    undone = AuditEvent.objects.filter(action="alert.undone")
    assert {told.object_id for told in undone} == {str(one.pk) for one in pile}


def test_assigned_and_given_back_undone_exactly(lena, ana, cards, pile):
    triage.claim(by=lena, alert=pile[0])
    before = state()
    given = bulk.act(by=lena, action="ASSIGN", choices=chosen(*pile), reason="Ana is here", to=ana)
    assert set(Alert.objects.values_list("assignee", "status")) == {(ana.pk, "ASSIGNED")}
    bulk.undo(by=lena, bulk=given)
    assert state() == before
    freed = bulk.act(by=lena, action="RELEASE", choices=chosen(pile[0]), reason="Shift ends")
    assert Alert.objects.get(pk=pile[0].pk).assignee is None
    bulk.undo(by=lena, bulk=freed)
    assert state() == before


def test_what_one_refuses_is_told_and_the_others_are_done(lena, ana, cards, pile):
    held, grown, closed, free = pile
    triage.claim(by=ana, alert=held)
    triage.decide(by=ana, alert=closed, disposition="FALSE_POSITIVE")
    seen = chosen(held, grown, closed, free)
    Alert.objects.filter(pk=grown.pk).update(hit_count=2)
    done = bulk.act(by=lena, action="DECIDE", choices=seen, reason="x", disposition=FRAUD)
    told = {item.alert_id: item.refusal for item in done.items.all()}
    assert "Ana is working on" in told[held.pk]
    assert "1 payment has joined" in told[grown.pk]
    assert "already decided by Ana" in told[closed.pk]
    assert told[free.pk] == ""
    assert Alert.objects.get(pk=held.pk).is_open
    assert Label.objects.filter(transaction=grown.transaction).count() == 0


def test_what_somebody_went_on_with_stays_and_is_told(lena, ana, cards, pile):
    done = decide(lena, *pile[:2])
    triage.undo(by=lena, alert=pile[0])
    again = triage.decide(by=lena, alert=pile[0], disposition="FALSE_POSITIVE")
    bulk.undo(by=lena, bulk=done)
    assert Alert.objects.get(pk=pile[0].pk).disposition == again.disposition
    assert Alert.objects.get(pk=pile[1].pk).is_open
    assert "meanwhile" in BulkItem.objects.get(bulk=done, alert=pile[0]).refusal


def test_back_only_once_and_only_for_ten_minutes(lena, pile):
    done = decide(lena, pile[0])
    Bulk.objects.update(at=timezone.now() - timedelta(minutes=11))
    with pytest.raises(bulk.Refused, match="It can be undone for 10 minutes"):
        bulk.undo(by=lena, bulk=done)
    assert not bulk.may_undo(lena, Bulk.objects.get())
    Bulk.objects.update(at=timezone.now())
    bulk.undo(by=lena, bulk=done)
    with pytest.raises(bulk.Refused, match="taken back already"):
        bulk.undo(by=lena, bulk=done)


@pytest.mark.parametrize(
    "more, words",
    [
        ({"reason": " "}, "Say why"),
        ({"disposition": ""}, "say what they were"),
        ({"action": "ASSIGN"}, "Say who works on them"),
        ({"choices": []}, "Choose between 1 and"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_done(lena, pile, more, words):
    said = {"action": "DECIDE", "choices": chosen(*pile), "reason": "x", "disposition": FRAUD}
    with pytest.raises(bulk.Refused, match=words):
        bulk.act(by=lena, **(said | more))
    assert not Bulk.objects.exists()


def test_only_a_lead_acts_on_many(ana, as_ana, cards, pile):
    with pytest.raises(bulk.Refused, match="A lead acts"):
        decide(ana, *pile)
    assert as_ana.get("/alerts/bulk/?all=on").status_code == 409
    assert as_ana.post("/alerts/bulk/act/").status_code == 409
    assert 'form="bulk"' not in as_ana.get("/alerts/").content.decode()


def test_foreign_alerts_do_not_exist(lena, as_lena, pile, loans):
    foreign = making.alert(loans)
    done = decide(lena, pile[0], foreign)
    assert [item.alert_id for item in done.items.all()] == [pile[0].pk]
    assert Alert.objects.get(pk=foreign.pk).is_open
    outsider = making.queue_member("noor", loans)
    outsider.is_lead = True
    outsider.save()
    assert client_of(outsider).get(f"/alerts/bulk/{done.pk}/").status_code == 404


def test_assigned_only_to_who_works_the_queue(lena, ana, pile, loans):
    noor = making.queue_member("noor", loans)
    done = bulk.act(by=lena, action="ASSIGN", choices=chosen(pile[0]), reason="x", to=noor)
    assert "does not work the queue" in done.items.get().refusal


# --- looked over first ----------------------------------------------------------------------------
def test_all_that_match_are_looked_over_not_only_the_page(lena, ana, pile, monkeypatch):
    triage.claim(by=ana, alert=pile[1])
    found = bulk.matching(lena, {"q": "place:oslo"})
    assert (found.alerts, found.held, found.more) == ([pile[0], pile[2]], [pile[1]], False)
    assert (found.levels, found.entities) == ([("CRITICAL", 1), ("HIGH", 1)], 2)
    assert found.totals == (898, 900)
    monkeypatch.setattr(bulk, "MOST", 2)
    assert bulk.matching(lena, {}).more


def test_on_the_page_from_the_tick_to_the_undo(lena, ana, as_lena, pile):
    triage.claim(by=ana, alert=pile[3])
    assert as_lena.get("/alerts/").content.decode().count('form="bulk"') == 4
    page = as_lena.get("/alerts/bulk/", {"alert": [one.pk for one in pile]}).content.decode()
    assert "Left out, somebody else works on them" in page
    assert page.count('name="alert"') == 3
    sent = {"alert": [f"{one.pk}:1" for one in pile[:2]], "action": "DECIDE", "disposition": FRAUD}
    refused = as_lena.post("/alerts/bulk/act/", sent)
    assert (refused.status_code, "one reason" in refused.content.decode()) == (400, True)
    told = as_lena.post("/alerts/bulk/act/", {**sent, "reason": "A batch."}, follow=True)
    assert "2 of 2 done" in told.content.decode()
    back = as_lena.post(f"/alerts/bulk/{Bulk.objects.get().pk}/undo/", follow=True)
    assert "taken back, as it was before" in back.content.decode()
    assert Alert.objects.closed().count() == 0


@pytest.mark.parametrize("nonsense", [["x"], ["1:x"], ["9" * 30 + ":1"], []])
def test_nonsense_is_answered_in_words(as_lena, pile, nonsense):
    sent = {"alert": nonsense, "action": "RELEASE", "reason": "x"}
    assert as_lena.post("/alerts/bulk/act/", sent).status_code in {400, 409}
    assert as_lena.get("/alerts/bulk/", {"alert": nonsense}).status_code == 200


def test_programs_of_leads_do_the_same(lena, ana, pile):
    found = get(lena, "alerts/bulk", q="place:oslo")
    assert found["levels"] == {"CRITICAL": 1, "HIGH": 2}
    sent = {"action": "DECIDE", "alerts": found["alerts"], "reason": "x", "disposition": FRAUD}
    done = post(lena, "alerts/bulk", sent, 201)
    assert [one["refusal"] for one in done["items"]] == ["", "", ""]
    back = post(lena, f"alerts/bulk/{done['id']}/undo")
    assert {one["undone"] for one in back["items"]} == {True}
    assert get(lena, f"alerts/bulk/{done['id']}")["undone_by"] == "lena"
    post(ana, "alerts/bulk", sent, 409)
