"""Every page as each person in light, in dark and on a telephone: nobody is left at the door.

axe-core comes from npm into a temporary folder, for these tests alone.
"""

import ast
import io
import re
import shutil
import subprocess
import warnings
from collections import Counter
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser

from alerts import bulk, corrections, mailing, reviews, snoozing, suppressing, triage
from alerts.models import Alert, ReviewPolicy
from anomalyshield.accounts import keys
from anomalyshield.accounts.models import User
from cases import evidence, reporting, workflow
from scoring import cost_changes, policy_changes, training, unmarking, uploads
from scoring.accepting import Sent, accept
from scoring.engine.costs import Costs
from scoring.engine.decision import Policy
from scoring.models import Label, ModelVersion, Upload
from scoring.sourcing import make_source
from scoring.webhooks import events
from tests.conftest import client_of
from tests.pages import PEOPLE, kind_of, starts
from tests.permission_samples import SAMPLES
from tests.test_permissions import PATTERNS
from tests.webhooks.making import endpoint
from tools.walker import DESK, Walk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AXE = "axe-core@4.14.1"
GERMANS = ("lena", "dana", "mona", "adam")  # ana reads English; what she sees, lena sees as well
ENGLISH = re.compile(
    r"(?<![\w-])(the|of|and|is|are|with|by|from|has|have|not|this|that|its|been|would|which|who|"
    r"their|they|to|for|or)(?![\w-])",
    re.IGNORECASE,
)
# A query of the queue's search, whose fields have one name in all languages; a rule of plotly's.
NO_WORDS = re.compile(r"^\w+[:<>]\S+$|[.#][\w-]+\{")


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The text of axe-core, or a skip that says what is missing."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: nobody checks the pages with axe-core")
    folder = tmp_path_factory.mktemp("axe")
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--no-save"]
    command = [npm, "install", "--prefix", str(folder), *options, AXE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    file = folder / "node_modules/axe-core/axe.min.js"
    if done.returncode or not file.is_file():
        pytest.skip(f"npm could not fetch {AXE}: {done.stderr.strip()[-200:]}")
    return file.read_text(encoding="utf-8")


@cache
def said_by_people() -> tuple[str, ...]:
    """What the demo's people write, and those of this file: notes stay as they are."""
    files = [*(settings.BASE_DIR / "anomalyshield").glob("demo*.py"), Path(__file__)]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    found = {
        " ".join(node.value.split())
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
    }
    return tuple(sorted(found, key=len, reverse=True))


def english(text: str) -> str:
    """English words in what a German page says, without what people wrote; "" if there are none."""
    for said in said_by_people():
        text = text.replace(said, "")
    return "" if NO_WORDS.search(text) else ", ".join(sorted(set(ENGLISH.findall(text))))


@pytest.fixture
def furnished() -> dict[str, list[str]]:
    """A demo day, and one of each thing that only people make."""
    call_command("demo", rows=1500, verbosity=0)
    return furnish()


def furnish() -> dict[str, list[str]]:
    """One of each thing that only people make, on a demo day; `make screenshots` asks for it, too.

    Answers, by person, the addresses to which only a download or a state of a moment leads.
    """
    names = ("ana", "lena", "adam", "mona")
    ana, lena, adam, mona = (User.objects.get(username=name) for name in names)
    alert, other, third = Alert.objects.by_urgency().awake().filter(assignee=None)[:3]
    later = timezone.now() + timedelta(days=2)
    snoozing.snooze(by=ana, alert=third, until=later, reason="Customer not reached.")
    small = next(one for one in Alert.objects.open() if suppressing.reasons_of(one.decision))
    suppressing.suppress(
        by=ana, alert=small, codes=[*suppressing.reasons_of(small.decision)], kind="user",
        expires_at=later, reason="Buys a house.",
    )  # fmt: skip
    chosen = [bulk.Choice(other.pk)]
    several = bulk.act(by=lena, action="ASSIGN", choices=chosen, reason="Ana is here.", to=ana)
    case = workflow.open_case(by=ana, alerts=[alert])
    kept = evidence.add(by=ana, case=case, name="call.txt", content=b"She has her card.")
    due = reporting.begin(by=ana, case=case, on=timezone.now().date())
    due = reporting.step(by=ana, report=due, step="prepare")
    reporting.draft(by=ana, report=due)
    told = {"pk": case.pk, "number": due.number}
    policy_changes.ask(by=mona, policy=Policy(high_amount=2000), reason="Smaller ones too.")
    cost_changes.ask(by=mona, wanted=Costs(review_cost=8.0), reason="Payroll of October.")
    mailing.make(
        by=ana, wish=mailing.Wish("Monday", "money", "30d", "WEEKLY"), recipients=[ana, mona]
    )
    keys.make_key(by=adam, name="gateway", scopes=["score:write"])
    training.ask(by=mona)
    endpoint()
    hook = make_source(
        by=User.objects.get(username="dana"), name="hook", kind="webhook", pii=["bag"]
    )
    unmarking.ask(by=User.objects.get(username="dana"), source=hook, names=["bag"], reason="Red.")
    accept(source=hook, sent=[Sent({"transaction_id": "odd", "amount": "x"})], door="webhook")
    events.queue("decision.updated", {"decision": 1}, at=timezone.now())
    doubted = Label.objects.standing().decisive().latest("pk")
    corrections.propose(by=adam, label=doubted, value="INCONCLUSIVE", reason="Nobody asked her.")
    done = Upload.objects.order_by("pk").first()
    assert done is not None
    rows = io.BytesIO(b"transaction_id,user_id,amount,timestamp\nt1,u1,5,2026-01-01T10:00:00Z\n")
    dana = User.objects.get(username="dana")
    held = uploads.receive(
        by=dana, source=done.source, name="held.csv", file=rows, options={}, hold=True
    )
    every = dict.fromkeys(ReviewPolicy.SHARES, 1.0)  # a small demo may have drawn none for lena
    reviews.set_shares(by=lena, shares=every, reason="To learn how far we agree.")
    said = Alert.objects.by_urgency().awake().filter(assignee=None).exclude(cases=case)[:1].get()
    triage.decide(by=ana, alert=said, disposition="FALSE_POSITIVE", confidence="UNSURE")
    version = ModelVersion.objects.latest("pk")
    return {
        "ana": [
            reverse("case-report", kwargs=told),
            reverse("case-report-export", kwargs={**told, "kind": "pdf"}),
            reverse("evidence", kwargs={"pk": case.pk, "number": kept.pk}),
        ],
        "lena": [reverse("bulk", args=[several.pk])],
        "dana": [
            reverse("upload-preview", args=[held.pk]),
            reverse("upload-rejects", args=[done.pk]),
            reverse("upload-scored", args=[done.pk, "csv"]),
        ],
        "mona": [reverse("model-card", args=[version.pk])],
    }


def walker_of(browser: Browser, base: str, username: str, axe: str) -> Walk:
    """A browser in which that person is logged in already."""
    context = browser.new_context(base_url=base, viewport=DESK, reduced_motion="reduce")
    client = client_of(User.objects.get(username=username))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": base}])
    foreign = english if username in GERMANS else None
    return Walk(context.new_page(), username, base, kind_of, foreign, axe)


def test_every_page_is_whole_for_everyone(browser: Browser, live_server, furnished, axe) -> None:
    """No breach of the policy, no error, no finding of axe, nothing wider than a telephone, and
    no English on a German's page."""
    User.objects.filter(username__in=GERMANS).update(language="de")
    findings: list[str] = []
    visited: set[str] = set()
    shapes: set[str] = set()
    for username in PEOPLE:
        walk = walker_of(browser, live_server.url, username, axe)
        walk.shapes = shapes
        user = User.objects.get(username=username)
        paths = [*starts(user), *furnished.get(username, [])]
        for kind in walk.pages([live_server.url + path for path in paths]):
            walk.examine(kind)
        findings += walk.findings
        visited |= set(walk.seen)
        walk.page.context.close()
    pages = {name for name in SAMPLES if name in PATTERNS and kind_of(address_of(name))}
    if missed := sorted(pages - visited):
        warnings.warn(f"no link led to: {', '.join(missed)}", stacklevel=1)
    assert not findings, told(findings)
    assert {
        "home",
        "alerts",
        "alert",
        "case",
        "case-board",
        "case-calendar",
        "case-queue-terms",
        "case-report",
        "transaction",
        "model",
        "run",
        "upload",
        "policy-request",
        "cost-request",
        "analytics-tab",
        "reports",
        "evidence",
        "model-card",
        "upload-preview",
        "upload-rejects",
        "source",
        "source-new",
        "source-unmark",
        "unmarking",
        "source-document",
        "quarantine",
        "rejected",
        "correction",
        "entity",
        "entity-links",
        "suppressions",
        "suppression",
        "playbooks",
        "playbook",
        "reviews",
        "review",
        "samples",
        "questions",
        "agreement",
    } <= visited


def told(findings: list[str]) -> str:
    """Each finding once, with how many people met it."""
    counts = Counter(finding.partition(" · ")[2] for finding in findings)
    return "\n" + "\n".join(f"{count} × {words}" for words, count in sorted(counts.items()))


def test_the_door_is_open_to_everyone(browser: Browser, live_server, axe) -> None:
    context = browser.new_context(base_url=live_server.url, viewport=DESK, reduced_motion="reduce")
    walk = Walk(context.new_page(), "stranger", live_server.url, lambda path: path, None, axe)
    for kind in walk.pages([f"{live_server.url}/accounts/login/", f"{live_server.url}/nothing"]):
        walk.examine(kind)
    assert [one for one in walk.findings if "answers 404" not in one] == []


def address_of(name: str) -> str:
    return reverse(name, kwargs=SAMPLES[name].args)


def test_the_walk_knows_english_words_from_what_people_wrote() -> None:
    assert english("Wert der Zahlung: 12,00 USD") == english("is:late") == ""
    assert english("Grund: Nobody asked her.") == ""
    assert english(" ".join(["Die", "Zahlung", "is", "above", "the", "Grenze"])) == "is, the"


def test_the_walk_sees_what_is_wrong(browser: Browser, live_server, axe, ana: User) -> None:
    """Its own bad twin: a page with one fault of each kind."""
    walk = walker_of(browser, live_server.url, "ana", axe)
    for kind in walk.pages([live_server.url + "/permissions/"]):
        walk.page.evaluate(
            """() => {
              const bad = document.createElement("div");
              bad.innerHTML = '<img src="/static/mark.svg"><p class="bad">wide</p>';
              bad.querySelector("p").setAttribute("style", "color: red");
              bad.querySelector("p").style.width = "900px";
              document.querySelector("main").append(bad);
            }"""
        )
        walk.examine(kind)
        break
    words = "\n".join(walk.findings)
    assert "image-alt" in words
    assert "content policy: style-src-attr" in words
    assert "at 400 px it is" in words
