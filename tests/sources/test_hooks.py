"""Webhooks that come in: only from who holds the secret, only now, each message once."""

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from anomalyshield.accounts.models import User
from scoring import hooks, secrets
from scoring.models import Receipt, RejectedRecord, Source, Transaction
from scoring.sourcing import change_source, make_source, secret_of
from tests.conftest import client_of
from tests.rest.asking import get, post
from tests.sources.conftest import event

pytestmark = pytest.mark.django_db
THEIRS = "a shared secret of theirs"
JSON = {"content_type": "application/json"}


@pytest.fixture(autouse=True)
def unknown() -> None:
    hooks.forget()


@pytest.fixture
def shop(dana: User) -> Source:
    return make_source(by=dana, name="shop", kind="webhook")


def signed(secret: str, body: bytes, *, id: str = "msg_1", age: float = 0) -> dict[str, str]:
    """The headers of Standard Webhooks, made as its specification says and by nothing of ours."""
    stamp = str(int(time.time() - age))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{id}.{stamp}.".encode() + body
    mark = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": f"v1,{mark}"}


def told(body: Any) -> bytes:
    return json.dumps(body).encode()


def send(body: bytes, headers: dict[str, str], name: str = "shop") -> HttpResponse:
    client = Client(raise_request_exception=False)
    return client.post(f"/hooks/{name}", body, headers=headers, **JSON)


def test_other_content_under_an_id_that_was_used_is_not_lost(shop: Source) -> None:
    for number in (1, 2):  # a sender that counts from one again after a restart
        body = told(event(number))
        assert send(body, signed(shop.signing_secret, body)).status_code == 202
    assert Transaction.objects.count() == Receipt.objects.count() == 2
    long = told(event(3))
    assert send(long, signed(shop.signing_secret, long, id="4111111111111111")).status_code == 202
    assert not Receipt.objects.filter(message__contains="4111111111111111").exists()
    long = told(event(4))
    for status in (202, 200):
        assert send(long, signed(shop.signing_secret, long, id="x" * 255)).status_code == status


def test_programs_are_refused_in_english_and_as_a_problem_wherever_they_knock(db: None) -> None:
    german = {"Accept-Language": "de"}
    for name in ("shop", "shop/extra", ""):
        answer = Client().post(f"/hooks/{name}", b"{}", headers=german, **JSON)
        assert answer["Content-Type"] == "application/problem+json", name
        assert answer["Content-Language"] == "en", name


def test_a_signed_message_is_stored_once_however_often_it_comes(shop: Source) -> None:
    body = told(event(1))
    first = send(body, signed(shop.signing_secret, body))
    again = send(body, signed(shop.signing_secret, body, age=5))
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
    assert Transaction.objects.count() == Receipt.objects.count() == 1


def test_the_vector_of_the_specification_fits() -> None:
    """The example of the reference libraries of Standard Webhooks."""
    secret, id, stamp = (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
    )
    content = f'{id}.{stamp}.{{"test": 2432232314}}'.encode()
    mark = hmac.digest(secrets.key_of(secret), content, "sha256")
    assert base64.b64encode(mark) == b"g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_whatever_is_not_signed_is_refused_alike(shop: Source) -> None:
    body, secret = told(event(1)), shop.signing_secret
    good = signed(secret, body)
    other = signed("whsec_" + base64.b64encode(bytes(32)).decode(), body)
    forged = [
        (body, other, "shop"),
        (body, signed(secret, body, age=301), "shop"),
        (body, signed(secret, body, age=-302), "shop"),
        (json.dumps(event(1), indent=1).encode(), good, "shop"),
        (body, {**good, "webhook-id": "msg_2"}, "shop"),
        (body, {**good, "webhook-timestamp": "soon"}, "shop"),
        (body, {**good, "webhook-signature": "v1,%%%"}, "shop"),
        (body, {**good, "webhook-signature": "v2,abc é"}, "shop"),
        (body, good, "nobody"),
    ]
    answers = [send(*one) for one in forged]
    assert {one.status_code for one in answers} == {401}
    assert len({(one.json()["code"], one.json()["detail"]) for one in answers}) == 1
    for name in good:
        assert send(body, {k: v for k, v in good.items() if k != name}).status_code == 400
    assert not Transaction.objects.exists()
    assert not RejectedRecord.objects.exists()
    assert send(body, good).status_code == 202


def test_other_methods_and_other_content_are_refused(shop: Source) -> None:
    assert Client().get("/hooks/shop").status_code == 405
    assert Client().post("/hooks/shop", "x", content_type="text/plain").status_code == 415


