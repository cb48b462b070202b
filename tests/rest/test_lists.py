"""The allow and deny lists for programs, and payments found by them."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from alerts.models import Queue
from anomalyshield.accounts.models import User
from scoring.models import ListEntry
from tests.alerts import making as alerts_making
from tests.conftest import client_of
from tests.lists import making
from tests.rest.asking import get, pointers, post

pytestmark = pytest.mark.django_db
DENY = {"kind": "DENY", "entity": "card", "value": "card-0001", "reason": "Reported by Rosa."}


def until(days: float = 30) -> str:
    return (timezone.now() + timedelta(days=days)).isoformat()


def test_somebody_is_denied_at_once_and_once(ana: User) -> None:
    made = post(ana, "lists", DENY, 201)
    assert (made["state"], made["proposed_by"]) == ("ACTIVE", "ana")
    assert pointers(post(ana, "lists", DENY, 409)) == ["/value"]
    assert [row["id"] for row in get(ana, "lists", kind="DENY")["results"]] == [made["id"]]
    ended = post(ana, f"lists/{made['id']}/end", {"reason": "A mistake."})
    assert (ended["state"], ended["ended_by"]) == ("ENDED", "ana")
    post(ana, f"lists/{made['id']}/end", {"reason": "Again."}, 409)
    assert get(ana, "lists")["results"] == []
    assert len(get(ana, "lists", state="ENDED")["results"]) == 1


def test_allowing_takes_a_second_person_who_leads(ana: User, lena: User) -> None:
    asked = {**DENY, "kind": "ALLOW", "expires_at": until()}
    made = post(ana, "lists", asked, 201)
    assert made["state"] == "PROPOSED"
    assert "lead" in post(ana, f"lists/{made['id']}/approve", None, 409)["detail"]
    told = post(lena, f"lists/{made['id']}/approve")
    assert (told["state"], told["approved_by"]) == ("ACTIVE", "lena")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": "MAYBE"}, "/kind"),
        ({"kind": "ALLOW"}, "/expires_at"),
        ({"kind": "ALLOW", "expires_at": until(400)}, "/expires_at"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"entity": "city"}, "/entity"),
        ({"value": "x" * 200}, "/value"),
        ({"value": 7}, "/value"),
        ({"reason": ""}, "/reason"),
        ({"state": "ACTIVE"}, "/state"),
    ],
)
def test_what_cannot_be_read_is_refused_by_field(
    change: dict[str, Any], pointer: str, ana: User
) -> None:
    assert pointers(post(ana, "lists", {**DENY, **change}, 400)) == [pointer]
    assert not ListEntry.objects.exists()


def test_who_may_only_look_sees_masks_and_confirms_nothing(ana: User, mona: User) -> None:
    made = post(ana, "lists", DENY, 201)
    told = get(mona, f"lists/{made['id']}")
    assert "card-0001" not in str(told)
    assert told["reason"] == ""
    assert get(mona, "lists", q="card-0001")["results"] == []
    assert len(get(ana, "lists", q="card-0001")["results"]) == 1
    post(mona, "lists", DENY, 403)


def test_a_file_is_taken_over_whole_or_not_at_all(ana: User) -> None:
    def send(text: str, status: int) -> Any:
        file = SimpleUploadedFile("lists.csv", text.encode())
        got = client_of(ana).post("/api/v1/lists/import", {"file": file})
        assert got.status_code == status, got.content
        return got.json()

    head = "list,type,value,reason,expires\n"
    wrong = send(f"{head}DENY,card,c1,stolen,\nMAYBE,card,c2,stolen,\n", 400)
    assert "Line 3" in wrong["errors"][0]["detail"]
    assert not ListEntry.objects.exists()
    lines = f"{head}DENY,card,c1,stolen,\nALLOW,user,u1,known,{until(5)[:10]}\n"
    assert send(lines, 201) == {"made": 2, "waiting": 1}
    assert send(lines, 201) == {"made": 0, "waiting": 0}
    empty = client_of(ana).post("/api/v1/lists/import", {})
    assert (empty.status_code, pointers(empty.json())) == (400, ["/file"])


def test_lists_are_paged(ana: User) -> None:
    made = [making.denied(ana, value=f"c{n}").pk for n in range(5)]
    seen: list[int] = []
    asked: dict[str, Any] = {"limit": 2}
    while True:
        found = get(ana, "lists", **asked)
        seen += [row["id"] for row in found["results"]]
        if found["next"] is None:
            break
        asked["cursor"] = found["next"]
    assert seen == made[::-1]


def test_payments_are_found_by_what_one_knows_of_them(cards: Queue, ana: User, mona: User) -> None:
    one = alerts_making.alert(cards, user="customer-0001", level="CRITICAL").transaction
    two = alerts_making.alert(cards, user="customer-0002").transaction

    def found(who: User, **asked: Any) -> list[int]:
        return [row["id"] for row in get(who, "transactions", **asked)["results"]]

    assert set(found(ana)) == {one.pk, two.pk}
    assert found(ana, q=one.external_id) == [one.pk]
    assert found(ana, q="customer-0002") == [two.pk]
    assert found(mona, q="customer-0002") == []
    assert found(ana, level="CRITICAL") == [one.pk]
    assert found(ana, until="2001-01-01T00:00:00Z") == []
    first = get(ana, "transactions", limit=1)
    assert first["results"][0]["decided"]["recommendation"]
    rest = get(ana, "transactions", limit=1, cursor=first["next"])
    assert {first["results"][0]["id"], rest["results"][0]["id"]} == {one.pk, two.pk}
    assert rest["next"] is None
    assert pointers(get(ana, "transactions", 400, cursor="7")) == ["/cursor"]
    masked = get(mona, "transactions")["results"][0]
    assert "customer" not in masked["user_id"]
