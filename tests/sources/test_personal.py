"""What a source declares personal is found nowhere: in no table, log line, page, file or answer."""

import json
import logging
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from anomalyshield.accounts.models import User
from scoring import hooks, mending, personal, uploads
from scoring.accepting import Sent, accept
from scoring.api.hooks import records_of
from scoring.models import RejectedRecord, Source, Transaction
from scoring.sourcing import make_source
from tests.conftest import client_of
from tests.scoring import making
from tests.sources.conftest import event, sender

MAIL = "canary.7319@example.org"
PIECES = ("canary.7319", "canary", "7319@")
SCHEMA = {"type": "object", "properties": {"e-mail": {"type": "string", "pattern": "^[a-z.0-9]+@"}}}


@pytest.fixture
def shop(dana: User) -> Source:
    pii = ["e-mail", "user_id", "Handset", "card_id"]
    mapping = {"Handset": "device_id"}
    return make_source(by=dana, name="shop", kind="rest", pii=pii, schema=SCHEMA, mapping=mapping)


def paid(number: int, **more: Any) -> dict[str, Any]:
    ids = {"user_id": f"u-{MAIL}", "card_id": f"c-{MAIL}", "Handset": f"d-{MAIL}"}
    return event(number, **{"e-mail": MAIL, "colour": "blue", **ids, **more})


def everything_stored() -> str:
    """All rows of all tables, as a dump of the database would show them."""
    told = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            told += [row for (row,) in cursor.fetchall()]
    return "\n".join(told)


def found_in(text: str) -> list[str]:
    return [piece for piece in PIECES if piece in text]


def send_through_every_door(shop: Source, adam: User, dana: User) -> None:
    """Good and bad, by every door that there is."""
    send = sender(adam, shop, scopes=["events:write", "score:write"])
    assert send(paid(1), "/detect").status_code == 200
    send(paid(1, amount=77), "/detect")  # known with other content: kept
    send(paid(2, amount="x"), "/detect")
    assert send(paid(3)).status_code == 202
    send([paid(4), paid(5, amount="x"), paid(6, **{"e-mail": f"{MAIL} "}), paid(7, user_id="")])
    send(json.dumps(paid(8)) + f'\n{{"e-mail": "{MAIL}"', content_type="application/x-ndjson")
    send({"notice_id": "n", "transaction_id": "e1", "e-mail": MAIL, "kind": "x"}, "/api/v1/notices")
    send([{"notice_id": "n", "e-mail": MAIL, "kind": "x"}], "/api/v1/notices")
    body = json.dumps({"e-mail": MAIL, "amount": 1}).encode()
    accept(source=shop, sent=records_of(shop, body), door="webhook", message="m1")
    broken = Sent(f'{{"e-mail": "{MAIL}'.encode(), "t/0@1", {"record": "cannot be read"})
    accept(source=shop, sent=[broken, Sent(paid(9, **{"e-mail": 7}), "t/0@2")], door="kafka")
    hooks.forget()
    rows = f"transaction_id,user_id,amount,e-mail\nf1,u-{MAIL},1,{MAIL}\nf2,u-{MAIL},x,{MAIL}\n"
    rows += f"f3,u,1,2,{MAIL}\n"
    uploads.receive(by=dana, source=shop, name="a.csv", file=BytesIO(rows.encode()), options={})
    making.work_through()


