"""A machine reads its own ids back, or it could not join what it gets to what it sent."""

from typing import Any

import pytest
from django.test import Client

from alerts.models import Alert
from anomalyshield.accounts.authentication import forget_keys
from anomalyshield.accounts.keys import make_key
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from scoring.models import Decision, Source, Upload
from tests.alerts import making as alerts_making
from tests.conftest import client_of
from tests.scoring import making

pytestmark = pytest.mark.django_db
USER = "customer-0001"


@pytest.fixture
def alert(ana: User) -> Alert:
    forget_keys()
    queue = alerts_making.queue("cards", ana, is_default=True)
    return alerts_making.alert(queue, user=USER, level="CRITICAL")


def key(adam: User, source: Source | None = None) -> dict[str, str]:
    scopes = ["read:alerts", "events:write"]
    return {"X-Api-Key": make_key(by=adam, name="core", scopes=scopes, source=source)[1]}


def addresses(alert: Alert) -> list[str]:
    payment = alert.transaction
    return [
        "transactions",
        f"transactions/{payment.pk}",
        "anomalies",
        f"decisions/{alert.decision_id}",
    ]


def read(client: Client, address: str, **more: Any) -> dict[str, Any]:
    answer = client.get(f"/api/v1/{address}", **more)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    return told["results"][0] if "results" in told else told


def test_a_key_reads_the_payments_number_and_not_the_customer(adam: User, alert: Alert) -> None:
    for headers in (key(adam), key(adam, making.source("elsewhere"))):
        for address in addresses(alert):
            told = read(Client(), address, headers=headers)
            assert told["transaction_id"] == alert.transaction.external_id, address
            assert USER not in str(told), address
    assert not AuditEvent.objects.filter(action="data.read").exists()


def test_a_key_of_the_source_reads_the_customers_it_sent(adam: User, alert: Alert) -> None:
    headers = key(adam, alert.transaction.source)
    for address in addresses(alert)[:3]:
        assert read(Client(), address, headers=headers)["user_id"] == USER, address
    assert AuditEvent.objects.filter(action="data.read").count() == 1


def test_a_key_finds_by_user_what_its_own_source_has_sent(adam: User, alert: Alert) -> None:
    alerts_making.payment(user=USER)  # of another source it is not told even that it is there
    for headers, found in (
        (key(adam, alert.transaction.source), 1),
        (key(adam, making.source("elsewhere")), 0),
        (key(adam), 0),
    ):
        for address in (f"anomalies?user={USER}", f"transactions?q={USER}"):
            rows = Client().get(f"/api/v1/{address}", headers=headers).json()["results"]
            assert len([row for row in rows if row["id"] == alert.transaction_id]) == found, address
            assert len(rows) == found or address.startswith("transactions"), address


def test_people_who_may_not_look_still_see_ends_only(mona: User, alert: Alert) -> None:
    for address in addresses(alert):
        told = read(client_of(mona), address)
        assert told["transaction_id"] != alert.transaction.external_id, address
        assert USER not in str(told), address


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("own", [True, False])
def test_a_scored_file_is_joined_by_its_ids(own: bool, adam: User, dana: User) -> None:
    forget_keys()
    making.first_model()
    upload = making.send(making.csv_of(making.ordinary_rows(3)), by=dana)
    making.work_through()
    Upload.objects.update(created_by=None)  # as a machine sends it
    headers = key(adam, upload.source if own else None)
    answer = Client().get(f"/api/v1/ingest/files/{upload.pk}/scored.csv", headers=headers)
    lines = b"".join(answer.streaming_content).decode().splitlines()[1:]
    sent = Decision.objects.order_by("transaction_id").select_related("transaction")
    payments = [decision.transaction for decision in sent]
    assert [line.split(",")[0] for line in lines] == [one.external_id for one in payments]
    users = [line.split(",")[1] for line in lines]
    assert (users == [one.user_id for one in payments]) is own
