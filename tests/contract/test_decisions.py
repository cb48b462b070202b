"""A decision as programs read it: what was decided, how it stands, and when nothing is new."""

import pytest
from django.test import Client

from alerts import triage
from anomalyshield.accounts.keys import make_key
from tests.alerts import making
from tests.conftest import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def alert(ana):
    return making.alert(making.queue("cards", ana, is_default=True), outcome="BLOCK")


def read(client: Client, alert, status: int = 200, **headers: str):
    answer = client.get(f"/api/v1/decisions/{alert.decision_id}", headers=headers)
    assert answer.status_code == status
    return answer


def test_before_anybody_looked_it_is_held(ana, alert):
    told = read(client_of(ana), alert).json()
    assert (told["state"], told["original"]["outcome"], told["resolutions"]) == (
        "HELD",
        "BLOCK",
        [],
    )
    assert told["transaction_id"] == alert.transaction.external_id


def test_each_step_is_told_in_its_order(ana, lena, alert):
    triage.undo(by=ana, alert=triage.decide(by=ana, alert=alert, disposition="FALSE_POSITIVE"))
    triage.decide(by=lena, alert=alert, disposition="TRUE_POSITIVE_FRAUD")
    told = read(client_of(ana), alert).json()
    steps = [
        (one["sequence"], one["state"], one["by"], one["reversal"], one["reason"])
        for one in told["resolutions"]
    ]
    assert steps == [
        (1, "RELEASED", "ana", False, "FALSE_POSITIVE"),
        (2, "HELD", "ana", True, None),
        (3, "DECLINED", "lena", False, "TRUE_FRAUD"),
    ]
    assert told["state"] == "DECLINED"
    assert {one["behind"] for one in told["resolutions"]} == {str(alert)}


def test_an_approved_one_was_never_held(ana):
    sample = making.alert(making.queue("cards", ana), outcome="APPROVE")
    assert read(client_of(ana), sample).json()["state"] == "APPROVED"


def test_what_is_known_already_is_not_sent_again(ana, alert):
    client = client_of(ana)
    etag = read(client, alert)["ETag"]
    assert read(client, alert, 304, if_none_match=etag).content == b""
    assert read(client, alert, 304, if_none_match=f'"other", {etag}')["ETag"] == etag
    triage.decide(by=ana, alert=alert, disposition="FALSE_POSITIVE")
    assert read(client, alert, 200, if_none_match=etag)["ETag"] != etag


def test_a_key_that_reads_may_and_who_may_not_see_people_reads_masked(mona, adam, alert):
    _, key = make_key(by=adam, name="core", scopes=["read:alerts"])
    told = read(Client(), alert, x_api_key=key).json()
    assert told["state"] == "HELD"
    masked = read(client_of(mona), alert).json()["transaction_id"]
    assert masked != alert.transaction.external_id


def test_one_that_does_not_exist_is_a_problem_in_words(ana):
    answer = client_of(ana).get("/api/v1/decisions/999999")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_it_asks_few_questions(ana, alert, django_assert_max_num_queries):
    triage.decide(by=ana, alert=alert, disposition="FALSE_POSITIVE")
    client = client_of(ana)
    read(client, alert)
    with django_assert_max_num_queries(6):
        read(client, alert)
