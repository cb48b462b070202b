"""The requests and the code that an integrator copies out of the documents, run as they stand."""

import json
import os
import re
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from alerts import routing
from alerts.models import Alert
from anomalyshield.accounts import keys
from anomalyshield.accounts.models import User
from scoring.models import Decision
from scoring.webhooks import signing
from tests.conftest import person
from tests.scoring import making
from tests.webhooks.making import endpoint

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parent.parent
INTEGRATOR = (ROOT / "docs" / "integrator.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
PASSWORD = "a long enough password"


def requests_in(text: str) -> list[str]:
    """Each curl of the code blocks, with the lines it goes on over."""
    blocks = re.findall(r"```\n(.*?)```", text, re.DOTALL)
    return [one for block in blocks for one in re.findall(r"^curl(?:.|\n(?!curl))*", block, re.M)]


@pytest.fixture
def site(live_server: Any, settings: Any, tmp_path: Path) -> str:
    settings.BUNDLES = tmp_path / "models"
    making.first_model()
    return str(live_server.url)


@pytest.fixture
def key(adam: User) -> str:
    return keys.make_key(by=adam, name="gateway", scopes=["score:write", "read:alerts"])[1]


def settled() -> None:
    """The alert is raised after the answer; before that nobody may empty the tables."""
    until = time.monotonic() + 20
    while not Alert.objects.exists():
        assert time.monotonic() < until, "no alert"
        routing.sweep()
        time.sleep(0.1)


def answer(command: str, **environment: str) -> Any:
    done = subprocess.run(
        command,
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], **environment},
    )
    return json.loads(done.stdout)


def test_an_integrator_copies_every_request_and_is_answered(site: str, key: str) -> None:
    ana = person("ana", "analyst")
    ana.set_password(PASSWORD)
    ana.save()
    known = {"BASE": site, "KEY": key}
    for command in requests_in(INTEGRATOR):
        made = Decision.objects.values_list("pk", flat=True).first()
        told = answer(command.replace("…", PASSWORD).replace("8109", str(made)), **known)
        assert "request_id" not in told or "risk_score" in told, told
        known["ACCESS_TOKEN"] = told.get("access_token", "")
    assert Decision.objects.get().transaction.external_id == "try-1"
    settled()


def test_the_first_request_of_a_newcomer_is_decided(site: str, key: str) -> None:
    (command,) = requests_in(README)
    told = answer(command.replace("http://127.0.0.1:8000", site).replace("as_…", key))
    assert "HIGH_AMOUNT" in told["reason_codes"]
    assert told["recommendation"] in {"REVIEW", "BLOCK"}
    settled()


def test_the_receiver_of_the_documents_tells_genuine_events_from_others() -> None:
    code = next(x for x in re.findall(r"```python\n(.*?)```", INTEGRATOR, re.DOTALL))
    known: dict[str, Any] = {}
    exec(code, known)
    to, body = endpoint(), '{"type": "decision.updated"}'
    event: Any = type("Event", (SimpleNamespace,), {"__str__": lambda self: "msg_1"})(body=body)
    headers = signing.headers(event, to, now=timezone.now())
    secret = signing.shown(to.salt)
    assert known["genuine"](secret, headers, body.encode())
    assert not known["genuine"](secret, headers, body.encode() + b" ")
    old = {**headers, "webhook-timestamp": "1700000000"}
    assert not known["genuine"](secret, old, body.encode())
