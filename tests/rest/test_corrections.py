"""Corrections for programs: the same two people."""

import pytest

from alerts.models import Queue
from anomalyshield.accounts.models import User
from tests.alerts import making
from tests.rest.asking import get, pointers, post

pytestmark = pytest.mark.django_db
WISH = {"value": "TRUE_FRAUD", "reason": "The customer called."}


@pytest.fixture
def label(cards: Queue, ana: User) -> int:
    """Ana said that it was legitimate."""
    paid = making.alert(cards).transaction
    return post(ana, "labels", {"transaction": paid.pk, "value": "FALSE_POSITIVE"}, 201)["id"]


def test_proposed_by_one_and_approved_by_another(cards: Queue, ana: User, label: int) -> None:
    bert = making.queue_member("bert", cards)
    asked = post(ana, f"labels/{label}/corrections", WISH, 201)
    assert (asked["state"], asked["said"]) == ("OPEN", "FALSE_POSITIVE")
    address = f"corrections/{asked['id']}"
    assert "second person" in post(ana, f"{address}/approve", {}, 409)["detail"]
    done = post(bert, f"{address}/approve", {"answer": "Yes."}, 200)
    assert (done["state"], done["payment"], done["answered_by"]) == ("APPROVED", "DECLINED", "bert")
    assert get(ana, f"labels/{done['made']}")["supersedes"] == label
    found = get(bert, "corrections", state="APPROVED")["results"]
    assert [one["id"] for one in found] == [asked["id"]]
    assert get(bert, "corrections", state="OPEN")["results"] == []


def test_what_is_missing_is_named(ana: User, label: int) -> None:
    problem = post(ana, f"labels/{label}/corrections", {"value": "TRUE_FRAUD"}, 400)
    assert pointers(problem) == ["/reason"]
    address = f"corrections/{post(ana, f'labels/{label}/corrections', WISH, 201)['id']}"
    assert pointers(post(ana, f"{address}/refuse", {}, 400)) == ["/answer"]
    assert post(ana, f"{address}/refuse", {"answer": "A slip."}, 200)["state"] == "WITHDRAWN"
