"""Endpoints by page and by API: a secret told once, pauses, tests, and what is sent again."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from django.utils import timezone

from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from scoring.models import Delivery, Endpoint
from scoring.tasks import do_next, work_named
from scoring.webhooks import events, signing
from tests.conftest import client_of
from tests.rest.asking import answer, get, patch, pointers, post
from tests.webhooks import making
from tests.webhooks.making import Receiver, listening
from tests.webhooks.test_relay import verified

pytestmark = pytest.mark.django_db
WORK = work_named("delivery")
HEARD = {"events": ["decision.updated"]}


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_NETWORKS = [ip_network("127.0.0.0/8")]
    with listening() as one:
        yield one


@pytest.fixture
def core(adam: User, receiver: Receiver) -> dict[str, Any]:
    made: dict[str, Any] = post(
        adam, "endpoints", {"name": "core", "url": receiver.url, **HEARD}, 201
    )
    return made


def queue() -> None:
    events.queue("decision.updated", {"decision": 1}, at=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_its_secret_is_told_once_and_verifies_what_it_gets(
    core: dict[str, Any], receiver: Receiver, adam: User
) -> None:
    told = post(adam, f"endpoints/{core['id']}/try", None, 202)
    assert (told["type"], told["state"]) == ("endpoint.tested", "READY")
    assert do_next(WORK)
    (headers, body) = receiver.got[0]
    assert verified(core["secret"], headers, body) == [True]
    sent = get(adam, f"endpoints/{core['id']}/deliveries")["results"]
    assert [(one["event"], one["state"]) for one in sent] == [(headers["webhook-id"], "DONE")]
    assert "secret" not in get(adam, f"endpoints/{core['id']}")
    assert core["secret"] not in str(list(AuditEvent.objects.values_list("after", flat=True)))


@pytest.mark.django_db(transaction=True)
def test_after_a_new_secret_both_sign_for_a_day(
    core: dict[str, Any], receiver: Receiver, adam: User
) -> None:
    fresh = post(adam, f"endpoints/{core['id']}/rotate")["secret"]
    queue()
    assert do_next(WORK)
    (headers, body) = receiver.got[0]
    assert verified(fresh, headers, body) == [True, False]
    assert verified(core["secret"], headers, body) == [False, True]


@pytest.mark.django_db(transaction=True)
def test_what_happens_during_a_pause_waits(
    core: dict[str, Any], receiver: Receiver, adam: User
) -> None:
    at = f"endpoints/{core['id']}"
    assert post(adam, f"{at}/pause")["state"] == "PAUSED"
    post(adam, f"{at}/pause", None, 409)
    post(adam, f"{at}/try", None, 409)
    queue()
    assert not do_next(WORK)
    assert post(adam, f"{at}/resume")["state"] == "ACTIVE"
    assert do_next(WORK)
    assert len(receiver.got) == 1
    post(adam, f"{at}/resume", None, 409)


@pytest.mark.django_db(transaction=True)
def test_one_that_the_platform_stopped_goes_on_and_what_was_given_up_is_sent_again(
    core: dict[str, Any], receiver: Receiver, adam: User
) -> None:
    receiver.status = 410
    queue()
    assert do_next(WORK)
    at = f"endpoints/{core['id']}"
    assert "410" in get(adam, at)["stopped_because"]
    sent = get(adam, f"{at}/deliveries")["results"][0]
    assert sent["state"] == "QUARANTINED"
    again = f"{at}/deliveries/{sent['id']}/again"
    assert "resume it first" in post(adam, again, None, 409)["detail"]
    resumed = post(adam, f"{at}/resume")
    assert (resumed["stopped_because"], resumed["failures"]) == ("", 0)
    receiver.status = 204
    assert post(adam, again, None, 202)["state"] == "READY"
    assert do_next(WORK)
    assert len(set(receiver.ids)) == 1
    post(adam, again, None, 409)


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"url": "http://10.0.0.1/hook"}, 400, "/url"),
        ({"url": "https://127.0.0.1:6379/"}, 400, "/url"),
        ({"url": "ftp://core.example/"}, 400, "/url"),
        ({"url": "https://user:word@core.example/"}, 400, "/url"),
        ({"url": ""}, 400, "/url"),
        ({"events": []}, 400, "/events"),
        ({"events": ["everything"]}, 400, "/events/0"),
        ({"finality": "SOMETIMES"}, 400, "/finality"),
        ({"secret": "mine"}, 400, "/secret"),
        ({"name": "CORE"}, 409, "/name"),
    ],
)
def test_what_cannot_be_an_endpoint_is_refused_by_field(
    change: dict[str, Any], status: int, pointer: str, adam: User, settings: Any
) -> None:
    making.endpoint(name="core")
    settings.WEBHOOK_NETWORKS = [ip_network("192.0.2.0/24")]
    body = {"name": "other", "url": "http://192.0.2.1/hook", **HEARD, **change}
    assert pointers(post(adam, "endpoints", body, status)) == [pointer]
    assert Endpoint.objects.count() == 1


def test_who_asks_for_an_event_there_is_not_is_told_which_there_are(adam: User) -> None:
    body = {"name": "other", "url": "kafka:alerts", "events": ["everything"]}
    [error] = post(adam, "endpoints", body, 400)["errors"]
    assert error["detail"].startswith("“everything” is none of them. There are: decision.")
    assert all(name in error["detail"] for name in events.EVENTS)
    [error] = post(adam, "endpoints", {**body, **HEARD, "finality": "SOME"}, 400)["errors"]
    assert error["detail"].endswith(f"There are: {', '.join(Endpoint.Finality.values[1:])}.")


def test_an_endpoint_is_changed_and_the_trail_holds_no_path(
    core: dict[str, Any], receiver: Receiver, adam: User
) -> None:
    other = f"{receiver.url}/token-in-a-path"
    told = patch(adam, f"endpoints/{core['id']}", {"url": other, "finality": "DECLINED"})
    assert (told["url"], told["finality"], told["name"]) == (other, "DECLINED", "core")
    assert "token-in-a-path" not in str(list(AuditEvent.objects.values_list("after", flat=True)))
    assert AuditEvent.objects.filter(action="endpoint.changed", actor="adam").exists()


def test_only_admins_have_to_do_with_endpoints(core: dict[str, Any], ana: User, mona: User) -> None:
    for who in (ana, mona):
        get(who, "endpoints", 403)
        post(who, f"endpoints/{core['id']}/pause", None, 403)
        assert client_of(who).get("/endpoints/").status_code == 403


def test_a_delivery_of_another_endpoint_does_not_exist(adam: User) -> None:
    one, two = making.endpoint(), making.endpoint()
    queue()
    sent = Delivery.objects.get(endpoint=two)
    post(adam, f"endpoints/{one.pk}/deliveries/{sent.pk}/again", None, 404)
    assert answer(adam, "post", "endpoints/999/pause").status_code == 404


# --- the pages ------------------------------------------------------------------------------------
def test_an_admin_makes_one_on_the_page_and_sees_the_secret_once(
    receiver: Receiver, adam: User
) -> None:
    admin = client_of(adam)
    assert "No upstream system is told anything yet" in admin.get("/endpoints/").content.decode()
    made = admin.post("/endpoints/new/", {"name": "core", "url": receiver.url, **HEARD})
    endpoint = Endpoint.objects.get()
    secret = signing.shown(bytes(endpoint.salt))
    assert secret.replace("+", "&#x2B;") in made.content.decode() or secret in made.content.decode()
    page = admin.get(f"/endpoints/{endpoint.pk}/").content.decode()
    assert secret not in page
    assert "Nothing was sent yet" in page
    assert admin.post(f"/endpoints/{endpoint.pk}/try/").status_code == 302
    assert "on its way" in admin.get(f"/endpoints/{endpoint.pk}/").content.decode()
    rotated = admin.post(f"/endpoints/{endpoint.pk}/rotate/").content.decode()
    assert "The former secret signs too" in rotated


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(adam: User) -> None:
    admin = client_of(adam)
    wrong = admin.post("/endpoints/new/", {"name": "core", "url": "http://10.0.0.1/x", **HEARD})
    page = wrong.content.decode()
    assert wrong.status_code == 400
    assert "which is not a public address" in page
    assert "http://10.0.0.1/x" in page
    assert admin.post("/endpoints/new/", {}).status_code == 400
    one = making.endpoint()
    assert admin.post(f"/endpoints/{one.pk}/", {"name": "x"}).status_code == 400
    assert admin.post(f"/endpoints/{one.pk}/resume/").status_code == 409
    assert admin.get("/endpoints/999/").status_code == 404


def test_the_pages_cost_a_fixed_number_of_queries(
    adam: User, django_assert_max_num_queries: Any
) -> None:
    one = making.endpoint()
    for _ in range(5):
        making.endpoint()
        queue()
    admin = client_of(adam)
    for address in ("/endpoints/", f"/endpoints/{one.pk}/"):
        with django_assert_max_num_queries(7):
            assert admin.get(address).status_code == 200


def test_a_secret_of_another_secret_key_is_said(adam: User) -> None:
    one = making.endpoint(mark="0" * 16)
    page = client_of(adam).get(f"/endpoints/{one.pk}/").content.decode()
    assert "nothing can be signed" in page
    post(adam, f"endpoints/{one.pk}/rotate")
    fresh = Endpoint.objects.get()
    assert fresh.mark == signing.mark_of(bytes(fresh.salt))
    assert fresh.former_salt is None
