"""The bodies printed in the documents, byte for byte, and the answers promised for them."""

import pytest
from django.test import Client

from scoring.models import Decision, Transaction
from tests.contract.conftest import Post

DETECT = """{
  "transaction_id": "txn_001",
  "user_id": "user_001",
  "amount": 5000,
  "location": "Mumbai",
  "timestamp": "2026-01-14T15:00:00Z",
  "merchant_type": "electronics"
}"""
PREDICT_1 = """{
    "transaction_id": "txn_123",
    "user_id": "user_456",
    "amount": 150.00,
    "merchant": "Amazon",
    "category": "online",
    "location": "New York, NY",
    "device_id": "device_789"
}"""
PREDICT_2 = """{
    "transaction_id": "TXN_00000001",
    "timestamp": "2023-06-15 14:30:00",
    "amount": 150.50,
    "merchant_category": "retail",
    "location_distance_km": 5.2,
    "is_online": 0,
    "time_since_last_transaction_minutes": 120.0,
    "is_weekend": 0,
    "hour": 14,
    "day_of_week": 3,
    "transaction_count_1h": 2,
    "total_amount_24h": 300.0,
    "user_id": 1234
}"""
SCORE = """{
  "data": {
    "entity_id": "user_123",
    "amount": 1500.00,
    "merchant_category": "electronics",
    "time_of_day": "23:45"
  },
  "model_name": "credit_card_fraud",
  "include_explanations": true
}"""
SCORE_BATCH = """{
  "data": [
    {"entity_id": "user_123", "amount": 1500.00, "merchant_category": "electronics"},
    {"entity_id": "user_456", "amount": 50.00, "merchant_category": "groceries"}
  ],
  "model_name": "credit_card_fraud"
}"""


def test_detect_answers_the_five_promised_keys_first(post: Post) -> None:
    answer = post("/detect", DETECT)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    promised = ["transaction_id", "risk_score", "risk_level", "reason_codes", "recommendation"]
    assert list(body)[:5] == promised
    assert body["transaction_id"] == "txn_001"
    assert 0 <= body["risk_score"] <= 1
    assert body["risk_level"] in {"LOW", "MEDIUM", "HIGH", "CRITICAL"}
    assert body["degraded"] is False
    assert Decision.objects.get().transaction.external_id == "txn_001"


ONE = '{"transaction_id":"d1","user_id":"u","amount":1}'


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("/detect", ONE),
        ("/predict", ONE),
        ("/predict/batch", f'{{"transactions":[{ONE}]}}'),
        ("/api/v1/scoring/score", f'{{"data":{ONE}}}'),
        ("/api/v1/scoring/score/batch", f'{{"data":[{ONE}]}}'),
    ],
)
def test_every_answer_names_its_decision_and_the_same_when_repeated(
    post: Post, address: str, body: str
) -> None:
    for _ in range(2):
        told = post(address, body).json()
        one = told["results"][0] if "results" in told else told[0] if "batch" in address else told
        assert one["decision_id"] == Decision.objects.get().pk


def test_what_was_only_tried_has_no_decision(post: Post) -> None:
    told = post("/api/v1/scoring/try", '{"user_id": "u", "amount": 1}').json()
    assert told["decision_id"] is None


def test_predict_answers_the_keys_of_both_documents(post: Post) -> None:
    for body in (PREDICT_1, PREDICT_2):
        answer = post("/predict", body)
        assert answer.status_code == 200, answer.content
        said = answer.json()
        assert {
            "transaction_id",
            "anomaly_score",
            "anomaly_type",
            "confidence",
            "explanation",
            "processing_time_ms",
            "timestamp",
            "is_anomaly",
            "risk_level",
        } <= set(said)
        assert said["risk_level"] == said["risk_level"].lower()
        assert said["processing_time_ms"] > 0
    assert Transaction.objects.get(external_id="TXN_00000001").user_id == "1234"


def test_an_ordinary_payment_has_the_promised_sentence(post: Post) -> None:
    at_noon = '"amount": 20.00, "timestamp": "2026-11-02T12:00:00Z"'
    said = post("/predict", PREDICT_1.replace('"amount": 150.00', at_noon)).json()
    if said["is_anomaly"]:
        pytest.skip("the made-up model finds the sample unusual")
    assert said["explanation"] == "No specific risk factors identified"
    assert said["anomaly_type"] == "normal"


def test_a_naive_timestamp_is_utc(post: Post) -> None:
    post("/predict", PREDICT_2)
    assert Transaction.objects.get().event_time.isoformat() == "2023-06-15T14:30:00+00:00"


def test_the_batch_answers_in_order_and_names_its_bad_row(post: Post) -> None:
    good = '{"transaction_id":"b1","user_id":"u","amount":1}'
    bad = '{"transaction_id":"b2","user_id":"u","amount":"ten"}'
    last = '{"transaction_id":"b3","user_id":"u","amount":3}'
    answer = post("/predict/batch", f'{{"transactions":[{good},{bad},{last}]}}')
    body = answer.json()
    assert answer.status_code == 200
    assert body["count"] == 2
    assert [row["transaction_id"] for row in body["results"]] == ["b1", "b3"]
    assert body["errors"][0]["index"] == 1
    assert body["errors"][0]["pointer"] == "/transactions/1/amount"


def test_more_than_ten_thousand_rows_are_sent_to_the_other_door(post: Post) -> None:
    rows = ",".join(["{}"] * 10_001)
    answer = post("/predict/batch", f'{{"transactions":[{rows}]}}')
    assert answer.status_code == 413
    assert "/api/v1/ingest/files" in answer.json()["detail"]


def test_score_explains_in_contributions(post: Post) -> None:
    answer = post("/api/v1/scoring/score", SCORE)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["entity_id"] == "user_123"
    assert body["model"]["name"] == "credit_card_fraud"
    assert body["explanations"]
    assert set(body["explanations"][0]) == {"feature", "value", "contribution", "direction"}
    assert Transaction.objects.get().event_time.strftime("%H:%M") == "23:45"


def test_without_the_switch_nothing_is_explained(post: Post) -> None:
    body = post("/api/v1/scoring/score", SCORE.replace("true", "false")).json()
    assert body["explanations"] == []


def test_an_unknown_model_is_named_with_those_that_are_served(post: Post) -> None:
    answer = post("/api/v1/scoring/score", SCORE.replace("credit_card_fraud", "nobody"))
    assert answer.status_code == 404
    assert answer.json()["served"] == ["credit_card_fraud"]


def test_score_batch_answers_a_list_in_the_order_of_the_rows(post: Post) -> None:
    answer = post("/api/v1/scoring/score/batch", SCORE_BATCH)
    assert answer.status_code == 200, answer.content
    assert [row["entity_id"] for row in answer.json()] == ["user_123", "user_456"]


def test_without_a_credential_nothing_is_scored(post: Post) -> None:
    answer = Client().post("/detect", DETECT, content_type="application/json")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert Transaction.objects.count() == 0


def test_the_open_demo_scores_for_this_machine_only(post: Post, settings) -> None:
    settings.OPEN_SCORING = True
    kind = {"content_type": "application/json"}
    assert Client().post("/detect", DETECT, **kind).status_code == 200
    other = Client(REMOTE_ADDR="10.0.0.7")
    assert other.post("/detect", DETECT, **kind).status_code == 401
