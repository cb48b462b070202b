"""Repeated requests are done once; broken ones are refused in words, with a pointer."""

import threading
import time

import pytest

from anomalyshield.audit.models import AuditEvent
from scoring import current
from scoring.models import Decision, IdempotentRequest, RejectedRecord, Transaction
from tests.contract.conftest import Post

GOOD = '{"transaction_id":"t1","user_id":"u1","amount":10.00,"timestamp":"2026-11-01T10:00:00Z"}'


def test_the_same_key_and_body_get_the_same_bytes(post: Post) -> None:
    first = post("/detect", GOOD, **{"Idempotency-Key": "k1"})
    again = post("/detect", GOOD, **{"Idempotency-Key": "k1"})
    assert first.content == again.content
    assert again["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first
    assert Decision.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(post: Post) -> None:
    post("/detect", GOOD, **{"Idempotency-Key": "k1"})
    other = post("/detect", GOOD.replace("10.00", "10.01"), **{"Idempotency-Key": "k1"})
    assert other.status_code == 422
    assert str(Transaction.objects.get().amount) == "10.0000"


def test_while_the_first_runs_the_second_is_told_to_wait(post: Post) -> None:
    post("/detect", GOOD, **{"Idempotency-Key": "k1"})
    IdempotentRequest.objects.update(status=None)
    waiting = post("/detect", GOOD, **{"Idempotency-Key": "k1"})
    assert waiting.status_code == 409
    assert waiting["Retry-After"] == "1"


def test_a_repeated_transaction_gets_its_first_decision_again(post: Post) -> None:
    first = post("/detect", GOOD).json()
    again = post("/detect", GOOD).json()
    for name in ("risk_score", "risk_level", "recommendation", "reason_codes"):
        assert first[name] == again[name]
    assert Decision.objects.count() == 1


def test_the_same_id_with_other_content_is_a_conflict_and_kept(post: Post) -> None:
    post("/detect", GOOD)
    other = post("/detect", GOOD.replace("10.00", "999.00"))
    assert other.status_code == 409
    assert other.json()["code"] == "conflicting_duplicate"
    assert RejectedRecord.objects.get().record["transaction_id"] == "t1"
    assert str(Transaction.objects.get().amount) == "10.0000"


BROKEN = {
    "not json": ("{", 400, "malformed_json"),
    "nan": (GOOD.replace("10.00", "NaN"), 400, "not_a_number"),
    "infinity": (GOOD.replace("10.00", "1e400"), 400, "number_out_of_range"),
    "a huge integer": (GOOD.replace("10.00", "9" * 5000), 400, "number_out_of_range"),
    "a key twice": (GOOD.replace("{", '{"amount":1,', 1), 400, "duplicate_key"),
    "a depth bomb": ("[" * 100_000, 400, "too_deep"),
    "a list": ("[]", 400, "not_an_object"),
    "NUL": (GOOD.replace("u1", "u\\u0000"), 400, "nul_character"),
    "half a surrogate": (GOOD.replace("u1", "u\\ud800"), 400, "lone_surrogate"),
    "UTF-16": (GOOD.encode("utf-16"), 400, "not_utf8"),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD.encode(), 400, "byte_order_mark"),
    "true as amount": (GOOD.replace("10.00", "true"), 400, "invalid"),
    "a negative amount": (GOOD.replace("10.00", "-5"), 400, "invalid"),
    "nothing": ("{}", 400, "invalid"),
    "an empty body": (" ", 400, "malformed_json"),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_broken_body_is_refused_in_words(post: Post, name: str) -> None:
    body, status, code = BROKEN[name]
    answer = post("/detect", body)
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert Transaction.objects.count() == 0


def test_every_wrong_field_is_named_at_once(post: Post) -> None:
    body = '{"transaction_id":"t","user_id":"","amount":"x","timestamp":"yesterday"}'
    errors = post("/detect", body).json()["errors"]
    assert {error["pointer"] for error in errors} == {"/user_id", "/amount", "/timestamp"}


def test_another_content_type_is_415(post: Post) -> None:
    assert post("/detect", "a=1", content_type="text/plain").status_code == 415


def test_get_is_405(post: Post, client) -> None:
    answer = client.get("/detect")
    assert answer.status_code in {401, 405}


def test_a_slow_detector_costs_the_deadline_and_no_more(
    post: Post, monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    settings.SCORING_DEADLINE = 0.1
    over = threading.Event()
    current.current_scorer()  # loading the model is not what is slow here
    monkeypatch.setattr("scoring.engine.features.compute", lambda *_: over.wait(10))
    start = time.perf_counter()
    answer = post("/detect", GOOD.replace("10.00", "20000"))
    assert time.perf_counter() - start < 8  # not as long as it takes, however busy the machine is
    over.set()
    body = answer.json()
    assert (body["recommendation"], body["degraded"]) == ("REVIEW", True)
    assert body["reason_codes"] == ["HIGH_AMOUNT"]
    assert Decision.objects.get().degraded == "the scoring deadline was missed"


def test_a_detector_that_breaks_never_approves(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoring.engine.ensemble.Ensemble.score", lambda *_: 1 / 0)
    body = post("/detect", GOOD).json()
    assert (body["recommendation"], body["degraded"]) == ("REVIEW", True)
    assert Transaction.objects.count() == Decision.objects.count() == 1


def test_scoring_leaves_no_denied_attempts_on_the_trail(post: Post) -> None:
    post("/detect", GOOD)
    assert not AuditEvent.objects.filter(outcome="DENIED").exists()
