"""The page "Connecting your systems": every example of it works as it is printed."""

import json
import os
import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from anomalyshield.accounts.keys import make_key
from anomalyshield.accounts.models import User
from scoring.models import RejectedRecord, Source, Transaction
from scoring.sourcing import make_source

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = Path(__file__).resolve().parents[2] / "docs/connecting.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples(language: str) -> list[str]:
    return [
        text for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if kind == language
    ]


@pytest.fixture
def surroundings(live_server, adam: User, dana: User) -> dict[str, str]:
    """What the page has its reader set."""
    _, key = make_key(by=adam, name="reader", scopes=["events:write"])
    shop = make_source(by=dana, name="shop", kind="webhook")
    return {
        "PATH": os.environ["PATH"],
        "BASE": live_server.url,
        "KEY": key,
        "SECRET": shop.signing_secret,
    }


def test_the_examples_run_as_they_are_printed(surroundings: dict[str, str]) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    said = []
    for language, program in (("bash", ["bash", "-e", "-c"]), ("python", [sys.executable, "-c"])):
        for text in examples(language):
            done = subprocess.run(
                [*program, text], env=surroundings, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0, done.stderr
            said.append(done.stdout)
    alone, several, asked, hook = said
    assert json.loads(alone)["accepted"] == 1
    assert (json.loads(several)["accepted"], json.loads(several)["rejected"]) == (1, 1)
    assert asked == "3 stored, 0 decided, under way\n"
    assert hook.startswith("202 /api/v1/events/")
    assert RejectedRecord.objects.get().record["amount"] == "twelve"
    assert Transaction.objects.count() == 6


def test_the_answer_that_is_printed_has_the_members_of_the_real_one() -> None:
    (printed,) = examples("json")
    assert set(json.loads(printed)) == {
        "id", "status_url", "received", "accepted", "repeated", "rejected", "errors",
    }  # fmt: skip


def test_the_document_loads_and_its_sample_is_tried(tmp_path: Path) -> None:
    (text,) = examples("yaml")
    file, sample = tmp_path / "card_payments.yaml", tmp_path / "records.ndjson"
    file.write_text(text, encoding="utf-8")
    sample.write_text('{"transaction_id": "1", "customer": "c", "amount": 5}\n{"customer": 7}\n')
    said = StringIO()
    call_command("source", file, sample=sample, stdout=said)
    assert "2 records: 1 taken, 1 refused" in said.getvalue()
    call_command("source", file, stdout=said)
    made = Source.objects.get(name="card_payments")
    assert (made.pii, made.late, made.future, made.timezone) == (
        ["customer"], "REJECT", "CLAMP", "Asia/Kolkata",
    )  # fmt: skip
