"""No card number is stored, whichever door and field it comes by; what is joined by it stays so."""

import json
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from anomalyshield.accounts.models import User
from scoring import uploads
from scoring.accepting import Sent, accept
from scoring.api.hooks import records_of
from scoring.cardnumbers import cleaned, cleaned_text, token_of
from scoring.engine.cards import is_card
from scoring.models import RejectedRecord, Source, Transaction
from scoring.streaming.messages import Message
from scoring.streaming.messages import sent as messages_sent
from tests.scoring import making
from tests.sources.conftest import event, sender

# Numbers that card schemes publish for tests.
CARDS = [
    "4111111111111111", "5555555555554444", "2223003122003222", "378282246310005",
    "6011111111111117", "3530111333300000", "30569309025904", "6200000000000005",
]  # fmt: skip
SPACED = "4111 1111 1111 1111"


@pytest.mark.parametrize("number", CARDS)
def test_numbers_of_every_scheme_are_known_and_others_are_not(number: str) -> None:
    assert is_card(number)
    assert not is_card(number[:-1] + str((int(number[-1]) + 1) % 10))
    assert number not in cleaned_text(f"card {number} of her")


@pytest.mark.parametrize(
    "text", ["1768402800000", "2026112112345678", "12345", "0.4111111111111111", "", "9" * 16]
)
def test_what_is_no_card_stays(text: str) -> None:
    assert cleaned_text(text) == text


def test_a_token_is_the_same_for_each_way_of_writing_and_shows_the_last_four() -> None:
    tokens = {cleaned_text(one) for one in (CARDS[0], SPACED, "4111-1111-1111-1111")}
    assert tokens == {token_of(CARDS[0])}
    assert token_of(CARDS[0]).endswith("-1111")
    assert cleaned_text(token_of(CARDS[0])) == token_of(CARDS[0])


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111.0",  # a spreadsheet, or pandas, took it for a number
        "4111.1111.1111.1111", "4111/1111/1111/1111", "4111_1111_1111_1111",
        "4111\u00a01111\u00a01111\u00a01111", "4111\u20101111\u20101111\u20101111",
        "\uff14" + "\uff11" * 15,  # digits of full width
    ],
)  # fmt: skip
def test_it_is_known_however_it_is_set(text: str) -> None:
    assert cleaned_text(text) == token_of(CARDS[0])
    assert cleaned({"note": text, "amount": 5}, {})["note"] == token_of(CARDS[0])


def test_american_express_is_known_in_its_groups() -> None:
    assert cleaned_text("3782.822463.10005") == token_of(CARDS[3])


@pytest.mark.parametrize(
    "text", ["192.168.100.123", "2026/01/14 10", "45.1234567890123", "4111.1111.1111.1112", "1_000"]
)
def test_what_only_has_such_marks_stays(text: str) -> None:
    assert cleaned_text(text) == text


def test_numbers_and_names_of_fields_are_looked_at_too() -> None:
    card, token = CARDS[0], token_of(CARDS[0])
    record = {"a": float(card), "b": Decimal(card + ".00"), "c": {card: [int(card)]}, card: 1}
    assert cleaned(record, {}) == {"a": token, "b": token, "c": {token: [token]}, token: 1}
    for kept in (4111111111111111.5, Decimal("1e999999"), float("nan"), Decimal("NaN"), True):
        assert cleaned({"x": kept, "y": card}, {})["x"] is kept


def test_neither_a_name_nor_a_header_of_a_file_keeps_one(dana: User) -> None:
    source = making.source()
    good = BytesIO(b"transaction_id,user_id,amount\nname-1,u,5\n")
    kept = uploads.receive(
        by=dana, source=source, name=f"till-{CARDS[0]}.csv", file=good, options={}
    )
    assert (CARDS[0] in kept.name, kept.name.endswith("1111.csv")) == (False, True)
    headless = BytesIO(f"t-1,u-1,{CARDS[0]},5.00\nt-2,u-2,{CARDS[1]},6.00\n".encode())
    with pytest.raises(uploads.Refused, match="Column 3 is called like a card number"):
        uploads.receive(
            by=dana, source=source, name="payments.csv", file=headless, options={}, hold=True
        )


def test_ids_are_left_alone_whatever_they_are_called() -> None:
    record = {"transaction_id": CARDS[0], "Cust": CARDS[1], "entity_id": CARDS[2], "x": CARDS[3]}
    made = cleaned(record, {"Cust": "user_id"})
    assert {**made, "x": CARDS[3]} == record
    assert made["x"] == token_of(CARDS[3])


