"""Ids that a source declares personal: tokens by which payments join, and people who may still ask
by the id, list it, and report it."""

from typing import Any

import pytest
from django.test import Client

from alerts.models import Alert
from anomalyshield.accounts.keys import make_key
from anomalyshield.accounts.models import User
from anomalyshield.accounts.roles import READ
from anomalyshield.templatetags.words import masked_if
from cases import narrative, report_export, workflow
from cases.facts import facts_of
from scoring import current, personal
from scoring.accepting import Sent, accept
from scoring.models import Decision, Source, Transaction
from scoring.sourcing import change_source, make_source
from tests.alerts.making import queue
from tests.conftest import client_of
from tests.lists.making import denied
from tests.scoring import making
from tests.sources.conftest import event, sender

pytestmark = pytest.mark.django_db(transaction=True)
WHO, CARD, DEVICE = "customer-7319", "card-of-7319", "phone-of-7319"


@pytest.fixture
def shop(dana: User) -> Source:
    current.forget()
    return make_source(by=dana, name="shop", kind="rest", pii=["user_id", "card_id", "device_id"])


def paid(number: int, **more: Any) -> dict[str, Any]:
    return event(number, **{"user_id": WHO, "card_id": CARD, "device_id": DEVICE, **more})


def sent(source: Source, *records: dict[str, Any]) -> list[Transaction]:
    accept(source=source, sent=[Sent(one) for one in records], door="rest")
    making.work_through()
    return list(Transaction.objects.filter(source=source).order_by("pk"))


def test_the_column_holds_a_token_and_the_id_is_sealed_beside_it(shop: Source) -> None:
    [row] = sent(shop, paid(1))
    assert row.user_id == personal.token_of(WHO)
    assert personal.as_sent(row, "user_id") == WHO
    assert personal.as_sent(row, "device_id") == DEVICE
    assert personal.is_sealed(row.extra["pii:card_id"])


def test_payments_of_one_person_join_whichever_source_declares_it(shop: Source, dana: User) -> None:
    app = make_source(by=dana, name="app", kind="rest", pii=["Kunde"], mapping={"Kunde": "user_id"})
    [one] = sent(shop, paid(1))
    [other] = sent(app, {"transaction_id": "a", "Kunde": WHO, "amount": 3})
    assert (one.user_id, one.user_key) == (other.user_id, other.user_key)


def test_what_is_sent_again_is_known_and_what_differs_in_the_id_is_told(shop: Source) -> None:
    sent(shop, paid(1))
    again = accept(source=shop, sent=[Sent(paid(1))], door="rest")
    other = accept(source=shop, sent=[Sent(paid(1, user_id="somebody"))], door="rest")
    assert (again.repeated, other.repeated) == ([0], [])
    assert Transaction.objects.count() == 1


def test_no_plain_hash_tells_whose_it_is(shop: Source, till: Source) -> None:
    """Whoever guesses an id could make the keys and the digest again, were they not keyed."""
    [hidden], [plain] = sent(shop, paid(1)), sent(till, paid(1))
    assert hidden.user_key != plain.user_key
    assert bytes(hidden.digest) != bytes(plain.digest)
    assert hidden.merchant_key == plain.merchant_key


def test_who_works_alerts_asks_by_the_id_and_reads_it(shop: Source, ana: User, mona: User) -> None:
    queue("cards", ana)
    [row] = sent(shop, paid(1))
    alert = Alert.objects.get()
    for address in (
        f"/transactions/?q={WHO}",
        f"/transactions/{row.pk}/",
        f"/entities/user/{WHO}/",
        f"/entities/user/{row.user_id}/",
        f"/entities/device/{DEVICE}/",
        f"/alerts/{alert.pk}/",
    ):
        page = client_of(ana).get(address)
        assert page.status_code == 200, address
        assert WHO in page.content.decode() or DEVICE in page.content.decode(), address
    for asked in (WHO, DEVICE, f"user:{WHO}", f"card:{CARD}", f"entity:{WHO}"):
        page = client_of(ana).get("/alerts/", {"status": "all", "q": asked}).content.decode()
        assert f"A-{alert.pk}" in page, asked
    for address in (f"/transactions/{row.pk}/", "/transactions/"):
        assert WHO not in client_of(mona).get(address).content.decode()
    assert client_of(mona).get(f"/entities/user/{WHO}/").status_code == 404


def test_a_key_reads_back_what_its_own_source_sent(shop: Source, till: Source, adam: User) -> None:
    [row] = sent(shop, paid(1))
    read = []
    for source in (shop, till):
        _, key = make_key(by=adam, name="desk", scopes=[READ], source=source)
        told = Client().get(f"/api/v1/transactions/{row.pk}", headers={"X-Api-Key": key})
        read.append(told.json()["user_id"])
    assert read == [WHO, masked_if(row.user_id, True)]


def test_an_answer_that_is_kept_for_a_second_asking_names_nobody(shop: Source, adam: User) -> None:
    send = sender(adam, shop, scopes=["score:write"])
    answer = send({"data": paid(1)}, "/api/v1/scoring/score")
    assert answer.json()["entity_id"] == personal.token_of(WHO)
    assert WHO not in answer.content.decode()


def test_a_list_names_people_by_their_ids(shop: Source, till: Source, ana: User) -> None:
    making.first_model()
    entry = denied(ana, "user", WHO)
    sent(shop, paid(1))
    sent(till, paid(2))
    hits = Decision.objects.order_by("pk").values_list("outcome", "hits")
    assert [outcome for outcome, _ in hits] == ["BLOCK", "BLOCK"]
    assert all(str(entry) in found[0]["sentence"] for _, found in hits)
    shown = client_of(ana).get(f"/entities/user/{personal.token_of(WHO)}/").content.decode()
    assert f">{entry}</a>" in shown


def test_who_is_on_a_list_is_still_met_when_a_source_begins_to_declare(
    till: Source, ana: User, dana: User
) -> None:
    making.first_model()
    denied(ana, "user", WHO)
    sent(till, paid(1))
    till = change_source(by=dana, source=till, pii=["user_id"])
    current._looked = 0.0  # a second later
    sent(till, paid(2))
    found = Decision.objects.order_by("pk").values_list("outcome", flat=True)
    assert list(found) == ["BLOCK", "BLOCK"]
    assert Transaction.objects.get(external_id="e2").user_id.startswith("pii-")


def test_a_report_names_whom_it_is_about(shop: Source, ana: User) -> None:
    queue("cards", ana)
    [row] = sent(shop, paid(1))
    case = workflow.open_case(by=ana, title="Takeover", alerts=[Alert.objects.get()])
    assert case.subject == row.user_id
    facts = facts_of(case, ana)
    assert f"This report is about {WHO}." in narrative.drafted(facts)
    assert f"{CARD}," in report_export.table(facts.payments).decode()
    row.refresh_from_db()
    assert row.user_id == personal.token_of(WHO)


def test_a_token_that_is_sent_means_whom_it_stands_for(shop: Source) -> None:
    [row] = sent(shop, paid(1))
    first, second = sent(shop, paid(2, user_id=row.user_id))
    assert first.user_id == second.user_id
    odd, _ = "pii-not-a-token", sent(shop, paid(3, user_id="pii-not-a-token"))
    assert not Transaction.objects.filter(user_id=odd).exists()
