"""Alerts for programs: the same verbs as the page, the same refusals, the same masks."""

from typing import Any

import pytest

from alerts.models import Alert, Queue
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from scoring.models import Label
from tests.alerts import making
from tests.conftest import client_of
from tests.rest.asking import answer, get, pointers, post

pytestmark = pytest.mark.django_db
FRAUD = {"disposition": "TRUE_POSITIVE_FRAUD", "typology": "STOLEN_CARD", "note": "Card reported."}


@pytest.fixture
def alert(cards: Queue) -> Alert:
    return making.alert(cards)


def test_the_queue_is_listed_in_its_order_page_by_page(cards: Queue, ana: User) -> None:
    made = [making.alert(cards, amount=str(100 * n)) for n in range(1, 8)]
    by_urgency = list(Alert.objects.by_urgency().values_list("pk", flat=True))
    seen, asked = [], {"limit": 3}
    while True:
        found = get(ana, "alerts", **asked)
        assert len(found["results"]) <= 3
        seen += [row["id"] for row in found["results"]]
        if found["next"] is None:
            break
        asked["cursor"] = found["next"]
    assert seen == by_urgency
    assert len(seen) == len(made)


def test_the_filters_of_the_page_narrow_the_list(cards: Queue, ana: User, lena: User) -> None:
    one = making.alert(cards, user="customer-0001", level="CRITICAL")
    two = making.alert(cards, user="customer-0002", assignee=ana, status="ASSIGNED")

    def found(**asked: Any) -> list[int]:
        return sorted(row["id"] for row in get(ana, "alerts", **asked)["results"])

    assert found() == [one.pk, two.pk]
    assert found(level="CRITICAL") == [one.pk]
    assert found(user="customer-0002") == [two.pk]
    assert found(mine="true") == [two.pk]
    assert found(status="unassigned") == [one.pk]
    assert found(status="closed") == []
    assert found(queue="cards") == [one.pk, two.pk]
    assert found(queue="loans") == []


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"status": "gone"}, "/status"),
        ({"level": "HUGE"}, "/level"),
        ({"limit": "0"}, "/limit"),
        ({"limit": "many"}, "/limit"),
        ({"cursor": "x~y~z"}, "/cursor"),
        ({"reason": "no code"}, "/reason"),
        ({"user": "\x00"}, "/user"),
        ({"assignee": "ana"}, "/assignee"),
    ],
)
def test_a_filter_that_is_not_understood_is_named(
    asked: dict[str, str], pointer: str, cards: Queue, ana: User
) -> None:
    assert pointers(get(ana, "alerts", 400, **asked)) == [pointer]


def test_an_alert_tells_everything_to_decide_it(alert: Alert, ana: User) -> None:
    told = get(ana, f"alerts/{alert.pk}")
    assert told["name"] == str(alert)
    assert told["user_id"] == alert.user_id
    assert told["payment"]["transaction_id"] == alert.transaction.external_id
    assert told["payment"]["state"] == "HELD"
    assert told["label"] is None
    assert AuditEvent.objects.filter(action="data.read", actor="ana").count() == 1


def test_who_may_look_but_not_work_sees_masked_values(alert: Alert, ana: User, mona: User) -> None:
    post(ana, f"alerts/{alert.pk}/notes", {"note": "Her name is Rosa."}, 201)
    told = get(mona, f"alerts/{alert.pk}")
    text = str(told) + str(get(mona, "alerts"))
    assert alert.user_id not in text
    assert alert.transaction.external_id not in text
    assert told["notes"] == []
    assert get(mona, "alerts", user=alert.user_id)["results"] == []


def test_an_alert_of_another_queue_does_not_exist(loans: Queue, cards: Queue, ana: User) -> None:
    other = making.alert(loans)
    get(ana, f"alerts/{other.pk}", 404)
    for verb, body in {"claim": None, "release": None, "decide": FRAUD, "undo": None}.items():
        post(ana, f"alerts/{other.pk}/{verb}", body, 404)
    post(ana, f"alerts/{other.pk}/notes", {"note": "Hello."}, 404)
    assert get(ana, "alerts")["results"] == []


def test_claiming_and_releasing(alert: Alert, ana: User) -> None:
    assert post(ana, f"alerts/{alert.pk}/claim")["assignee"] == "ana"
    assert post(ana, f"alerts/{alert.pk}/release")["assignee"] is None
    told = AuditEvent.objects.filter(actor="ana", action__startswith="alert.").order_by("pk")
    assert [event.action for event in told] == ["alert.claimed", "alert.released"]


def test_of_two_claims_the_second_is_told_who_won(alert: Alert, cards: Queue, ana: User) -> None:
    bert = making.queue_member("bert", cards)
    post(ana, f"alerts/{alert.pk}/claim")
    problem = post(bert, f"alerts/{alert.pk}/claim", None, 409)
    assert "Ana is working on" in problem["detail"]
    assert problem["code"] == "refused"