def test_after_a_change_both_secrets_open_for_a_day(shop: Source, dana: User, monkeypatch) -> None:
    fresh = post(dana, f"sources/{shop.pk}/secret")["signing_secret"]
    for number, secret in enumerate((shop.signing_secret, fresh)):
        body = told(event(number))
        assert send(body, signed(secret, body, id=f"m{number}")).status_code == 202
    monkeypatch.setattr(hooks, "FORMER_HOLDS", timedelta(0))
    last = post(dana, f"sources/{shop.pk}/secret")["signing_secret"]
    body = told(event(7))
    assert send(body, signed(fresh, body, id="m7")).status_code == 401
    assert send(body, signed(last, body, id="m7")).status_code == 202
    assert get(dana, f"sources/{shop.pk}")["version"] == 3


def test_a_secret_of_their_own_is_taken_and_a_short_one_is_not(shop: Source, dana: User) -> None:
    address = f"sources/{shop.pk}/secret"
    theirs = "whsec_" + base64.b64encode(b"k" * 24).decode()
    assert post(dana, address, {"secret": theirs})["signing_secret"] == theirs
    assert post(dana, address, {"secret": "short"}, 400)["pointer"] == "/secret"
    plain = make_source(by=dana, name="till", kind="rest")
    assert post(dana, f"sources/{plain.pk}/secret", None, 400)["pointer"] == "/kind"


@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_a_header_of_their_own_is_understood(encoding: str, dana: User) -> None:
    make_source(
        by=dana, name="old", kind="webhook", secrets={"signing_secret": THEIRS},
        connection={
            "scheme": "hmac", "signature_header": "X-Hub-Signature-256",
            "signature_prefix": "sha256=", "encoding": encoding, "records": "data.items",
        },
    )  # fmt: skip
    body = told({"data": {"items": [event(1), event(2)]}})
    mark = hmac.digest(THEIRS.encode(), body, "sha256")
    text = mark.hex() if encoding == "hex" else base64.b64encode(mark).decode()
    headers = {"X-Hub-Signature-256": f"sha256={text}"}
    assert send(body, headers, "old").json()["accepted"] == 2
    assert send(body, headers, "old").status_code == 200
    assert send(body + b" ", headers, "old").status_code == 401
    assert send(body, {}, "old").status_code == 400


def test_a_time_of_their_own_is_signed_and_looked_at(dana: User) -> None:
    make_source(
        by=dana, name="old", kind="webhook", secrets={"signing_secret": THEIRS},
        connection={
            "scheme": "hmac", "timestamp_header": "X-Time", "id_header": "X-Id",
            "signature_header": "X-Sig",
        },
    )  # fmt: skip
    body = told(event(1))
    for age, status in ((0, 202), (400, 401)):
        stamp = str(int(time.time()) - age)
        mark = hmac.digest(THEIRS.encode(), f"{stamp}.".encode() + body, "sha256")
        headers = {"X-Time": stamp, "X-Id": f"i{age}", "X-Sig": mark.hex()}
        assert send(body, headers, "old").status_code == status


@pytest.mark.parametrize("body", [b"{no json", b"7", b"null", b"[]", b'{"a": 1, "a": 2}', b"\xff"])
def test_what_was_signed_and_makes_no_sense_is_kept_and_not_sent_again(
    body: bytes, shop: Source
) -> None:
    answer = send(body, signed(shop.signing_secret, body))
    assert answer.status_code == 202
    assert answer.json()["rejected"] == RejectedRecord.objects.count() == (body != b"[]")


def test_a_source_that_is_off_or_of_another_kind_takes_nothing(shop: Source, dana: User) -> None:
    secret, body = shop.signing_secret, told(event(1))
    change_source(by=dana, source=shop, active=False)
    hooks.forget()
    assert send(body, signed(secret, body)).status_code == 403
    change_source(by=dana, source=shop, kind="rest", active=True)
    hooks.forget()
    assert send(body, signed(secret, body)).status_code == 401


def test_the_page_shows_the_secret_once_and_the_address_always(dana: User) -> None:
    client = client_of(dana)
    form = {
        "name": "shop", "kind": "webhook", "currency": "USD", "timezone": "UTC", "active": "on",
        "set-scheme": "standard", "set-encoding": "hex",
    }  # fmt: skip
    shown = client.post("/sources/new/", form).content.decode()
    made = Source.objects.get()
    assert secret_of(made, "signing_secret") in shown
    page = client.get(f"/sources/{made.pk}/").content.decode()
    assert "whsec_" not in page
    assert "/hooks/shop" in page
    fresh = client.post(f"/sources/{made.pk}/secret/").content.decode()
    made.refresh_from_db()
    assert secret_of(made, "signing_secret") in fresh


def test_forged_messages_use_up_nobodys_rate(shop: Source, settings) -> None:
    settings.RATE_LIMIT = 2
    body = told(event(1))
    for _ in range(5):
        assert (
            send(body, {**signed(shop.signing_secret, body), "webhook-id": "x"}).status_code == 401
        )
    assert send(body, signed(shop.signing_secret, body)).status_code == 202
