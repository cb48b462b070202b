"""Anomalies by user, level and time, and one transaction as it was scored: for programs."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from scoring.engine.register import FEATURES
from scoring.explaining import stored_vector
from scoring.models import Decision, Transaction
from tests.conftest import client_of
from tests.contract.conftest import Post
from tests.scoring import making
from tests.scoring.test_deciding import payment, send

pytestmark = pytest.mark.django_db(transaction=True)

LARGE = {"amount": "50000", "merchant_category": "gambling"}


def anomalies(person: User, expected: int = 200, /, **asked: Any) -> dict[str, Any]:
    answer = client_of(person).get("/api/v1/anomalies", asked)
    assert answer.status_code == expected, answer.content
    return answer.json()


def ids(found: dict[str, Any]) -> list[str]:
    return [row["transaction_id"] for row in found["results"]]


def one(user: User, external_id: str) -> dict[str, Any]:
    pk = Transaction.objects.get(external_id=external_id).pk
    answer = client_of(user).get(f"/api/v1/transactions/{pk}")
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.fixture
def decided() -> None:
    making.first_model()
    send(payment(transaction_id="small", user_id="bert"))
    send(payment(transaction_id="large", user_id="carla", **LARGE))
    old = (timezone.now() - timedelta(days=9)).isoformat()
    send(payment(transaction_id="old", user_id="carla", timestamp=old, **LARGE))
    levels = {"small": "LOW", "large": "CRITICAL", "old": "HIGH"}
    for external_id, level in levels.items():
        Decision.objects.filter(transaction__external_id=external_id).update(level=level)


def test_anomalies_are_found_by_user_level_and_time(decided: None, ana: User) -> None:
    assert ids(anomalies(ana)) == ["old", "large"]
    assert ids(anomalies(ana, user="carla")) == ["old", "large"]
    assert ids(anomalies(ana, user="bert", risk_level="LOW")) == ["small"]
    assert ids(anomalies(ana, risk_level="CRITICAL")) == ["large"]
    recent = (timezone.now() - timedelta(days=5)).isoformat()
    assert ids(anomalies(ana, **{"from": recent})) == ["large"]
    assert ids(anomalies(ana, to=recent)) == ["old"]


def test_pages_of_anomalies_follow_one_another(ana: User) -> None:
    making.first_model()
    making.send(making.csv_of(making.ordinary_rows(120)))
    making.work_through()
    Decision.objects.update(level="HIGH")
    Decision.objects.filter(transaction__external_id__endswith="7").update(level="CRITICAL")
    seen, cursor = [], {}
    while True:
        page = anomalies(ana, **cursor)
        seen += [row["id"] for row in page["results"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    by_decision = Decision.objects.order_by("-pk").values_list("transaction_id", flat=True)
    assert seen == list(by_decision)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"risk_level": "GIGANTIC"}, "risk_level"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": str(2**70)}, "cursor"),
        ({"from": "soon"}, "from"),
        ({"user": "x" * 500}, "user"),
        ({"user": "\x00"}, "user"),
    ],
)
def test_a_filter_nobody_understands_is_named(asked: dict[str, str], field: str, ana: User) -> None:
    assert field in str(anomalies(ana, 400, **asked))


def test_a_transaction_is_told_as_it_was_scored(decided: None, ana: User) -> None:
    told = one(ana, "large")
    decision = Decision.objects.get(transaction__external_id="large")
    stored = stored_vector(decision).tolist()
    expected = {f.name: v if v == v else None for f, v in zip(FEATURES, stored, strict=True)}
    assert told["features"] == expected
    assert told["hits"] == decision.hits
    assert told["model_version"] == str(decision.model)
    assert told["policy_version"] == decision.policy.version
    assert AuditEvent.objects.filter(action="data.read", actor="ana").count() == 1


def test_those_who_do_not_work_alerts_see_masked_values(decided: None, mona: User) -> None:
    told = one(mona, "large")
    assert "carla" not in str(told)
    assert "large" not in str(told["transaction_id"])
    assert anomalies(mona, user="carla")["results"] == []
    assert "carla" not in str(anomalies(mona))


def test_an_unknown_transaction_is_not_found(ana: User) -> None:
    assert client_of(ana).get("/api/v1/transactions/999999999").status_code == 404


def test_a_payment_is_tried_and_nothing_stored(post: Post) -> None:
    body = '{"user_id": "u1", "amount": "25000", "timestamp": "2026-01-14T03:00:00Z"}'
    told = post("/api/v1/scoring/try", body).json()
    assert told["risk_level"] in {"HIGH", "CRITICAL"}
    assert "HIGH_AMOUNT" in told["reason_codes"]
    assert told["explanations"]
    assert not Transaction.objects.exists()
    refused = post("/api/v1/scoring/try", '{"user_id": "u1", "amount": "much"}')
    assert (refused.status_code, refused.json()["pointer"]) == (400, "/amount")


def test_a_page_of_anomalies_is_as_long_as_was_asked(decided: None, ana: User) -> None:
    first = anomalies(ana, limit=1)
    rest = anomalies(ana, limit=1, cursor=first["next"])
    assert ids(first) + ids(rest) == ["old", "large"]
    assert rest["next"] is None


@pytest.mark.parametrize("asked", [{"limit": 0}, {"limit": 1000}, {"risk": "HIGH"}])
def test_what_the_list_does_not_know_is_refused(asked: dict[str, Any], ana: User) -> None:
    assert next(iter(asked)) in str(anomalies(ana, 400, **asked))
