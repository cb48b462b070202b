"""Is a source reached? The first step that fails is named in words, within its time."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from anomalyshield.accounts.models import User
from scoring import hooks
from scoring.hook_samples import signed_sample
from scoring.models import Source, Transaction
from scoring.sourcing import make_source
from scoring.streaming import reaching
from scoring.streaming.reaching import try_connection
from tests.conftest import client_of

pytestmark = pytest.mark.django_db


def source(kind: str, **connection: Any) -> Source:
    return Source.objects.create(name=f"a-{kind}", kind=kind, connection=connection)


def told(found: Source) -> tuple[str, bool, str]:
    """The last step."""
    last = try_connection(by="worker", source=found)[-1]
    return last.name, last.good, last.words


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed() -> int:
    """A port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_a_port_where_nothing_listens_is_named(closed: int) -> None:
    place = f"127.0.0.1:{closed}"
    found = told(source("kafka", bootstrap_servers=[place], topic="t"))
    assert found == ("TCP", False, f"{place} refuses the connection: nothing listens there.")
    name, good, words = told(source("mqtt", host="127.0.0.1", port=closed, topic="t"))
    assert (name, good) == ("TCP", False)
    assert "nothing listens" in words


def test_a_name_that_nobody_has_is_named() -> None:
    name, good, words = told(source("mqtt", host="broker.invalid", topic="t"))
    assert (name, good) == ("DNS", False)
    assert "broker.invalid" in words


@pytest.mark.parametrize("kind", ["kafka", "mqtt"])
def test_a_broker_that_says_nothing_is_not_waited_for(
    kind: str, silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "SECONDS", 0.5)
    said = {"bootstrap_servers": [f"127.0.0.1:{silent}"], "host": "127.0.0.1", "port": silent}
    wanted = ("bootstrap_servers",) if kind == "kafka" else ("host", "port")
    begun = time.monotonic()
    name, good, _ = told(source(kind, topic="t", **{one: said[one] for one in wanted}))
    assert (name.casefold(), good) == (kind, False)
    assert time.monotonic() - begun < 30


def test_a_line_that_is_not_encrypted_fails_at_tls(silent: int, monkeypatch) -> None:
    monkeypatch.setattr(reaching, "SECONDS", 0.5)
    name, good, _ = told(source("mqtt", host="127.0.0.1", port=silent, topic="t", tls=True))
    assert (name, good) == ("TLS", False)


def test_settings_that_are_missing_are_named() -> None:
    name, good, words = told(source("mqtt", host="127.0.0.1"))
    assert (name, good) == ("Settings", False)
    assert "names no topic" in words


def test_the_page_the_api_and_the_command_tell_it(closed: int, dana: User, ana: User) -> None:
    found = source("kafka", bootstrap_servers=[f"127.0.0.1:{closed}"], topic="t")
    page = client_of(dana).post(f"/sources/{found.pk}/test/")
    assert page.status_code == 200
    assert "nothing listens there" in page.content.decode()
    answer = client_of(dana).post(
        f"/api/v1/sources/{found.pk}/test", {}, content_type="application/json"
    )
    assert answer.json()["reached"] is False
    assert [step["name"] for step in answer.json()["steps"]] == ["Settings", "DNS", "TCP"]
    said = StringIO()
    with pytest.raises(CommandError, match="is not reached"):
        call_command("check_source", found.name, stdout=said)
    assert "NOT  TCP" in said.getvalue()
    assert client_of(ana).post(f"/sources/{found.pk}/test/").status_code == 403
    rest = source("rest")
    assert "There is none" in client_of(dana).post(f"/sources/{rest.pk}/test/").content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "connection",
    [
        {},
        {"scheme": "hmac", "signature_prefix": "sha256="},
        {"scheme": "hmac", "encoding": "base64", "timestamp_header": "X-Time", "id_header": "X-Id"},
    ],
    ids=["standard", "hex", "base64 with a time"],
)
def test_the_sample_of_a_webhook_is_signed_as_is_expected(
    live_server, dana: User, connection: dict[str, Any]
) -> None:
    if not (shutil.which("curl") and shutil.which("openssl")):
        pytest.skip("curl or openssl is not installed")
    hooks.forget()  # another source had this name, in the tables of the test before
    secrets = {"signing_secret": "a secret of theirs"} if connection else {}
    shop = make_source(by=dana, name="shop", kind="webhook", connection=connection, secrets=secrets)
    assert try_connection(by=dana, source=shop)[0].good
    sample = signed_sample(shop, f"{live_server.url}/hooks/shop")
    secret = shop.signing_secret or "a secret of theirs"
    assert secret not in sample
    done = subprocess.run(
        ["bash", "-e", "-c", sample],
        env={"PATH": os.environ["PATH"], "SECRET": secret},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert '"accepted": 1' in done.stdout, done.stdout + done.stderr
    assert Transaction.objects.get().external_id == "test-1"
