"""The page "Chargebacks and other late words": every example of it works as it is printed."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from anomalyshield.accounts.keys import make_key
from anomalyshield.accounts.models import User
from scoring.accepting import Sent, accept
from scoring.engine import notices
from scoring.models import Label, Notice, Source
from scoring.sourcing import load_document
from tests.scoring import making
from tests.sources.conftest import event

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = Path(__file__).resolve().parents[2] / "docs/chargebacks.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def examples(language: str) -> list[str]:
    return [text for kind, text in EXAMPLES if kind == language]


def test_the_examples_run_as_they_are_printed(
    live_server, adam: User, till: Source, tmp_path: Path
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    paid = [event(n, transaction_id=f"pos-{n}", timestamp="2026-11-20") for n in (1001, 1002)]
    accept(source=till, sent=[Sent(one) for one in paid], door="rest")
    _, key = make_key(by=adam, name="reader", scopes=["events:write"], source=till)
    around = {"PATH": os.environ["PATH"], "BASE": live_server.url, "KEY": key}
    said = []
    for text in examples("bash"):
        done = subprocess.run(
            ["bash", "-e", "-c", text],
            env=around, cwd=tmp_path, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said.append(json.loads(done.stdout))
    one, many, file = said
    (printed,) = examples("json")
    assert set(json.loads(printed)) == set(one)
    assert (one["accepted"], many["accepted"], many["waiting"]) == (1, 2, 1)
    making.work_through()
    states = dict(Notice.objects.values_list("external_id", "state"))
    assert states == {
        "CB-2026-118": "LABELLED", "CB-2026-119": "LABELLED", "CB-2026-120": "WAITING",
        "CB-2026-121": "NOTED",
    }, file  # fmt: skip
    assert Label.objects.count() == 2


def test_the_document_makes_a_source_that_speaks_about_another(dana: User, till: Source) -> None:
    (text,) = examples("yaml")
    made, _ = load_document(by=dana, text=text)
    assert made.about == ["till"]
    row = {"Dispute Ref": "D-1", "Txn": "later", "Filed": "2026-10-02"}
    done = accept(source=made, sent=[Sent(row)], door="kafka")
    assert (done.waiting, done.rejected) == (1, {})


def test_the_page_names_the_words_that_are_understood() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in (*notices.FIELDS, *notices.ALIASES) if name not in text] == [
        "timezone"
    ]
