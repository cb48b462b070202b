"""The next alert in the place of this one: a form answered with the page it leads to."""

import pytest
from django.test import Client

from alerts import triage
from alerts.models import AlertLease, Look
from anomalyshield.audit.models import AuditEvent
from tests.alerts import making

pytestmark = pytest.mark.django_db
LEGITIMATE = {"disposition": "FALSE_POSITIVE", "seen": "1"}
IN_PLACE = {"X-In-Place": "alert"}


def test_a_verdict_is_answered_with_the_next_alert_as_if_it_had_been_opened(as_ana, ana, cards):
    first, second = making.alert(cards, amount="900"), making.alert(cards, amount="100")
    address = f"/alerts/{first.pk}/decide/?queue=cards"
    answer = as_ana.post(address, LEGITIMATE, headers=IN_PLACE)
    assert (answer.status_code, answer["Content-Location"]) == (
        200,
        f"/alerts/{second.pk}/?queue=cards",
    )
    said = answer.content.decode()
    assert f"<title>{second} · " in said
    assert f"{first} decided: legitimate" in said.lower().replace("a-", "A-")
    assert AlertLease.objects.get(person=ana).alert == second
    assert Look.objects.get(person=ana).alert == second
    read = AuditEvent.objects.filter(action="data.read").values_list("object_id", flat=True)
    assert list(read) == [str(second.pk)]
    opened = as_ana.get(answer["Content-Location"]).content.decode()
    assert opened.count("decision-bar") == said.count("decision-bar")


def test_without_a_script_the_browser_is_sent_on(as_ana, cards):
    first, second = making.alert(cards, amount="900"), making.alert(cards, amount="100")
    answer = as_ana.post(f"/alerts/{first.pk}/decide/", LEGITIMATE)
    assert (answer.status_code, answer["Location"]) == (302, f"/alerts/{second.pk}/")
    assert not AuditEvent.objects.filter(action="data.read").exists()


def test_where_no_alert_is_left_the_script_is_told_where_to_go(as_ana, cards):
    alert = making.alert(cards)
    answer = as_ana.post(f"/alerts/{alert.pk}/decide/", LEGITIMATE, headers=IN_PLACE)
    assert (answer.status_code, answer["X-Go-To"]) == (204, "/alerts/?")
    assert "Nothing else waits here." in as_ana.get("/alerts/").content.decode()  # told once, there


def test_a_refusal_is_shown_on_the_alert_itself(as_ana, cards, ana):
    alert = making.alert(cards)
    triage.decide(by=ana, alert=alert, disposition="FALSE_POSITIVE")
    answer = as_ana.post(f"/alerts/{alert.pk}/decide/", LEGITIMATE, headers=IN_PLACE)
    assert (answer.status_code, answer["Content-Location"]) == (409, f"/alerts/{alert.pk}/")
    assert "was already decided by Ana" in answer.content.decode()


def test_taken_back_it_stands_there_again(as_ana, cards, ana):
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition="FALSE_POSITIVE")
    answer = as_ana.post(f"/alerts/{alert.pk}/undo/", headers=IN_PLACE)
    assert (answer.status_code, answer["Content-Location"]) == (200, f"/alerts/{alert.pk}/")
    assert "is open again" in answer.content.decode()


def test_who_is_logged_out_is_told_to_log_in(cards):
    alert = making.alert(cards)
    answer = Client().post(f"/alerts/{alert.pk}/decide/", LEGITIMATE, headers=IN_PLACE)
    assert (answer.status_code, answer["X-Go-To"]) == (204, "/accounts/login/?next=/")
