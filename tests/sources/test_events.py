"""POST /api/v1/events: acknowledged when stored, once, within limits; decided afterwards."""

import json
from typing import Any

import pytest
from django.http import HttpResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anomalyshield.accounts.models import User
from scoring import backlog
from scoring.models import Chunk, Decision, RejectedRecord, Source, Transaction
from scoring.sourcing import change_source, make_source
from tests.rest.asking import get
from tests.scoring import making
from tests.sources.conftest import Send, event, sender

pytestmark = pytest.mark.django_db
LINES = "application/x-ndjson"


@pytest.mark.django_db(transaction=True)
def test_an_event_is_acknowledged_stored_and_decided(send: Send, dana: User) -> None:
    answer = send(event(1))
    assert answer.status_code == 202
    told = answer.json()
    assert (told["received"], told["accepted"], told["errors"]) == (1, 1, [])
    where = told["status_url"].removeprefix("/api/v1/")
    assert get(dana, where)["finished"] is False
    making.work_through()
    status = get(dana, where)
    assert (status["decided"], status["finished"], status["source"]) == (1, True, "till")
    (decision,) = get(dana, f"{where}/decisions")["results"]
    assert decision["transaction_id"] == "e1"
    assert decision["recommendation"] in {"APPROVE", "REVIEW", "BLOCK"}


def test_several_come_as_a_list_or_a_line_each(send: Send) -> None:
    assert send([event(1), event(2)]).json()["accepted"] == 2
    lines = "\n".join(json.dumps(event(n)) for n in (3, 4)) + "\n\n"
    assert send(lines, content_type=LINES).json()["accepted"] == 2
    assert Transaction.objects.count() == 4
    assert Chunk.objects.count() == 2


def test_bad_records_among_good_ones_are_named_and_kept(send: Send) -> None:
    lines = [json.dumps(event(1)), "{no json", '"text"', json.dumps({"transaction_id": "e2"})]
    told = send("\n".join(lines), content_type=LINES).json()
    assert (told["received"], told["accepted"], told["rejected"]) == (4, 1, 3)
    assert [one["index"] for one in told["errors"]] == [1, 2, 3]
    assert {"pointer": "/3/user_id", "detail": "user_id is required"} in told["errors"][2]["errors"]
    assert RejectedRecord.objects.count() == 3


def test_one_event_alone_is_refused_by_field_and_nothing_is_kept(send: Send) -> None:
    answer = send({"transaction_id": "e1", "amount": "1_000"})
    assert answer.status_code == 400
    assert {one["pointer"] for one in answer.json()["errors"]} == {"/amount", "/user_id"}
    assert not RejectedRecord.objects.exists()


def test_the_same_again_is_stored_once_and_another_content_is_409(send: Send) -> None:
    send(event(1))
    again = send(event(1))
    assert (again.status_code, again.json()["repeated"]) == (202, 1)
    other = send(event(1, amount=11))
    assert (other.status_code, other.json()["code"]) == (409, "conflicting_duplicate")
    assert RejectedRecord.objects.count() == Transaction.objects.count() == 1


def test_an_idempotency_key_is_of_one_source_alone(adam: User, dana: User) -> None:
    for name in ("north", "south"):
        make_source(by=dana, name=name, kind="rest")
    post, key = sender(adam, None), {"Idempotency-Key": "k1"}
    assert post([event(1)], "/api/v1/events?source=north", **key).status_code == 202
    other = post([event(1)], "/api/v1/events?source=south", **key)
    assert code_of(other) == (422, "idempotency_mismatch")
    assert Transaction.objects.get().source.name == "north"


def test_what_is_wrong_with_a_whole_record_is_pointed_at(send: Send) -> None:
    told = send([event(1), 7]).json()["errors"]
    assert told[0]["errors"] == [{"pointer": "/1", "detail": "record is not an object"}]


