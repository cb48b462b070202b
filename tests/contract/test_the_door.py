"""Who gets in, what the HTTP layer refuses, and what is said when the database is away."""

import gzip
import json
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from anomalyshield.accounts.authentication import forget_keys
from anomalyshield.accounts.keys import make_key
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from anomalyshield.metrics import MISMATCHES, TRANSACTIONS
from scoring.engine.decision import Level
from scoring.models import Decision, IdempotentRequest, Source, Transaction
from tests.conftest import client_of
from tests.contract.conftest import Post
from tests.contract.test_promised_bodies import DETECT, PREDICT_2, SCORE
from tests.contract.test_repeated_and_broken_requests import GOOD

KIND = {"content_type": "application/json"}
ADDRESSES = [
    "/detect",
    "/predict",
    "/predict/batch",
    "/api/v1/scoring/score",
    "/api/v1/scoring/score/batch",
]


def ask(client: Client, address: str, body: str | bytes, **headers: str) -> Any:
    return client.post(address, body, headers=headers, **KIND)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_wants_a_credential_and_says_so_as_a_problem(
    post: Post, address: str
) -> None:
    answer = ask(Client(), address, "{}")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["request_id"] == answer["X-Request-ID"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_other_methods_are_405_with_the_one_that_works(post: Post, address: str) -> None:
    for method in ("get", "put", "delete", "patch"):
        answer = getattr(Client(), method)(address)
        assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")


def test_a_key_that_is_unknown_or_may_not_score_is_refused(post: Post, adam: User) -> None:
    assert (
        ask(Client(), "/detect", DETECT, **{"X-Api-Key": "as_00000000_nobody"}).status_code == 401
    )
    _, reader = make_key(by=adam, name="reader", scopes=["read:alerts"])
    answer = ask(Client(), "/detect", DETECT, **{"X-Api-Key": reader})
    assert answer.status_code == 403
    assert AuditEvent.objects.filter(action="score.write", outcome="DENIED").count() == 1
    assert not Transaction.objects.exists()


def test_a_person_scores_with_a_token(post: Post, ana: User) -> None:
    ana.set_password("a long sentence nobody has")
    ana.save()
    login = {"username": "ana", "password": "a long sentence nobody has"}
    token = ask(Client(), "/api/v1/auth/login", json.dumps(login)).json()["access_token"]
    answer = ask(Client(), "/detect", DETECT, Authorization=f"Bearer {token}")
    assert answer.status_code == 200, answer.content
    assert ask(Client(), "/detect", DETECT, Authorization="Bearer x.y.z").status_code == 401


def test_a_session_scores_only_with_its_csrf_token(post: Post, ana: User) -> None:
    assert ask(client_of(ana), "/detect", DETECT).status_code == 200
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client_of(ana).cookies
    assert ask(strict, "/detect", DETECT.replace("txn_001", "txn_002")).status_code == 403
    assert Transaction.objects.count() == 1


def test_open_scoring_is_not_open_behind_a_proxy(post: Post, settings: Any) -> None:
    settings.OPEN_SCORING = True
    assert ask(Client(), "/detect", DETECT).status_code == 200
    proxied = ask(Client(), "/detect", DETECT, **{"X-Forwarded-For": "203.0.113.9"})
    assert proxied.status_code == 401
    wrong = ask(Client(), "/detect", DETECT, **{"X-Api-Key": "as_00000000_nobody"})
    assert wrong.status_code == 401  # a wrong credential is not the same as none


def test_a_body_that_is_too_large_is_sent_to_the_other_door(post: Post) -> None:
    answer = post("/detect", b'{"user_id":"' + b"x" * (10 * 2**20) + b'"}')
    assert answer.status_code == 413
    assert "/api/v1/ingest/files" in answer.json()["detail"]


def test_a_packed_body_or_another_charset_is_415(post: Post) -> None:
    packed = post("/detect", gzip.compress(b" " * 10**6), **{"Content-Encoding": "gzip"})
    assert packed.status_code == 415
    latin = "application/json; charset=latin-1"
    assert post("/detect", DETECT, content_type=latin).status_code == 415
    assert (
        post("/detect", DETECT, content_type="application/json; charset=UTF-8").status_code == 200
    )


def test_when_the_database_is_away_the_sender_keeps_the_event(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr("scoring.deciding.prepared.run", away)
    answer = post("/detect", GOOD, **{"Idempotency-Key": "k1"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert answer.json()["code"] == "database_unavailable"
    assert not IdempotentRequest.objects.exists()  # the key is free for the next try


def test_an_unexpected_failure_has_a_number_and_no_trace(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoring.engine.gate.parse", lambda *_, **__: 1 / 0)
    answer = post("/detect", GOOD)
    assert answer.status_code == 500
    assert answer["Content-Type"] == "application/problem+json"
    assert "ZeroDivision" not in answer.content.decode()


def test_two_sources_never_meet(post: Post, adam: User) -> None:
    keys = []
    for name in ("north", "south"):
        source = Source.objects.create(name=name, kind="rest")
        keys.append(make_key(by=adam, name=name, scopes=["score:write"], source=source)[1])
    forget_keys()
    same = {"Idempotency-Key": "k1"}
    north = ask(Client(), "/detect", GOOD, **{"X-Api-Key": keys[0]}, **same)
    south = ask(Client(), "/detect", GOOD, **{"X-Api-Key": keys[1]}, **same)
    assert (north.status_code, south.status_code) == (200, 200)
    assert "Idempotent-Replay" not in south
    assert Decision.objects.count() == 2


def test_a_source_that_is_switched_off_sends_nothing(post: Post, adam: User) -> None:
    source = Source.objects.create(name="old", kind="rest", active=False)
    _, key = make_key(by=adam, name="old", scopes=["score:write"], source=source)
    answer = ask(Client(), "/detect", GOOD, **{"X-Api-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (403, "source_inactive")


def test_a_refusal_is_replayed_too(post: Post) -> None:
    bad = GOOD.replace("10.00", '"ten"')
    first = post("/detect", bad, **{"Idempotency-Key": "k1"})
    again = post("/detect", bad, **{"Idempotency-Key": "k1"})
    assert first.status_code == again.status_code == 400
    assert first.content == again.content
    assert again["Content-Type"] == "application/problem+json"
    assert again["Idempotent-Replay"] == "true"


def test_a_key_nobody_could_mean_is_refused(post: Post) -> None:
    assert post("/detect", GOOD, **{"Idempotency-Key": "k" * 256}).status_code == 400


def test_a_lying_feature_is_counted_and_ours_wins(post: Post) -> None:
    lie = PREDICT_2.replace('"transaction_count_1h": 2', '"transaction_count_1h": 999')
    counter = MISMATCHES.labels(feature="transaction_count_1h")
    truth = MISMATCHES.labels(feature="day_of_week")
    before, untouched = counter._value.get(), truth._value.get()
    assert post("/predict", lie).status_code == 200
    assert counter._value.get() == before + 1
    assert truth._value.get() == untouched  # Thursday is 3: Monday is 0


def test_every_answer_is_counted_by_its_level(post: Post) -> None:
    counters = {level: TRANSACTIONS.labels(risk_level=level)._value for level in Level}
    before = {level: counter.get() for level, counter in counters.items()}
    level = post("/detect", GOOD).json()["risk_level"]
    risen = [one for one, counter in counters.items() if counter.get() > before[one]]
    assert risen == [level]


def test_contributions_told_and_their_rest_add_up(post: Post) -> None:
    said = post("/api/v1/scoring/score", SCORE).json()
    told = sum(one["contribution"] for one in said["explanations"])
    total = said["explanation_base"] + told + said["explanation_rest"]
    assert total == pytest.approx(said["explanation_margin"], abs=1e-6)
    assert {one["direction"] for one in said["explanations"]} <= {"raises", "lowers"}


def test_detect_explains_when_asked_after_its_five_keys(post: Post) -> None:
    asked = DETECT.replace("{", '{"include_explanations": true,', 1)
    said = post("/detect", asked).json()
    assert next(iter(said)) == "transaction_id"
    assert said["explanations"]
    assert Transaction.objects.get().extra is None
    assert "explanations" not in post("/detect", DETECT.replace("txn_001", "x")).json()


@pytest.mark.parametrize("clock,hour", [("7:5", 7), ("24:00", 0), ("00:00", 0), ("23:45:10", 23)])
def test_a_time_of_day_is_todays_or_yesterdays(post: Post, clock: str, hour: int) -> None:
    answer = post("/api/v1/scoring/score", SCORE.replace("23:45", clock))
    assert answer.status_code == 200, answer.content
    assert Transaction.objects.get().event_time.hour == hour


@pytest.mark.parametrize("clock", ["25:00", "24:01", "12:60", "noon", "12"])
def test_a_time_that_no_clock_shows_is_refused(post: Post, clock: str) -> None:
    answer = post("/api/v1/scoring/score", SCORE.replace("23:45", clock))
    assert (answer.status_code, answer.json()["pointer"]) == (400, "/data/time_of_day")


def test_a_batch_of_thousands_is_decided_at_once(post: Post) -> None:
    rows = [
        {"transaction_id": f"b{n}", "user_id": f"u{n % 50}", "amount": n % 97 + 0.25}
        for n in range(2_000)
    ]
    rows[1_000]["amount"] = "no number"
    answer = post("/predict/batch", json.dumps({"transactions": rows}))
    assert answer.status_code == 200
    said = answer.json()
    assert [row["transaction_id"] for row in said["results"]] == [
        row["transaction_id"] for place, row in enumerate(rows) if place != 1_000
    ]
    assert [error["index"] for error in said["errors"]] == [1_000]
    assert Decision.objects.filter(degraded="").count() == 1_999


def test_an_empty_batch_is_an_empty_answer(post: Post) -> None:
    assert post("/predict/batch", '{"transactions":[]}').json() == {
        "count": 0,
        "results": [],
        "errors": [],
    }
    assert post("/api/v1/scoring/score/batch", '{"data":[]}').json() == []


def test_errors_of_a_score_batch_stand_in_their_place(post: Post) -> None:
    body = (
        '{"data":[{"entity_id":"a","amount":1},7,{"entity_id":"b"},{"entity_id":"c","amount":2}]}'
    )
    said = post("/api/v1/scoring/score/batch", body).json()
    assert [row.get("entity_id") for row in said] == ["a", None, None, "c"]
    assert said[1]["error"]["pointer"] == "/data/1"
    assert said[2]["error"]["pointer"] == "/data/2/amount"


WRONG = [
    ("/predict/batch", "{}", "/transactions"),
    ("/predict/batch", '{"transactions":{}}', "/transactions"),
    ("/api/v1/scoring/score", '{"data":[]}', "/data"),
    ("/api/v1/scoring/score", '{"data":{},"include_explanations":"yes"}', "/include_explanations"),
    ("/api/v1/scoring/score/batch", '{"data":{}}', "/data"),
]


@pytest.mark.parametrize("address,body,pointer", WRONG)
def test_a_wrong_shape_is_named_by_its_place(
    post: Post, address: str, body: str, pointer: str
) -> None:
    answer = post(address, body)
    assert (answer.status_code, answer.json()["pointer"]) == (400, pointer)