def test_a_record_without_any_comes_back_as_it_is() -> None:
    record = {"transaction_id": "t", "amount": 12, "more": {"a": ["b", 1.5, None, True]}}
    assert cleaned(record, {}) is record


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS, lambda one: st.lists(one) | st.dictionaries(st.text(), one), max_leaves=8
)


@given(VALUES)
def test_whatever_comes_is_looked_through(value: Any) -> None:
    cleaned({"x": value}, {})


def everything_stored() -> str:
    """What a copy of the tables of records would give away."""
    told = []
    with connection.cursor() as cursor:
        for table in ("scoring_transaction", "scoring_rejectedrecord", "scoring_receipt"):
            cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")
            told += [row for (row,) in cursor.fetchall()]
    return "\n".join(told)


@pytest.mark.django_db
def test_no_door_for_events_stores_one(till: Source) -> None:
    deep = {"note": f"paid by {SPACED}", "list": [{"pan": CARDS[1]}], "number": int(CARDS[2])}
    records = [
        Sent(event(1, card_id=CARDS[0], merchant=f"Shop {CARDS[3]}", more=deep)),
        Sent(event(2, card_id=SPACED)),
        Sent({"transaction_id": "e3", "amount": "x", "card_id": CARDS[4], "more": deep}),
        Sent(json.dumps({"pan": CARDS[5]}).encode()[:-1], wrong={"record": "is not JSON"}),
        Sent(int(CARDS[1])),
    ]
    accept(source=till, sent=records, door="rest")
    stored = everything_stored()
    for number in (*CARDS, SPACED):
        assert number not in stored
    one, two = Transaction.objects.order_by("external_id")
    assert one.card_id == two.card_id == token_of(CARDS[0])
    assert one.card_key == two.card_key
    assert RejectedRecord.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_no_file_stores_one(dana: User) -> None:
    rows = f"t1,u1,5,2026-01-01T10:00:00Z,{CARDS[0]}\nt2,u1,x,2026-01-01T10:00:00Z,{CARDS[1]}\n"
    content = b"transaction_id,user_id,amount,timestamp,card_id\n" + rows.encode()
    making.send(content, by=dana)
    making.work_through()
    assert Transaction.objects.get().card_id == token_of(CARDS[0])
    assert RejectedRecord.objects.get().record["card_id"] == token_of(CARDS[1])
    assert CARDS[0] not in (stored := everything_stored())
    assert CARDS[1] not in stored


def every_table() -> str:
    with connection.cursor() as cursor:
        told = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            told += [row for (row,) in cursor.fetchall()]
    return "\n".join(told)


@pytest.mark.django_db(transaction=True)
def test_no_door_stores_one_in_any_table(till: Source, adam: User, dana: User) -> None:
    """REST that waits and that does not, webhooks, both brokers, notices, and files of them."""
    pan = CARDS[0]
    send = sender(adam, till, scopes=["events:write", "score:write"])
    for number, address in enumerate(("/detect", "/predict", "/api/v1/events")):
        send(event(number, card_id=pan, note=SPACED), address)
        send(event(number, amount=99, card_id=pan, note=SPACED), address)  # refused and kept
    send([event(7, card_id=pan), event(8, amount=pan, card_id=int(pan))])
    said = {"notice_id": "n1", "transaction_id": "e0", "reason_code": pan, "card": SPACED}
    send(said, "/api/v1/notices")
    send([{**said, "notice_id": "n2", "kind": pan}], "/api/v1/notices")
    hooked = json.dumps(event(9, card_id=pan)).encode(), pan.encode()
    for at, body in enumerate(hooked):
        accept(source=till, sent=records_of(till, body), door="webhook", message=f"m{at}")
    for door in ("kafka", "mqtt"):
        bodies = [json.dumps(event(20, card_id=pan)).encode(), f'{{"a": "{pan}'.encode()]
        messages = [Message(f"{door}/{at}", body) for at, body in enumerate(bodies)]
        accept(source=till, sent=messages_sent(messages), door=door)
    lines = f"notice_id,transaction_id,reason_code,kind\nf1,e0,{pan},\nf2,e0,,{SPACED}\n"
    file, options = BytesIO(lines.encode()), {"notices": True}
    uploads.receive(by=dana, source=till, name="n.csv", file=file, options=options)
    making.work_through()
    assert Transaction.objects.count() >= 6
    assert RejectedRecord.objects.count() >= 6
    stored = every_table()
    assert pan not in stored
    assert SPACED not in stored
    assert token_of(pan) in stored
