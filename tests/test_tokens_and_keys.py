"""Programs: tokens of people and keys of machines, and every way to forge or keep one."""

import base64
import json
import time
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.test import Client
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.views import APIView
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from anomalyshield.accounts import authentication, keys, people, throttle
from anomalyshield.accounts.authentication import ApiKeyAuthentication, Token, forget_keys
from anomalyshield.accounts.models import ApiKey, User
from anomalyshield.audit.models import AuditEvent
from tests.conftest import client_of, person

PASSWORD = "correct horse battery staple"
LOGIN, REFRESH, LOGOUT = (f"/api/v1/auth/{name}" for name in ("login", "refresh", "logout"))
pytestmark = pytest.mark.django_db


class Door(APIView):
    """An endpoint for whoever is someone."""

    action = "session.own"

    def get(self, request: Request) -> Response:
        return Response({})


@pytest.fixture(autouse=True)
def no_keys_remembered() -> None:
    forget_keys()


@pytest.fixture
def ana_with_password(ana: User) -> User:
    ana.set_password(PASSWORD)
    ana.save()
    return ana


def post(path: str, **body: object):
    return APIClient().post(path, body, format="json")


def tokens() -> dict[str, str]:
    return post(LOGIN, username="ana", password=PASSWORD).json()


def who(token: str) -> User | None:
    """The person an access token opens for, as every API view asks it."""
    request = APIRequestFactory().get("/", headers={"Authorization": f"Bearer {token}"})
    found = Token().authenticate(request)
    return found[0] if found else None


# --- tokens ---------------------------------------------------------------------------------------
def test_a_name_and_a_password_give_tokens(ana_with_password: User) -> None:
    answer = post(LOGIN, username="ana", password=PASSWORD)
    assert answer.status_code == 200
    given = answer.json()
    assert set(given) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (given["token_type"], given["expires_in"]) == ("bearer", 300)
    assert who(given["access_token"]) == ana_with_password
    assert AuditEvent.objects.filter(action="session.opened", actor="ana").count() == 1


