"""An admin suspends someone: every way in ends, and what they were working on goes back."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from alerts import triage
from alerts.models import Alert
from anomalyshield.accounts import authentication, keys, people
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from tests.alerts import making
from tests.conftest import client_of, person

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"
ANOMALIES = "/api/v1/anomalies"


@pytest.fixture
def eve(adam: User) -> User:
    """An admin as well, with a password: she may make keys of every scope."""
    eve = person("eve", "admin")
    eve.set_password(PASSWORD)
    eve.save()
    return eve


def suspend(user: User, by: User, *, back: bool = False) -> None:
    roles = sorted(user.groups.values_list("name", flat=True))
    people.change_user(by=by, user=user, roles=roles, is_lead=user.is_lead, is_active=back)


def a_little_later(monkeypatch: pytest.MonkeyPatch, seconds: float = 4.5) -> None:
    """What processes remember for less than that is forgotten."""
    now = authentication.time.monotonic() + seconds
    monkeypatch.setattr(authentication.time, "monotonic", lambda: now)


def test_browser_token_and_key_all_stop_within_five_seconds(eve, adam, monkeypatch) -> None:
    browser, program = client_of(eve), APIClient()
    body = {"username": "eve", "password": PASSWORD}
    given = program.post("/api/v1/auth/login", body, format="json").json()
    bearer = {"Authorization": f"Bearer {given['access_token']}"}
    _, key = keys.make_key(by=eve, name="gateway", scopes=["read:alerts"])
    mine = {"X-Api-Key": key}
    assert browser.get("/").status_code == 200
    assert [Client().get(ANOMALIES, headers=h).status_code for h in (bearer, mine)] == [200, 200]

    suspend(eve, adam)
    a_little_later(monkeypatch)

    assert browser.get("/").status_code == 302
    assert [Client().get(ANOMALIES, headers=h).status_code for h in (bearer, mine)] == [401, 401]
    again = {"refresh_token": given["refresh_token"]}
    assert program.post("/api/v1/auth/refresh", again, format="json").status_code == 401


def test_a_key_works_again_when_its_maker_may_act_again(eve, adam) -> None:
    _, key = keys.make_key(by=eve, name="gateway", scopes=["read:alerts"])
    suspend(eve, adam)
    assert keys.find_key(key) is None
    suspend(eve, adam, back=True)
    assert keys.find_key(key) is not None


def test_the_page_names_the_keys_that_would_stop_before_it_happens(eve, adam) -> None:
    made, _ = keys.make_key(by=eve, name="gateway", scopes=["read:alerts"])
    page = client_of(adam).get(f"/users/{eve.pk}/").content.decode()
    assert "also stops the keys they made" in page
    assert str(made) in page
    suspend(eve, adam)
    assert "stopped" in client_of(adam).get("/keys/").content.decode()


def test_their_open_alerts_go_back_to_the_queue_each_on_the_trail(cards, ana, lena, adam) -> None:
    hers = [making.alert(cards, assignee=ana, status="ASSIGNED") for _ in range(2)]
    escalated = making.alert(cards, assignee=ana, status="ESCALATED")
    others = making.alert(cards, assignee=lena, status="ASSIGNED")
    suspend(ana, adam)
    assert set(Alert.objects.filter(assignee=None)) == {*hers, escalated}
    assert {a.status for a in Alert.objects.filter(pk__in=[h.pk for h in hers])} == {"NEW"}
    escalated.refresh_from_db()
    assert escalated.status == "ESCALATED", "an investigation goes on"
    others.refresh_from_db()
    assert others.assignee == lena
    told = AuditEvent.objects.filter(action="alert.released", actor="adam")
    assert {(e.object_id, e.before["assignee"]) for e in told} == {
        (str(alert.pk), "ana") for alert in (*hers, escalated)
    }


def test_saving_a_suspended_person_again_gives_nothing_back_twice(cards, ana, adam) -> None:
    making.alert(cards, assignee=ana, status="ASSIGNED")
    suspend(ana, adam)
    suspend(ana, adam)
    assert AuditEvent.objects.filter(action="alert.released").count() == 1


def test_it_is_all_or_nothing(cards, ana, adam, monkeypatch) -> None:
    held = making.alert(cards, assignee=ana, status="ASSIGNED")
    monkeypatch.setattr(triage, "release", _fails)
    with pytest.raises(RuntimeError):
        suspend(ana, adam)
    ana.refresh_from_db()
    held.refresh_from_db()
    assert ana.is_active
    assert held.assignee == ana


def _fails(**_: object) -> None:
    raise RuntimeError("half way")
