"""Cases for programs: opened, worked, closed by two people, as on their pages."""

from typing import Any

import pytest

from alerts.models import Alert, Queue
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from cases.models import Case
from tests.alerts import making
from tests.rest.asking import answer, get, pointers, post

pytestmark = pytest.mark.django_db
PROPOSAL = {"outcome": "CONFIRMED", "findings": "The card was reported stolen."}


@pytest.fixture
def bert(cards: Queue) -> User:
    """The second person."""
    return making.queue_member("bert", cards)


@pytest.fixture
def alert(cards: Queue) -> Alert:
    return making.alert(cards)


@pytest.fixture
def case(alert: Alert, ana: User) -> int:
    return int(post(ana, f"alerts/{alert.pk}/escalate", {"note": "Looks like a ring."}, 201)["id"])


def test_escalating_opens_a_case_and_the_next_alert_joins_it(
    case: int, cards: Queue, ana: User
) -> None:
    second = making.alert(cards)
    told = post(ana, f"alerts/{second.pk}/escalate", None, 201)
    assert told["id"] == case
    assert second.pk in {row["id"] for row in told["alerts"]}
    assert [event["kind"] for event in told["timeline"]] == ["OPENED", "ALERT_ADDED", "ALERT_ADDED"]
    assert get(ana, f"alerts/{second.pk}")["cases"] == [case]


def test_a_case_is_opened_from_alerts_of_one_entity(cards: Queue, ana: User) -> None:
    one, two = making.alert(cards), making.alert(cards)
    other = making.alert(cards, user="somebody-else")
    told = post(ana, "cases", {"alerts": [one.pk, two.pk], "title": "Two cards"}, 201)
    assert (told["title"], told["owner"], len(told["alerts"])) == ("Two cards", "ana", 2)
    mixed = post(ana, "cases", {"alerts": [one.pk, other.pk]}, 409)
    assert "one subject" in mixed["detail"]
    unknown = post(ana, "cases", {"alerts": [one.pk, 10**9]}, 400)
    assert pointers(unknown) == ["/alerts/1"]
    assert Case.objects.count() == 1


def test_two_people_close_it_and_its_alerts_are_decided(
    case: int, alert: Alert, ana: User, bert: User
) -> None:
    proposed = post(ana, f"cases/{case}/propose", PROPOSAL)
    assert proposed["status"] == "PENDING_CLOSURE_APPROVAL"
    alone = post(ana, f"cases/{case}/approve", {"seen": proposed["proposal"]}, 409)
    assert "second person" in alone["detail"]
    assert AuditEvent.objects.filter(action="case.close", outcome="DENIED", actor="ana").exists()
    stale = post(bert, f"cases/{case}/approve", {"seen": "something else"}, 409)
    assert "changed while you were reading" in stale["detail"]
    closed = post(bert, f"cases/{case}/approve", {"seen": proposed["proposal"]})
    assert (closed["status"], closed["closed_by"]) == ("CLOSED", "bert")
    assert get(ana, f"alerts/{alert.pk}")["disposition"] == "TRUE_POSITIVE_FRAUD"


def test_a_proposal_is_returned_with_what_is_missing(case: int, ana: User, bert: User) -> None:
    post(ana, f"cases/{case}/propose", PROPOSAL)
    told = post(bert, f"cases/{case}/return", {"reason": "Ask the customer first."})
    assert told["status"] == "RETURNED"
    post(bert, f"cases/{case}/return", {"reason": "Again."}, 409)
    assert post(ana, f"cases/{case}/notes", {"text": "Asked."}, 201)["timeline"][-1]["by"] == "ana"


def test_the_views_of_the_page_narrow_the_list(case: int, ana: User, bert: User) -> None:
    def found(who: User, **asked: Any) -> list[int]:
        return [row["id"] for row in get(who, "cases", **asked)["results"]]

    assert found(ana) == found(ana, show="mine") == [case]
    assert found(bert, show="mine") == []
    post(ana, f"cases/{case}/propose", PROPOSAL)
    assert found(bert, show="approval") == [case]
    assert found(ana, show="approval") == []
    assert found(ana, show="closed") == []
    get(ana, "cases", 400, show="some")
    get(ana, "cases", 400, cursor="-1")


def test_a_case_of_another_queue_does_not_exist(loans: Queue, ana: User, cards: Queue) -> None:
    lone = making.queue_member("lone", loans)
    hidden = post(lone, f"alerts/{making.alert(loans).pk}/escalate", None, 201)["id"]
    get(ana, f"cases/{hidden}", 404)
    post(ana, f"cases/{hidden}/notes", {"text": "Hello."}, 404)
    post(ana, f"cases/{hidden}/propose", PROPOSAL, 404)
    assert get(ana, "cases")["results"] == []


@pytest.mark.parametrize(
    ("verb", "body", "pointer"),
    [
        ("notes", {"text": " "}, "/text"),
        ("notes", {}, "/text"),
        ("propose", {**PROPOSAL, "outcome": "GUILTY"}, "/outcome"),
        ("propose", {"outcome": "CONFIRMED"}, "/findings"),
        ("propose", {**PROPOSAL, "closed_by": "bert"}, "/closed_by"),
        ("approve", {}, "/seen"),
        ("return", {"reason": 1}, "/reason"),
    ],
)
def test_what_cannot_be_read_is_refused_by_field(
    verb: str, body: dict[str, Any], pointer: str, case: int, ana: User
) -> None:
    assert pointers(post(ana, f"cases/{case}/{verb}", body, 400)) == [pointer]
    assert Case.objects.get().status == "OPEN"


def test_an_approval_of_what_changed_since_is_refused(case: int, ana: User) -> None:
    read = answer(ana, "get", f"cases/{case}")["ETag"]
    post(ana, f"cases/{case}/notes", {"text": "More."}, 201)
    late = answer(ana, "post", f"cases/{case}/propose", PROPOSAL, if_match=read)
    assert late.status_code == 412
    assert Case.objects.get().status == "OPEN"