@pytest.mark.parametrize(
    "body,pointer",
    [
        ({"username": "ana"}, "/password"),
        ({"password": PASSWORD}, "/username"),
        ({"username": 5, "password": PASSWORD}, "/username"),
        ({"username": ["ana"], "password": PASSWORD}, "/username"),
        ({"username": None, "password": PASSWORD}, "/username"),
        ({"username": "ana", "password": PASSWORD, "role": "admin"}, "/role"),
        ({"username": "x" * 151, "password": PASSWORD}, "/username"),
    ],
)
def test_a_body_that_is_not_exactly_that_is_refused_with_the_place(
    ana_with_password: User, body: dict[str, object], pointer: str
) -> None:
    answer = post(LOGIN, **body)
    assert answer.status_code == 400
    assert pointer in {error["pointer"] for error in answer.json()["errors"]}


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(ana_with_password: User) -> None:
    answers = [
        post(LOGIN, username=name, password="wrong wrong wrong") for name in ("ana", "nobody")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert len({answer.json()["detail"] for answer in answers}) == 1


@pytest.mark.parametrize("name,password", [("admin", "admin123"), ("admin", "admin")])
def test_the_credentials_of_the_old_manual_are_not_shipped(name: str, password: str) -> None:
    assert post(LOGIN, username=name, password=password).status_code == 401


def test_guessing_by_the_api_counts_together_with_the_page(ana_with_password: User) -> None:
    for _ in range(throttle.PER_NAME - 1):
        assert post(LOGIN, username="ana", password="wrong").status_code == 401
    Client().post("/accounts/login/", {"login": "ana", "password": "wrong"})
    answer = post(LOGIN, username="ana", password=PASSWORD)
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= throttle.WINDOW


def test_a_refresh_token_works_once_and_its_reuse_ends_the_family(ana_with_password: User) -> None:
    first = tokens()["refresh_token"]
    second = post(REFRESH, refresh_token=first).json()["refresh_token"]
    assert post(REFRESH, refresh_token=first).status_code == 401
    assert post(REFRESH, refresh_token=second).status_code == 401
    assert AuditEvent.objects.filter(action="session.refused", reason="reused token").exists()


def test_after_logging_out_a_refresh_token_is_useless(ana_with_password: User) -> None:
    refresh = tokens()["refresh_token"]
    assert post(LOGOUT, refresh_token=refresh).status_code == 204
    assert post(REFRESH, refresh_token=refresh).status_code == 401


def test_after_a_new_password_no_old_token_works(ana_with_password: User) -> None:
    given = tokens()
    ana_with_password.set_password("another long sentence")
    ana_with_password.save()
    assert post(REFRESH, refresh_token=given["refresh_token"]).status_code == 401
    with pytest.raises(authentication.AuthenticationFailed):
        who(given["access_token"])


def test_suspending_ends_all_tokens_at_once_and_for_good(
    ana_with_password: User, adam: User
) -> None:
    given, standing = tokens(), {"roles": ["analyst"], "is_lead": False}
    people.change_user(by=adam, user=ana_with_password, is_active=False, **standing)
    assert post(LOGIN, username="ana", password=PASSWORD).status_code == 401
    with pytest.raises(authentication.AuthenticationFailed):
        who(given["access_token"])
    people.change_user(by=adam, user=ana_with_password, is_active=True, **standing)
    assert post(REFRESH, refresh_token=given["refresh_token"]).status_code == 401


def test_the_database_holds_no_token_that_could_be_used(ana_with_password: User) -> None:
    given = tokens()
    post(REFRESH, refresh_token=given["refresh_token"])
    assert set(OutstandingToken.objects.values_list("token", flat=True)) == {""}


def _claims(user: User, **changed: object) -> dict[str, object]:
    """What a true access token of this user says, with something changed; None leaves it out."""
    claims = {**AccessToken.for_user(user).payload, **changed}
    return {name: value for name, value in claims.items() if value is not None}


def _signed(claims: dict[str, object], key: str = settings.SECRET_KEY, **more: object) -> str:
    return jwt.encode(claims, key, algorithm=more.pop("algorithm", "HS256"), headers=more)


def _unsigned(claims: dict[str, object], alg: str) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': alg, 'typ': 'JWT'})}.{part(claims)}."


FORGERIES = {
    "alg none": lambda user: _unsigned(_claims(user), "none"),
    "alg None": lambda user: _unsigned(_claims(user), "None"),
    "alg empty": lambda user: _unsigned(_claims(user), ""),
    "another algorithm": lambda user: _signed(_claims(user), algorithm="HS512"),
    "another key": lambda user: _signed(_claims(user), key="k" * 64),
    "an empty file as key": lambda user: _signed(_claims(user), key="\n", kid="../../dev/null"),
    "a key offered": lambda user: _signed(_claims(user), key="k" * 64, jwk={"k": "k" * 64}),
    "a key elsewhere": lambda user: _signed(_claims(user), key="k" * 64, jku="http://127.0.0.1:1/"),
    "expired": lambda user: _signed(_claims(user, exp=int(time.time()) - 1)),
    "no end": lambda user: _signed(_claims(user, exp=None)),
    "an end that is text": lambda user: _signed(_claims(user, exp="tomorrow")),
    "not yet": lambda user: _signed(_claims(user, nbf=int(time.time()) + 60)),
    "for someone else": lambda user: _signed(_claims(user, aud="another place")),
    "for nobody": lambda user: _signed(_claims(user, aud=None)),
    "by someone else": lambda user: _signed(_claims(user, iss="another place")),
    "by nobody": lambda user: _signed(_claims(user, iss=None)),
    "without a number": lambda user: _signed(_claims(user, jti=None)),
    "of nobody": lambda user: _signed(_claims(user, user_id="0")),
    "of no one in particular": lambda user: _signed(_claims(user, user_id=None)),
    "of a name": lambda user: _signed(_claims(user, user_id="ana")),
    "a refresh token": lambda user: str(RefreshToken.for_user(user)),
    "another password": lambda user: _signed(_claims(user, hash_password="x")),
    "rubbish": lambda user: "a.b.c",
    "a megabyte": lambda user: "a" * 1_000_000,
    "two": lambda user: f"{AccessToken.for_user(user)},Bearer {AccessToken.for_user(user)}",
    "not ascii": lambda user: "\xff.\xff.\xff",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_opens_nothing_and_all_get_the_same_answer(
    ana: User, forgery: str, settings
) -> None:
    settings.ROOT_URLCONF = type("urls", (), {"urlpatterns": [path("door", Door.as_view())]})
    good = {"Authorization": f"Bearer {AccessToken.for_user(ana)}"}
    assert Client().get("/door", headers=good).status_code == 200
    bad = {"Authorization": f"Bearer {FORGERIES[forgery](ana)}"}
    answer = Client().get("/door", headers=bad)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "This access token is not valid."


# --- keys -----------------------------------------------------------------------------------------
def opens(key: str, **more: str) -> bool:
    """Whether the manual, which is for keys too, opens with this one."""
    return Client().get("/api/schema/", headers={"X-Api-Key": key, **more}).status_code == 200


def make(by: User, **more: object) -> tuple[ApiKey, str]:
    return keys.make_key(by=by, **{"name": "gateway", "scopes": ["score:write"], **more})


def test_a_key_is_kept_only_as_its_digest_and_shown_once(adam: User) -> None:
    client = client_of(adam)
    page = client.post("/keys/new/", {"name": "gateway", "scopes": ["score:write"]})
    key = page.context["key"]
    assert key in page.content.decode()
    assert key not in client.get("/keys/").content.decode()
    kept = ApiKey.objects.get()
    assert key.startswith(f"{kept.prefix}_")
    secret = key.removeprefix(kept.prefix)
    rows = json.dumps(list(AuditEvent.objects.values("before", "after", "reason", "object_id")))
    assert secret not in rows
    assert secret.encode() not in bytes(kept.digest)


def test_a_key_opens_in_either_header(adam: User) -> None:
    _, key = make(adam)
    assert opens(key)
    answer = Client().get("/api/schema/", headers={"Authorization": f"Api-Key {key}"})
    assert answer.status_code == 200


def test_a_key_with_one_letter_changed_opens_nothing(adam: User) -> None:
    _, key = make(adam)
    assert not opens(key[:-1] + ("A" if key[-1] != "A" else "B"))
    assert not opens(key[:11])
    assert not opens("as_\x00")
    assert not opens("x" * 100_000)


def test_a_revoked_key_opens_nothing_any_more(adam: User) -> None:
    made, key = make(adam)
    assert opens(key)
    client_of(adam).post(f"/keys/{made.pk}/revoke/")
    assert not opens(key)
    assert AuditEvent.objects.filter(action="key.revoked", object_id=str(made.pk)).count() == 1


def test_a_key_revoked_in_another_process_is_forgotten_within_five_seconds(
    adam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, key = make(adam)
    assert opens(key)
    ApiKey.objects.filter(pk=made.pk).update(revoked_at=timezone.now())
    now = time.monotonic()
    monkeypatch.setattr(authentication.time, "monotonic", lambda: now + 5)
    assert not opens(key)


def test_an_expired_key_opens_nothing(adam: User) -> None:
    made, key = make(adam, expires_at=timezone.now() + timedelta(hours=1))
    assert opens(key)
    ApiKey.objects.filter(pk=made.pk).update(expires_at=timezone.now())
    forget_keys()
    assert not opens(key)


def test_a_key_in_an_address_is_refused_though_it_is_right(adam: User) -> None:
    _, key = make(adam)
    request = APIRequestFactory().get(f"/?api_key={key}", headers={"X-Api-Key": key})
    with pytest.raises(authentication.AuthenticationFailed, match="revoke this one"):
        ApiKeyAuthentication().authenticate(request)


def test_the_last_use_is_written_at_most_once_a_minute(adam: User) -> None:
    made, key = make(adam)
    first = timezone.now() - timedelta(seconds=50)
    for seen, moved in ((None, True), (first, False), (first - timedelta(seconds=20), True)):
        ApiKey.objects.filter(pk=made.pk).update(last_used_at=seen)
        forget_keys()
        opens(key)
        made.refresh_from_db()
        assert (made.last_used_at != seen) is moved


def test_a_thousand_requests_with_a_key_ask_the_database_once(
    adam: User, django_assert_num_queries
) -> None:
    _, key = make(adam)
    with django_assert_num_queries(2):  # the key, and its last use
        for _ in range(1000):
            authentication.machine_of(key)


@pytest.mark.parametrize(
    "body,reason",
    [
        ({"name": ""}, "required"),
        ({"scopes": []}, "required"),
        ({"scopes": ["all"]}, "not one of the available choices"),
        ({"expires_at": "2001-01-01T00:00"}, "already past"),
        ({"expires_at": "soon"}, "valid date"),
        ({"source": "999999"}, "not one of the available choices"),
    ],
)
def test_a_key_that_cannot_be_made_is_refused_in_words(
    adam: User, body: dict[str, object], reason: str
) -> None:
    whole = {"name": "gateway", "scopes": ["score:write"], **body}
    page = client_of(adam).post("/keys/new/", whole)
    assert page.status_code == 400
    assert reason in page.content.decode()
    assert not ApiKey.objects.exists()


def test_dana_makes_keys_for_events_only_and_sees_only_her_own(dana: User, adam: User) -> None:
    others, _ = make(adam)
    client = client_of(dana)
    refused = client.post("/keys/new/", {"name": "gateway", "scopes": ["score:write"]})
    assert refused.status_code == 403
    made = client.post("/keys/new/", {"name": "processor", "scopes": ["events:write"]})
    assert made.status_code == 200
    page = client.get("/keys/").content.decode()
    assert "processor" in page
    assert others.prefix not in page
    assert client.post(f"/keys/{others.pk}/revoke/").status_code == 404


def test_a_key_does_no_more_than_its_maker() -> None:
    with pytest.raises(keys.NotYours):
        make(person("mona", "owner"))
