"""Labels for programs: read by everyone who reads transactions, said by analysts of the queue."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts.models import Queue
from anomalyshield.accounts.models import User
from scoring.models import Label
from tests.alerts import making
from tests.rest.asking import get, pointers, post

pytestmark = pytest.mark.django_db


def test_a_label_is_given_and_corrected_by_its_giver(cards: Queue, ana: User) -> None:
    paid = making.alert(cards).transaction
    first = post(ana, "labels", {"transaction": paid.pk, "value": "FALSE_POSITIVE"}, 201)
    fraud = {"transaction": paid.pk, "value": "TRUE_FRAUD", "typology": "STOLEN_CARD"}
    second = post(ana, "labels", fraud, 201)
    assert second["supersedes"] == first["id"]
    assert get(ana, f"labels/{first['id']}")["superseded_by"] == second["id"]
    assert post(ana, "labels", fraud, 201)["id"] == second["id"]
    standing = get(ana, "labels", transaction=paid.pk, standing="true")["results"]
    assert [row["id"] for row in standing] == [second["id"]]


def test_after_15_minutes_or_by_another_it_takes_a_second_person(cards: Queue, ana: User) -> None:
    paid = making.alert(cards).transaction
    said = post(ana, "labels", {"transaction": paid.pk, "value": "FALSE_POSITIVE"}, 201)
    fraud = {"transaction": paid.pk, "value": "TRUE_FRAUD"}
    bert = making.queue_member("bert", cards)
    assert "second person" in post(bert, "labels", fraud, 409)["detail"]
    Label.objects.filter(pk=said["id"]).update(known_at=timezone.now() - timedelta(minutes=16))
    assert "second person" in post(ana, "labels", fraud, 409)["detail"]
    assert Label.objects.count() == 1


def test_a_transaction_whose_alert_is_in_another_queue_does_not_exist(
    loans: Queue, cards: Queue, ana: User
) -> None:
    other = making.alert(loans).transaction
    problem = post(ana, "labels", {"transaction": other.pk, "value": "TRUE_FRAUD"}, 400)
    nothing = post(ana, "labels", {"transaction": 10**9, "value": "TRUE_FRAUD"}, 400)
    assert pointers(problem) == pointers(nothing) == ["/transaction"]
    assert problem["detail"] == nothing["detail"]
    missed = making.payment()
    post(ana, "labels", {"transaction": missed.pk, "value": "TRUE_FRAUD"}, 201)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"value": "FRAUD"}, "/value"),
        ({"transaction": "7"}, "/transaction"),
        ({"transaction": 2**70}, ""),
        ({"value": "FALSE_POSITIVE", "typology": "MULE"}, "/typology"),
        ({"known_at": "soon"}, "/known_at"),
        ({"labeller": "lena"}, "/labeller"),
        ({"origin": "FILE"}, "/origin"),
    ],
)
def test_what_cannot_be_read_is_refused_by_field(
    change: dict[str, object], pointer: str, cards: Queue, ana: User
) -> None:
    body = {"transaction": making.payment().pk, "value": "TRUE_FRAUD", **change}
    found = pointers(post(ana, "labels", body, 400))
    assert found == [pointer or "/transaction"]
    assert not Label.objects.exists()


def test_a_label_from_the_future_is_refused(cards: Queue, ana: User) -> None:
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
    body = {"transaction": making.payment().pk, "value": "TRUE_FRAUD", "known_at": tomorrow}
    assert "future" in post(ana, "labels", body, 409)["detail"]


def test_notes_are_not_for_those_who_see_masked_values(cards: Queue, ana: User, mona: User) -> None:
    body = {"transaction": making.payment().pk, "value": "TRUE_FRAUD", "note": "Rosa called."}
    said = post(ana, "labels", body, 201)
    assert said["note"] == "Rosa called."
    assert get(mona, f"labels/{said['id']}")["note"] == ""
