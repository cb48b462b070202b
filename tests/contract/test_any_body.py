"""Mutations of the printed bodies: never a 5xx, every refusal a problem that says where."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoring.models import Decision, Transaction
from tests.contract.conftest import Post
from tests.contract.test_promised_bodies import DETECT, PREDICT_2, SCORE, SCORE_BATCH

BODIES = [
    ("/detect", DETECT),
    ("/predict", PREDICT_2),
    ("/api/v1/scoring/score", SCORE),
    ("/api/v1/scoring/score/batch", SCORE_BATCH),
]
value = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
    | st.text(max_size=30)
    | st.sampled_from(["", "１２", "1_000", " 5 ", "-1", "1e5", "2026-13-01", "=1+1", "x" * 3000]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def mutated(given_body: dict[str, Any], place: int, new: Any, drop: bool) -> dict[str, Any]:
    """The body with one of its members, at any depth, replaced or left out."""
    body = json.loads(json.dumps(given_body))
    inner = body["data"] if isinstance(body.get("data"), dict) else body
    target = inner if place % 2 else body
    name = sorted(target)[place % len(target)]
    if drop:
        del target[name]
    else:
        target[name] = new
    return body


@pytest.mark.parametrize("address,body", BODIES)
def test_nothing_a_sender_writes_breaks_us(post: Post, address: str, body: str) -> None:
    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(st.integers(0, 40), value, st.booleans())
    def one(place: int, new: Any, drop: bool) -> None:
        answer = post(address, json.dumps(mutated(json.loads(body), place, new, drop)))
        assert answer.status_code < 500, answer.content
        if answer.status_code != 200:
            said = answer.json()
            assert answer["Content-Type"] == "application/problem+json"
            assert said["code"] == "conflicting_duplicate" or "pointer" in said, said

    one()
    assert Transaction.objects.count() == Decision.objects.count()


AMOUNTS = {
    "0": "0.0000",
    "0.1": "0.1000",
    "5000": "5000.0000",
    '"12.50"': "12.5000",
    '" 5 "': "5.0000",
    "99999999999999.9999": "99999999999999.9999",
    "-0.01": None,
    "-5": None,
    "1" + "0" * 14: None,
    "1" + "0" * 30: None,
    "0.30000000000000004": None,
    "0.123456789012345678": None,
    '"1_000"': None,
    '"1,000"': None,
    '"１２"': None,
    "true": None,
    "null": None,
    '""': None,
    "[]": None,
    "{}": None,
}


@pytest.mark.parametrize("sent", sorted(AMOUNTS))
def test_an_amount_is_stored_as_it_was_written_or_refused(post: Post, sent: str) -> None:
    answer = post("/detect", DETECT.replace("5000", sent))
    kept = AMOUNTS[sent]
    if kept is None:
        assert (answer.status_code, answer.json()["pointer"]) == (400, "/amount"), answer.content
        assert not Transaction.objects.exists()
    else:
        assert answer.status_code == 200, answer.content
        assert str(Transaction.objects.get().amount) == kept
