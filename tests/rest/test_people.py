"""People, one's own sessions, keys and the trail for programs."""

from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from anomalyshield.accounts.models import ApiKey, OpenSession, User
from anomalyshield.audit.models import AuditEvent
from scoring import keeping
from tests.conftest import client_of
from tests.rest.asking import answer, get, patch, pointers, post
from tests.scoring import making

pytestmark = pytest.mark.django_db


# --- people ---------------------------------------------------------------------------------------
def test_a_person_is_made_and_logs_in_with_what_was_told_once(adam: User) -> None:
    asked = {"username": "nina", "full_name": "Nina Ray", "roles": ["analyst"], "is_lead": True}
    made = answer(adam, "post", "users", asked)
    told = made.json()
    assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
    assert (told["roles"], told["is_lead"], told["full_name"]) == (["analyst"], True, "Nina Ray")
    body = {"username": "nina", "password": told["password"]}
    tokens = Client().post("/api/v1/auth/login", body, content_type="application/json").json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert Client().get("/api/v1/me", headers=bearer).json()["username"] == "nina"
    assert "password" not in get(adam, f"users/{told['id']}")


def test_a_name_of_one_long_word_is_refused_or_kept_and_no_failure_of_ours(adam: User) -> None:
    for size, status in ((150, 201), (151, 400), (200, 400)):
        asked = {"username": f"nina{size}", "full_name": "N" * size, "roles": ["analyst"]}
        assert answer(adam, "post", "users", asked).status_code == status, size


def test_what_is_not_named_stays(adam: User, lena: User) -> None:
    told = patch(adam, f"users/{lena.pk}", {"roles": ["analyst", "engineer"]})
    assert (told["roles"], told["is_lead"], told["is_active"]) == (
        ["analyst", "engineer"],
        True,
        True,
    )
    assert patch(adam, f"users/{lena.pk}", {"is_active": False})["roles"] == told["roles"]
    assert client_of(lena).get("/api/v1/me").status_code == 401


def test_nobody_changes_themselves_and_a_name_is_taken_once(adam: User, ana: User) -> None:
    assert "ask another admin" in patch(adam, f"users/{adam.pk}", {"roles": []}, 409)["detail"]
    post(adam, f"users/{adam.pk}/password", None, 409)
    taken = post(adam, "users", {"username": "ANA"}, 409)
    assert (taken["code"], taken["pointer"]) == ("taken", "/username")


def test_a_new_password_ends_the_old_ways_in(adam: User, ana: User) -> None:
    told = post(adam, f"users/{ana.pk}/password")
    assert User.objects.get(pk=ana.pk).check_password(told["password"])
    assert get(adam, "audit", object_id=ana.pk, action="user.changed")["results"]


def test_people_are_found_by_role_and_standing(adam: User, ana: User, lena: User) -> None:
    patch(adam, f"users/{lena.pk}", {"is_active": False})

    def found(**asked: str) -> set[str]:
        return {one["username"] for one in get(adam, "users", **asked)["results"]}

    assert found(role="analyst") == {"ana", "lena"}
    assert found(role="analyst", active="true") == {"ana"}
    assert found(active="false") == {"lena"}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/username"),
        ({"username": "two words"}, "/username"),
        ({"username": 7}, "/username"),
        ({"username": "nina", "email": 7}, "/email"),
        ({"username": "nina", "roles": ["king"]}, "/roles/0"),
        ({"username": "nina", "roles": "analyst"}, "/roles"),
        ({"username": "nina", "is_lead": "yes"}, "/is_lead"),
        ({"username": "nina", "is_superuser": True}, "/is_superuser"),
    ],
)
def test_a_person_that_cannot_be_read_is_refused_by_field(
    body: dict[str, Any], pointer: str, adam: User
) -> None:
    assert pointers(post(adam, "users", body, 400)) == [pointer]
    assert User.objects.count() == 1


def test_of_two_admins_the_second_reads_again(adam: User, ana: User) -> None:
    read = answer(adam, "get", f"users/{ana.pk}")["ETag"]
    patch(adam, f"users/{ana.pk}", {"is_lead": True})
    late = answer(adam, "patch", f"users/{ana.pk}", {"roles": ["admin"]}, if_match=read)
    assert late.status_code == 412
    assert get(adam, f"users/{ana.pk}")["roles"] == ["analyst"]


# --- one's own ------------------------------------------------------------------------------------
def test_one_reads_who_one_is_and_chooses_a_time_zone(ana: User) -> None:
    told = get(ana, "me")
    assert (told["roles"], told["timezone"]) == (["analyst"], "UTC")
    assert "alert.work" in told["actions"]
    assert patch(ana, "me", {"timezone": "Asia/Kolkata"})["timezone"] == "Asia/Kolkata"
    assert pointers(patch(ana, "me", {"timezone": "Mars"}, 400)) == ["/timezone"]
    assert pointers(patch(ana, "me", {"roles": ["admin"]}, 400)) == ["/roles"]


def test_browsers_are_listed_and_ended_one_by_one_or_all_others(ana: User, lena: User) -> None:
    here, other, foreign = client_of(ana), client_of(ana), client_of(lena)
    rows = here.get("/api/v1/me/sessions").json()["results"]
    assert [row["here"] for row in rows] == [False, True]
    theirs = OpenSession.objects.get(user=lena).pk

    def end(which: str) -> HttpResponse:
        return here.post(f"/api/v1/me/sessions/{which}", content_type="application/json")

    assert end(f"{theirs}/end").status_code == 404
    assert end(f"{rows[0]['id']}/end").status_code == 204
    assert other.get("/api/v1/me").status_code == 401
    client_of(ana)
    assert end("end-others").json() == {"ended": 1}
    assert here.get("/api/v1/me").status_code == 200
    assert end(f"{rows[1]['id']}/end").status_code == 204
    assert here.get("/api/v1/me").status_code == 401
    assert foreign.get("/api/v1/me").status_code == 200


