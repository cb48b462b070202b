"""From the alert onto a list: together with the decision, or without one."""

import pytest

from alerts import triage
from alerts.models import Alert
from scoring import lists
from scoring.models import ListEntry
from tests.alerts import making
from tests.lists.making import denied, wish

pytestmark = pytest.mark.django_db
FRAUD = "TRUE_POSITIVE_FRAUD"


@pytest.fixture
def alert(cards):
    return making.alert(cards, user="u7", card_id="c7", merchant_name="Acme Shop")


def ticked(*entities: str, **more: str) -> dict[str, object]:
    said = {"list_kind": "DENY", "list_reason": "stolen", "list_days": "90"}
    return {"list_on": list(entities), **said, **more}


def decide(client, alert: Alert, **said: object):
    return client.post(f"/alerts/{alert.pk}/decide/", {"disposition": FRAUD, **said})


def listed() -> list[tuple[str, str, str]]:
    return list(ListEntry.objects.order_by("pk").values_list("kind", "entity", "value"))


def test_whoever_is_ticked_is_listed_with_the_decision(as_ana, alert):
    assert decide(as_ana, alert, **ticked("card", "user")).status_code == 302
    assert sorted(listed()) == [("DENY", "card", "c7"), ("DENY", "user", "u7")]
    assert {entry.behind for entry in ListEntry.objects.all()} == {str(alert)}
    assert not Alert.objects.get().is_open


def test_nobody_ticked_nobody_listed(as_ana, alert):
    decide(as_ana, alert, **ticked())
    assert listed() == []


@pytest.mark.parametrize(
    "change, words",
    [
        ({"list_reason": ""}, "Say why"),
        ({"list_kind": "ALLOW", "list_days": ""}, "An allow entry needs an end."),
        ({"list_days": "9999"}, "9999"),
        ({"list_kind": "GREY"}, "GREY"),
        ({"list_on": ["device"]}, "device"),
    ],
)
def test_when_the_list_refuses_nothing_is_decided_and_all_that_was_typed_stays(
    as_ana, alert, change, words
):
    answer = decide(as_ana, alert, note="as always", **(ticked("card") | change))
    text = answer.content.decode()
    assert answer.status_code in {400, 409}
    assert words in text
    assert "as always" in text
    assert Alert.objects.get().is_open
    assert listed() == []


def test_who_stands_there_already_does_not_stop_the_decision(as_ana, ana, alert):
    denied(ana, "card", "c7")
    assert decide(as_ana, alert, **ticked("card", "user")).status_code == 302
    assert sorted(listed()) == [("DENY", "card", "c7"), ("DENY", "user", "u7")]


def test_undone_what_was_listed_with_it_ends_and_no_other_entry(ana, alert):
    other = denied(ana, "user", "u7")
    alert = triage.decide(by=ana, alert=alert, disposition=FRAUD, put=[wish(value="c7")])
    triage.undo(by=ana, alert=alert)
    assert ListEntry.objects.living().get() == other
    ended = ListEntry.objects.get(value="c7")
    assert ended.ended_because == f"The decision on {alert} was taken back."


def test_listed_without_a_decision_it_stays_open(as_ana, alert):
    answer = as_ana.post(f"/alerts/{alert.pk}/list/", ticked("merchant"), follow=True)
    assert "the merchant is on the deny list." in answer.content.decode()
    assert listed() == [("DENY", "merchant", "Acme Shop")]
    assert Alert.objects.get().is_open


def test_allowed_it_says_that_a_second_person_is_needed(as_ana, alert):
    answer = as_ana.post(
        f"/alerts/{alert.pk}/list/", ticked("merchant", list_kind="ALLOW"), follow=True
    )
    assert "a lead approves it" in answer.content.decode()


def test_on_a_decided_alert_too(as_ana, ana, alert):
    triage.decide(by=ana, alert=alert, disposition=FRAUD)
    as_ana.post(f"/alerts/{alert.pk}/list/", ticked("card"))
    assert listed() == [("DENY", "card", "c7")]


def test_nobody_ticked_is_said_in_words(as_ana, alert):
    answer = as_ana.post(f"/alerts/{alert.pk}/list/", ticked())
    assert (answer.status_code, b"Tick whom" in answer.content) == (400, True)


def test_a_foreign_alert_does_not_exist(as_ana, loans):
    foreign = making.alert(loans)
    assert as_ana.post(f"/alerts/{foreign.pk}/list/", ticked("user")).status_code == 404
    assert as_ana.post(f"/alerts/{foreign.pk}/undo/").status_code == 404


def test_a_refusal_of_the_list_rolls_the_decision_back(ana, alert):
    denied(ana, "card", "c7")
    with pytest.raises(triage.Refused, match="end L-"):
        triage.decide(
            by=ana, alert=alert, disposition="FALSE_POSITIVE", put=[wish("ALLOW", value="c7")]
        )
    assert Alert.objects.get().is_open
    assert isinstance(lists.Already("x"), lists.Refused)


# --- undo, on the pages ---------------------------------------------------------------------------
def test_the_message_after_deciding_carries_an_undo(as_ana, alert, cards):
    following = making.alert(cards, amount="1")
    page = as_ana.post(f"/alerts/{alert.pk}/decide/", {"disposition": FRAUD}, follow=True)
    assert page.redirect_chain[-1][0] == f"/alerts/{following.pk}/"
    assert f'action="/alerts/{alert.pk}/undo/"' in page.content.decode()
    undone = as_ana.post(f"/alerts/{alert.pk}/undo/", follow=True).content.decode()
    assert f"{alert} is open again, as it was before. Its payment is held again" in undone


def test_a_closed_alert_offers_undo_to_those_who_may(as_ana, ana, alert, cards, client):
    triage.decide(by=ana, alert=alert, disposition=FRAUD)
    button = f'action="/alerts/{alert.pk}/undo/'
    assert button in as_ana.get(f"/alerts/{alert.pk}/").content.decode()
    rival = making.queue_member("ines", cards)
    client.force_login(rival, backend="django.contrib.auth.backends.ModelBackend")
    assert button not in client.get(f"/alerts/{alert.pk}/").content.decode()
    refused = client.post(f"/alerts/{alert.pk}/undo/")
    assert (refused.status_code, b"Ask them, or a lead" in refused.content) == (409, True)
