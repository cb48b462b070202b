"""The example client of the documents, run against a running site."""

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from alerts import routing
from anomalyshield.accounts import keys
from anomalyshield.accounts.models import User
from scoring.models import Decision
from tests.alerts import making as alerts_making
from tests.conftest import person
from tests.scoring import making

pytestmark = pytest.mark.django_db(transaction=True)
FILE = Path(__file__).resolve().parent.parent.parent / "docs" / "client.py"
PAYMENT = {
    "transaction_id": "client-1",
    "user_id": "customer-0001",
    "amount": "50000",
    "merchant_category": "gambling",
    "location": "Mumbai",
}
PASSWORD = "a long enough password"


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_client", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


clients = loaded()


@pytest.fixture
def site(live_server: Any, settings: Any, tmp_path: Path) -> Iterator[str]:
    """The site; at the end nothing of what it does after its answers is still under way."""
    settings.BUNDLES = tmp_path / "models"
    making.first_model()
    yield str(live_server.url)
    until = time.monotonic() + 20
    while Decision.objects.unrouted().exists() and time.monotonic() < until:
        time.sleep(0.1)


@pytest.fixture
def key(adam: User) -> str:
    return keys.make_key(by=adam, name="gateway", scopes=["score:write", "read:alerts"])[1]


@pytest.fixture
def analyst() -> User:
    made = person("nina", "analyst")
    made.set_password(PASSWORD)
    made.save()
    alerts_making.queue("cards", made, is_default=True)
    return made


def raised(client: Any) -> dict[str, Any]:
    """The one alert, once it is there."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        routing.sweep()
        if found := list(client.alerts()):
            return dict(found[0])
        time.sleep(0.1)
    raise AssertionError("no alert")


def test_a_machine_scores_and_a_person_decides(site: str, key: str, analyst: User) -> None:
    machine = clients.Client(site, key)
    told = machine.score(PAYMENT, explain=True)
    assert told["recommendation"] != "APPROVE"
    assert machine.score(PAYMENT, explain=True) == told
    assert Decision.objects.count() == 1
    assert machine.decision_of("client-1")["state"] == "HELD"
    assert [row["risk_level"] for row in machine.anomalies()] == [told["risk_level"]]

    nina = clients.Client(site)
    nina.log_in("nina", PASSWORD)
    alert = raised(nina)
    closed = nina.decide(alert["id"], "FALSE_POSITIVE", note="Confirmed by telephone.")
    assert (closed["status"], closed["closed_by"]) == ("CLOSED", "nina")
    assert machine.decision_of("client-1")["state"] == "RELEASED"
    with pytest.raises(clients.Refused) as refused:
        nina.decide(alert["id"], "FALSE_POSITIVE")
    assert (refused.value.status, refused.value.code) == (409, "refused")


def test_lists_are_followed_to_their_end(site: str, key: str) -> None:
    machine = clients.Client(site, key)
    for number in range(5):
        machine.score({**PAYMENT, "transaction_id": f"client-{number}"})
    rows = list(machine.pages("/api/v1/transactions", limit=2))
    assert len({row["id"] for row in rows}) == 5


def test_what_is_wrong_is_named(site: str, key: str) -> None:
    machine = clients.Client(site, key)
    with pytest.raises(clients.Refused, match="/amount"):
        machine.score({**PAYMENT, "amount": "much"})
    with pytest.raises(LookupError):
        machine.decision_of("nothing")
    with pytest.raises(clients.Refused) as stranger:
        clients.Client(site, "as_00000000_x").score(PAYMENT)
    assert stranger.value.status == 401


def test_an_access_token_that_ran_out_is_renewed(site: str, analyst: User) -> None:
    nina = clients.Client(site)
    nina.log_in("nina", PASSWORD)
    nina.credential = {"Authorization": "Bearer gone"}
    assert list(nina.alerts()) == []
    nina.log_out()
    with pytest.raises(clients.Refused):
        list(nina.alerts())


def test_it_runs_from_the_command_line(site: str, key: str) -> None:
    command = [sys.executable, str(FILE), site, "--key", key, "score", json.dumps(PAYMENT)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(said.stdout)["transaction_id"] == "client-1"
