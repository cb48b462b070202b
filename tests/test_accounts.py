"""Accounts: who gets in, what they are, and the keys of machines."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from anomalyshield.accounts import keys, people
from anomalyshield.accounts.authentication import forget_keys
from anomalyshield.accounts.models import ApiKey, User
from anomalyshield.audit.models import AuditEvent
from tests.conftest import client_of, person

PASSWORD = "correct horse battery staple"
pytestmark = pytest.mark.django_db


@pytest.fixture
def ana_with_password(ana: User) -> User:
    ana.set_password(PASSWORD)
    ana.save()
    return ana


def login(client: Client, username: str, password: str):
    return client.post("/accounts/login/", {"login": username, "password": password})


def test_ana_logs_in_on_the_page_and_lands_on_her_dashboard(ana_with_password: User) -> None:
    client = Client()
    assert login(client, "ana", PASSWORD).status_code == 302
    assert b"Open alerts" in client.get("/").content


def test_a_wrong_password_is_refused_with_the_same_words_as_an_unknown_name(
    ana_with_password: User,
) -> None:
    wrong = login(Client(), "ana", "wrong wrong wrong")
    unknown = login(Client(), "nobody", "wrong wrong wrong")
    sentence = b"are not correct"
    assert sentence in wrong.content
    assert sentence in unknown.content


def test_nobody_signs_up_by_themselves() -> None:
    assert Client().get("/accounts/signup/").status_code == 404


@pytest.mark.parametrize("name,password", [("admin", "admin123"), ("admin", "admin")])
def test_the_passwords_printed_in_old_manuals_open_nothing(name: str, password: str) -> None:
    assert login(Client(), name, password).status_code == 200
    answer = APIClient().post(
        "/api/v1/auth/login", {"username": name, "password": password}, format="json"
    )
    assert answer.status_code == 401


def test_a_token_is_given_for_a_password_and_renewed_once(ana_with_password: User) -> None:
    client = APIClient()
    body = {"username": "ana", "password": PASSWORD}
    answer = client.post("/api/v1/auth/login", body, format="json")
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert answer.json()["token_type"] == "bearer"
    refresh = {"refresh_token": answer.json()["refresh_token"]}
    assert client.post("/api/v1/auth/refresh", refresh, format="json").status_code == 200
    assert client.post("/api/v1/auth/refresh", refresh, format="json").status_code == 401


def test_a_suspended_user_gets_no_new_token(ana_with_password: User) -> None:
    client = APIClient()
    body = {"username": "ana", "password": PASSWORD}
    tokens = client.post("/api/v1/auth/login", body, format="json").json()
    User.objects.filter(pk=ana_with_password.pk).update(is_active=False)
    assert client.post("/api/v1/auth/login", body, format="json").status_code == 401
    refresh = {"refresh_token": tokens["refresh_token"]}
    assert client.post("/api/v1/auth/refresh", refresh, format="json").status_code == 401


def test_adam_makes_a_user_whose_password_is_shown_once(adam: User) -> None:
    page = client_of(adam).post("/users/new/", {"username": "eve", "roles": ["analyst"]})
    assert page.status_code == 200
    password = page.context["password"]
    assert login(Client(), "eve", password).status_code == 302
    assert AuditEvent.objects.filter(action="user.made", actor="adam").count() == 1


def test_suspending_ends_the_sessions_of_that_user(adam: User, ana: User) -> None:
    client = client_of(ana)
    assert client.get("/").status_code == 200
    people.change_user(by=adam, user=ana, roles=["analyst"], is_lead=False, is_active=False)
    assert client.get("/").status_code == 302


def test_nobody_changes_their_own_roles(adam: User) -> None:
    answer = client_of(adam).post(f"/users/{adam.pk}/", {"roles": ["owner"], "is_active": "on"})
    assert answer.status_code == 409
    assert adam.groups.get().name == "admin"


def test_the_last_admin_stays(adam: User) -> None:
    eve = person("eve", "admin")
    User.objects.filter(pk=adam.pk).update(is_active=False)
    with pytest.raises(people.Refused, match="last admin"):
        people.change_user(by=adam, user=eve, roles=[], is_lead=False, is_active=True)


def test_a_key_is_kept_only_as_its_digest(adam: User) -> None:
    made, key = keys.make_key(by=adam, name="gateway", scopes=["score:write"])
    kept = ApiKey.objects.get(pk=made.pk)
    assert key.startswith(kept.prefix)
    assert key.encode() not in bytes(kept.digest)
    assert keys.find_key(key) == made
    assert keys.find_key(key[:-1] + "x") is None


def test_a_revoked_key_finds_nobody(adam: User) -> None:
    made, key = keys.make_key(by=adam, name="gateway", scopes=["score:write"])
    keys.revoke_key(by=adam, key=made)
    forget_keys()
    assert keys.find_key(key) is None


def test_dana_makes_keys_for_events_only(dana: User) -> None:
    client = client_of(dana)
    refused = client.post("/keys/new/", {"name": "gateway", "scopes": ["score:write"]})
    assert refused.status_code == 403
    made = client.post("/keys/new/", {"name": "gateway", "scopes": ["events:write"]})
    assert made.status_code == 200
    assert ApiKey.objects.get().scopes == ["events:write"]


def test_ana_is_refused_the_users_page_and_that_is_on_record(ana: User) -> None:
    assert client_of(ana).get("/users/").status_code == 403
    assert AuditEvent.objects.filter(actor="ana", outcome="DENIED").count() == 1


def test_ana_reads_only_her_own_part_of_the_trail(ana: User, adam: User) -> None:
    keys.make_key(by=adam, name="gateway", scopes=["score:write"])
    assert b"key.made" not in client_of(ana).get("/audit/").content
    assert b"key.made" in client_of(adam).get("/audit/").content