def test_deciding_labels_and_undoing_takes_it_back(alert: Alert, ana: User) -> None:
    told = post(ana, f"alerts/{alert.pk}/decide", FRAUD)
    assert (told["status"], told["typology"]) == ("CLOSED", "STOLEN_CARD")
    assert told["label"]["value"] == "TRUE_FRAUD"
    assert told["payment"]["state"] == "DECLINED"
    assert [note["text"] for note in told["notes"]] == ["Card reported."]
    post(ana, f"alerts/{alert.pk}/decide", FRAUD, 409)
    assert Label.objects.count() == 1
    assert post(ana, f"alerts/{alert.pk}/undo")["status"] == "NEW"
    post(ana, f"alerts/{alert.pk}/undo", None, 409)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/disposition"),
        ({"disposition": "MAYBE"}, "/disposition"),
        ({"disposition": None}, "/disposition"),
        ({**FRAUD, "typology": "OTHER"}, "/typology"),
        ({**FRAUD, "note": 7}, "/note"),
        ({**FRAUD, "note": "x" * 5000}, "/note"),
        ({**FRAUD, "status": "NEW"}, "/status"),
        ([], ""),
        ("fraud", ""),
    ],
)
def test_a_decision_that_cannot_be_read_is_refused_by_field(
    body: Any, pointer: str, alert: Alert, ana: User
) -> None:
    assert pointers(post(ana, f"alerts/{alert.pk}/decide", body, 400)) == [pointer]
    assert Alert.objects.get(pk=alert.pk).is_open


def test_a_verb_without_words_takes_none(alert: Alert, ana: User) -> None:
    problem = post(ana, f"alerts/{alert.pk}/claim", {"assignee": "lena"}, 400)
    assert pointers(problem) == ["/assignee"]
    assert Alert.objects.get(pk=alert.pk).assignee is None


def test_what_changed_since_it_was_read_is_not_changed_again(
    alert: Alert, ana: User, cards: Queue
) -> None:
    read = answer(ana, "get", f"alerts/{alert.pk}")["ETag"]
    assert answer(ana, "get", f"alerts/{alert.pk}", if_none_match=read).status_code == 304
    post(making.queue_member("bert", cards), f"alerts/{alert.pk}/notes", {"note": "Mine."}, 201)
    late = answer(ana, "post", f"alerts/{alert.pk}/claim", if_match=read)
    assert late.status_code == 412
    assert Alert.objects.get(pk=alert.pk).assignee is None
    again = answer(ana, "get", f"alerts/{alert.pk}")["ETag"]
    claimed = answer(ana, "post", f"alerts/{alert.pk}/claim", if_match=again)
    assert claimed.status_code == 200
    assert claimed["ETag"] == answer(ana, "get", f"alerts/{alert.pk}")["ETag"]


def test_another_method_is_405_and_says_which_there_are(alert: Alert, ana: User) -> None:
    refused = answer(ana, "delete", f"alerts/{alert.pk}")
    assert refused.status_code == 405
    assert refused["Allow"] == "GET, HEAD"
    assert answer(ana, "get", f"alerts/{alert.pk}/claim").status_code == 405
    assert answer(ana, "head", f"alerts/{alert.pk}").status_code == 200


def test_a_list_costs_a_fixed_number_of_queries(
    cards: Queue, ana: User, django_assert_max_num_queries: Any
) -> None:
    for n in range(12):
        making.alert(cards, user=f"customer-{n:04}")
    client = client_of(ana)
    with django_assert_max_num_queries(6):
        assert len(client.get("/api/v1/alerts").json()["results"]) == 12


def test_somebody_of_an_alert_goes_on_a_list_with_its_decision_or_alone(
    alert: Alert, ana: User
) -> None:
    deny = {"entity": "user", "kind": "DENY", "reason": "Reported by the bank."}
    made = post(ana, f"alerts/{alert.pk}/list", {"put": [deny]}, 201)["entries"]
    entry = get(ana, f"lists/{made[0]}")
    assert (entry["value"], entry["behind"]) == (alert.user_id, str(alert))
    assert post(ana, f"alerts/{alert.pk}/list", {"put": [deny]}, 201) == {"entries": []}
    ended = post(ana, f"lists/{made[0]}/end", {"reason": "Once more, with its decision."})
    assert ended["state"] == "ENDED"
    post(ana, f"alerts/{alert.pk}/decide", {**FRAUD, "put": [deny]})
    assert [row["behind"] for row in get(ana, "lists")["results"]] == [str(alert)]
    post(ana, f"alerts/{alert.pk}/undo")
    assert get(ana, "lists")["results"] == []


@pytest.mark.parametrize(
    ("put", "pointer"),
    [
        ([], "/put"),
        ([{"entity": "user", "kind": "DENY"}], "/put/0/reason"),
        ([{"entity": "city", "kind": "DENY", "reason": "x"}], "/put/0/entity"),
        ([{"entity": "user", "kind": "DENY", "reason": "x", "value": "y"}], "/put/0/value"),
        ("user", "/put"),
    ],
)
def test_a_wish_that_cannot_be_read_is_refused_by_field(
    put: Any, pointer: str, alert: Alert, ana: User
) -> None:
    assert pointers(post(ana, f"alerts/{alert.pk}/list", {"put": put}, 400)) == [pointer]
    assert get(ana, "lists")["results"] == []


def test_whom_the_payment_does_not_name_nobody_lists(alert: Alert, ana: User) -> None:
    type(alert.transaction).objects.update(device_id="")
    wish = {"entity": "device", "kind": "DENY", "reason": "x"}
    problem = post(ana, f"alerts/{alert.pk}/decide", {**FRAUD, "put": [wish]}, 400)
    assert pointers(problem) == ["/put/0/entity"]
    assert Alert.objects.get(pk=alert.pk).is_open