def test_an_idempotency_key_repeats_the_answer_byte_for_byte(send: Send) -> None:
    first = send([event(1)], **{"Idempotency-Key": "k1"})
    again = send([event(1)], **{"Idempotency-Key": "k1"})
    assert (again.status_code, again.content) == (202, first.content)
    assert again["Idempotent-Replay"] == "true"
    assert send([event(2)], **{"Idempotency-Key": "k1"}).status_code == 422
    assert Transaction.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (" ", "application/json", 400, "malformed_json"),
        ("[]", "application/json", 400, "required"),
        ("\n\n", LINES, 400, "required"),
        ("7", "application/json", 400, "not_an_object"),
        ('{"a":1,"a":2}', "application/json", 400, "duplicate_key"),
        ("[" * 100, "application/json", 400, "too_deep"),
        ("[]", "text/plain", 415, "unsupported_media_type"),
        ("[" + ",".join(["{}"] * 10_001) + "]", "application/json", 413, "too_many_rows"),
        ("{}\n" * 10_001, LINES, 413, "too_many_rows"),
        (" " * (10 * 2**20 + 1), "application/json", 413, "too_large"),
    ],
)
def test_what_is_no_event_is_refused_as_a_problem(
    body: str, kind: str, status: int, code: str, send: Send
) -> None:
    answer = send(body, content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert not Transaction.objects.exists()


def test_a_source_is_named_by_who_may(dana: User, adam: User, till: Source) -> None:
    make_source(by=dana, name="other", kind="rest")
    free, bound = sender(adam, None), sender(adam, till)
    assert free([event(1)], "/api/v1/events?source=other").status_code == 202
    assert Transaction.objects.get().source.name == "other"
    assert bound([event(1)], "/api/v1/events?source=till").status_code == 202
    assert code_of(bound([event(2)], "/api/v1/events?source=other")) == (403, "other_source")
    assert code_of(free([event(2)], "/api/v1/events?source=none")) == (400, "unknown_source")
    change_source(by=dana, source=till, active=False)
    for name in ("?source=till", ""):
        post = bound if not name else free
        assert code_of(sender(adam, till)([event(2)])) == (403, "source_inactive")
        assert code_of(post([event(2)], f"/api/v1/events{name}"))[0] in (403, 202)


def code_of(answer: HttpResponse) -> tuple[int, Any]:
    return answer.status_code, answer.json().get("code")


def test_what_others_sent_cannot_be_asked_about(send: Send, adam: User, dana: User) -> None:
    where = send(event(1)).json()["status_url"]
    stranger = make_source(by=dana, name="stranger", kind="rest")
    other = sender(adam, stranger)
    key = other(event(9)).wsgi_request.headers["X-Api-Key"]
    from django.test import Client

    for address in (where, f"{where}/decisions"):
        assert Client().get(address, headers={"X-Api-Key": key}).status_code == 404


# --- limits ---------------------------------------------------------------------------------------
def test_beyond_the_rate_of_its_key_a_sender_waits(adam: User, till: Source) -> None:
    send = sender(adam, till, per_minute=3)
    answers = [send(event(n)) for n in range(5)]
    statuses = [one.status_code for one in answers]
    assert statuses in ([202] * 3 + [429] * 2, [202] * 5), "five requests lay in two minutes"
    if 429 in statuses:
        assert 1 <= int(answers[-1]["Retry-After"]) <= 60
        assert answers[-1].json()["code"] == "rate_limited"
        assert Transaction.objects.count() == 3


def test_while_too_many_wait_the_door_asks_to_hold_back(send: Send, settings) -> None:
    settings.BACKLOG = 2
    send([event(n) for n in range(3)])
    backlog.forget()
    answer = send(event(9))
    assert (answer.status_code, answer.json()["code"]) == (503, "backlog")
    assert int(answer["Retry-After"]) >= 2
    assert Transaction.objects.count() == 3
    Chunk.objects.update(state="DONE")
    backlog.forget()
    assert send(event(9)).status_code == 202


def test_a_file_that_waits_holds_no_event_back(send: Send, settings) -> None:
    settings.BACKLOG = 1
    upload = making.send(making.csv_of(making.ordinary_rows(5)))
    Chunk.objects.create(
        upload=upload, transaction_ids=list(range(9)), known_at=upload.created_at, state="READY"
    )
    backlog.forget()
    assert send(event(1)).status_code == 202


# --- whatever comes -------------------------------------------------------------------------------
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "transaction_id": VALUES, "user_id": VALUES, "amount": VALUES, "timestamp": VALUES,
        "merchant": VALUES, "\x00": VALUES, "é" * 300: VALUES,
    },
)  # fmt: skip


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.lists(RECORDS | VALUES, max_size=4) | RECORDS | VALUES, lines=st.booleans())
def test_whatever_is_sent_is_answered_and_never_by_a_failure(
    body: Any, lines: bool, send: Send
) -> None:
    if lines:
        rows = (body if isinstance(body, list) else [body]) or [{}]
        answer = send("\n".join(map(json.dumps, rows)), content_type=LINES)
    else:
        answer = send(json.dumps(body))
    assert answer.status_code in {202, 400, 409, 413}, answer.content
    if answer.status_code == 202:
        told = answer.json()
        assert told["received"] == told["accepted"] + told["repeated"] + told["rejected"]
    assert Decision.objects.count() == 0