# --- keys -----------------------------------------------------------------------------------------
def test_a_key_is_told_once_opens_and_is_revoked(adam: User) -> None:
    making.source("till")
    asked = {"name": "gateway", "scopes": ["read:alerts"], "source": "till"}
    made = post(adam, "keys", asked, 201)
    assert made["source"] == "till"
    opened = Client().get("/api/v1/alerts", headers={"X-Api-Key": made["key"]})
    assert opened.status_code == 200
    assert "key" not in get(adam, f"keys/{made['id']}")
    assert post(adam, f"keys/{made['id']}/revoke")["revoked_at"]
    again = post(adam, f"keys/{made['id']}/revoke")
    assert again["revoked_at"] == get(adam, f"keys/{made['id']}")["revoked_at"]
    shut = Client().get("/api/v1/alerts", headers={"X-Api-Key": made["key"]})
    assert shut.status_code == 401


def test_keys_are_paged_in_the_order_of_their_making(adam: User) -> None:
    made = [
        post(adam, "keys", {"name": f"k{n}", "scopes": ["score:write"]}, 201)["id"]
        for n in range(5)
    ]
    seen: list[str] = []
    asked: dict[str, Any] = {"limit": 2}
    while True:
        found = get(adam, "keys", **asked)
        seen += [row["id"] for row in found["results"]]
        if found["next"] is None:
            break
        asked["cursor"] = found["next"]
    assert seen == made[::-1]
    for cursor in ("1", "x~y", "2026-01-01~1", "2026-01-01T00:00:00+00:00~1"):
        assert pointers(get(adam, "keys", 400, cursor=cursor)) == ["/cursor"]


def test_an_engineer_makes_keys_for_events_and_sees_their_own(dana: User, adam: User) -> None:
    adams = post(adam, "keys", {"name": "a", "scopes": ["score:write"]}, 201)["id"]
    refused = post(dana, "keys", {"name": "b", "scopes": ["score:write"]}, 403)
    assert refused["code"] == "not_yours"
    own = post(dana, "keys", {"name": "c", "scopes": ["events:write"]}, 201)["id"]
    assert [row["id"] for row in get(dana, "keys")["results"]] == [own]
    get(dana, f"keys/{adams}", 404)
    post(dana, f"keys/{adams}/revoke", None, 404)
    kept = making.source("vault")
    keeping.set_keepers(by=adam, source=kept, people=[], whole_team=False)
    asked = {"name": "d", "scopes": ["events:write"], "source": "vault"}
    assert pointers(post(dana, "keys", asked, 400)) == ["/source"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["everything"]}, "/scopes/0"),
        ({"source": "nowhere"}, "/source"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": 7}, "/expires_at"),
        ({"digest": "x"}, "/digest"),
    ],
)
def test_a_key_that_cannot_be_read_is_refused_by_field(
    change: dict[str, Any], pointer: str, adam: User
) -> None:
    until = (timezone.now() + timedelta(days=1)).isoformat()
    body = {"name": "gateway", "scopes": ["score:write"], "expires_at": until, **change}
    assert pointers(post(adam, "keys", body, 400)) == [pointer]
    assert not ApiKey.objects.exists()


# --- the trail ------------------------------------------------------------------------------------
def test_the_trail_is_ones_own_or_everyones(adam: User, ana: User) -> None:
    patch(ana, "me", {"timezone": "Asia/Kolkata"})
    patch(adam, f"users/{ana.pk}", {"is_lead": True})
    own = get(ana, "audit")["results"]
    assert {event["actor"] for event in own} == {"ana"}
    changed = get(ana, "audit", action="profile.changed")["results"]
    assert [event["before"] for event in changed] == [{"timezone": "UTC"}]
    assert get(ana, "audit", actor="adam")["results"] == []
    theirs = get(adam, "audit", actor="adam", action="user.changed")["results"]
    assert [event["object_id"] for event in theirs] == [str(ana.pk)]
    assert get(adam, f"audit/{theirs[0]['id']}")["after"]["lead"] is True
    get(ana, f"audit/{theirs[0]['id']}", 404)


def test_refusals_are_on_the_trail_too(ana: User, adam: User) -> None:
    get(ana, "users", 403)
    refused = get(adam, "audit", actor="ana", outcome="DENIED", limit=1)["results"]
    assert refused[0]["action"] == "user.manage"
    assert pointers(get(adam, "audit", 400, outcome="MAYBE")) == ["/outcome"]
    assert pointers(get(adam, "audit", 400, cursor="x")) == ["/cursor"]


def test_the_trail_is_paged(adam: User) -> None:
    for n in range(5):
        patch(adam, "me", {"timezone": ["UTC", "Asia/Kolkata"][(n + 1) % 2]})
    first = get(adam, "audit", action="profile.changed", limit=2)
    second = get(adam, "audit", action="profile.changed", limit=2, cursor=first["next"])
    numbers = [event["id"] for event in first["results"] + second["results"]]
    every = AuditEvent.objects.filter(action="profile.changed").order_by("-pk")
    assert numbers == list(every.values_list("pk", flat=True))[:4]
