"""What somebody meets on their first day: no dead end, and nothing offered that is then refused."""

import pytest
from django.test import Client

from alerts import directing
from anomalyshield.accounts.models import User
from tests.alerts import making
from tests.conftest import client_of

pytestmark = pytest.mark.django_db


def shown(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_an_analyst_without_a_queue_is_told_who_gives_them_one(ana: User) -> None:
    client = client_of(ana)
    for address in ("/", "/alerts/"):
        assert "An admin puts you into one, under Routes." in shown(client, address)
    making.queue("cards", ana, is_default=True)
    for address in ("/", "/alerts/"):
        assert "An admin puts you into one" not in shown(client, address)


def test_reloading_the_answer_to_a_form_leads_back(ana: User) -> None:
    answer = client_of(ana).get("/alerts/1/decide/")
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert "Go back to the page before" in answer.content.decode()


def test_an_engineer_is_offered_only_the_scope_they_may_give(dana: User, adam: User) -> None:
    offered = shown(client_of(dana), "/keys/")
    assert "events:write" in offered
    assert "score:write" not in offered
    assert "score:write" in shown(client_of(adam), "/keys/")


def test_proposed_routes_wait_on_the_first_page_of_whoever_may_answer(
    lena: User, adam: User, ana: User
) -> None:
    cards = making.queue("cards", ana, lena, is_default=True)
    proposed = directing.draft(by=lena)
    said = directing.Said("Takeovers", cards, {"cities": ["Delhi"]})
    directing.add(by=lena, routing=proposed, said=said)
    directing.propose(by=lena, routing=proposed, reason="Takeovers need an hour.")
    assert "asks for other routes" in shown(client_of(adam), "/")
    assert "asks for other routes" not in shown(client_of(lena), "/")
    assert "asks for other routes" not in shown(client_of(ana), "/")