@pytest.mark.django_db(transaction=True)
def test_a_personal_value_is_stored_and_logged_nowhere_in_the_clear(
    shop: Source, adam: User, dana: User, ana: User, mona: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    send_through_every_door(shop, adam, dana)
    assert Transaction.objects.count() == 6
    assert RejectedRecord.objects.count() >= 9
    lines = [line for line in everything_stored().splitlines() if found_in(line)]
    assert [line[:300] for line in lines] == []
    logged = [one.getMessage() for one in caplog.records if not one.name.startswith("django.db")]
    assert [line for line in logged if found_in(line)] == []
    pages_show_it_to_those_who_may(dana, ana, mona)


def pages_show_it_to_those_who_may(dana: User, ana: User, mona: User) -> None:
    first = Transaction.objects.get(external_id="e1")
    assert MAIL in client_of(ana).get(f"/transactions/{first.pk}/").content.decode()
    upload = first.source.upload_set.get()
    everybody = [f"/transactions/{first.pk}/", f"/api/v1/transactions/{first.pk}", "/transactions/"]
    engineers = ["/sources/refused/", "/api/v1/rejects", f"/uploads/{upload.pk}/rejects.csv"]
    engineers += [f"/uploads/{upload.pk}/", f"/uploads/{upload.pk}/scored.csv", "/audit/"]
    engineers += [f"/sources/refused/{one.pk}/" for one in RejectedRecord.objects.all()]
    asked = [(mona, everybody), (dana, everybody + engineers)]
    for person, addresses in asked:
        for address in addresses:
            answer = client_of(person).get(address)
            assert answer.status_code == 200, address
            text = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert found_in(text.decode("utf-8", "replace")) == [], address


@pytest.mark.django_db
def test_it_is_mended_without_being_seen(shop: Source, dana: User) -> None:
    accept(source=shop, sent=[Sent(paid(1, amount="x"))], door="rest")
    reject = RejectedRecord.objects.get()
    shown = mending.masked(reject)
    assert shown["e-mail"] == "ca…rg"
    done = mending.replay(by=dana, reject=reject, record={**shown, "amount": 5})
    stored = Transaction.objects.get(pk=done.became_id).extra
    assert personal.opened(stored["e-mail"]) == MAIL
    assert stored["colour"] == "blue"
    assert found_in(json.dumps(done.mended)) == []


@pytest.mark.django_db
def test_equal_values_have_equal_hashes_and_different_seals(shop: Source) -> None:
    accept(source=shop, sent=[Sent(paid(1)), Sent(paid(2))], door="rest")
    one, two = (row.extra["e-mail"] for row in Transaction.objects.order_by("pk"))
    assert one.split(":")[:2] == two.split(":")[:2]
    assert one != two
    assert personal.hash_of(MAIL) in one


@pytest.mark.django_db
def test_another_key_seals_it_anew_and_the_former_one_can_go(shop: Source, settings) -> None:
    accept(source=shop, sent=[Sent(paid(1)), Sent(paid(2, amount="x"))], door="rest")
    settings.SECRET_KEY, former = "another key, of which there is more", settings.SECRET_KEY
    settings.SECRET_KEY_FALLBACKS = [former]
    said = StringIO()
    token = Transaction.objects.get().user_id
    assert personal.token_of(f"u-{MAIL}") == token, "before it is sealed anew"
    call_command("reseal", stdout=said)
    assert "2 rows of personal values" in said.getvalue()
    settings.SECRET_KEY_FALLBACKS = []
    assert personal.token_of(f"u-{MAIL}") == token, "who was known is known"
    row, reject = Transaction.objects.get(), RejectedRecord.objects.get()
    assert personal.opened(row.extra["e-mail"]) == MAIL
    assert personal.hash_of(MAIL) in row.extra["e-mail"]
    assert mending.masked(reject)["e-mail"] == "ca…rg"
    call_command("reseal", stdout=said)
    assert "0 rows of personal values" in said.getvalue()
    settings.SECRET_KEY, former = "a third key, of which there is more yet", settings.SECRET_KEY
    settings.SECRET_KEY_FALLBACKS = [former]
    call_command("reseal", stdout=said)
    settings.SECRET_KEY_FALLBACKS = []
    assert personal.token_of(f"u-{MAIL}") == token, "and again"


@pytest.mark.django_db
def test_a_source_that_declares_nothing_stores_as_it_is_sent(till: Source) -> None:
    accept(source=till, sent=[Sent(paid(1))], door="rest")
    row = Transaction.objects.get()
    assert row.extra == {"e-mail": MAIL, "colour": "blue", "Handset": f"d-{MAIL}"}
    assert row.user_id == f"u-{MAIL}"


@pytest.mark.django_db
def test_the_same_sent_again_is_the_same(shop: Source) -> None:
    accept(source=shop, sent=[Sent(paid(1))], door="rest")
    assert accept(source=shop, sent=[Sent(paid(1))], door="rest").repeated == [0]
