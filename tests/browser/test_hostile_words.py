"""Whatever senders and people write stays words: no page runs it, on none is it an element.

The strings are those that break out of an element, an attribute, a script, a template, an address
and a spreadsheet; the walk opens a page of each kind that shows any of them.
"""

import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Dialog

from alerts import pinned, snoozing, triage
from alerts.entities import Entity
from alerts.models import Alert
from anomalyshield.accounts import keys
from anomalyshield.accounts.models import User
from cases import evidence, tasks, workflow
from scoring import lists, uploads
from scoring.accepting import Sent, accept
from scoring.engine.keys import entity_key, folded_key
from scoring.lists import Wish
from scoring.models import RejectedRecord, Upload
from scoring.sourcing import make_source
from tests.alerts import making
from tests.browser.test_every_page import walker_of
from tests.pages import starts
from tests.scoring.making import work_through

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BITE = "window.bit=1"
WORDS = f"""</script><img src=x onerror="{BITE}">'"{{{{7*7}}}}${{7*7}}"""
SHORT = f"<svg/onload={BITE}>"  # for what has room for 64 characters
ADDRESS = "javascript:" + BITE
BITTEN = "!!(window.bit || document.querySelector('img[src=x], svg[onload]'))"


@pytest.fixture
def furnished(ana: User, dana: User, adam: User) -> dict[str, list[str]]:
    """One of each thing that senders, people and files name, all of them hostile; by person the
    addresses of what shows it."""
    cards = making.queue("cards", ana, is_default=True)
    type(cards).objects.filter(pk=cards.pk).update(name=SHORT)
    paid = dict.fromkeys(
        ("merchant_category", "location", "channel", "device_id", "card_id"), SHORT
    )
    alert = making.alert(
        cards,
        user=SHORT,
        merchant_name=WORDS,
        merchant_key=folded_key(WORDS),
        extra={WORDS: WORDS, "link": ADDRESS},
        **paid,
    )
    other = making.alert(
        cards, user=SHORT, merchant_name=ADDRESS, merchant_key=folded_key(ADDRESS), **paid
    )
    case = worked(ana, alert, other)
    upload, reject = sent(dana)
    keys.make_key(by=adam, name=SHORT, scopes=["score:write"])
    about = {"pk": alert.transaction_id}
    works = [
        reverse("alert", args=[alert.pk]),
        reverse("transaction", kwargs=about),
        reverse("case", args=[case.pk]),
        reverse("entity", args=["user", SHORT]),
        reverse("entity-links", args=["user", SHORT]),
    ]
    keeps = [
        reverse("upload", args=[upload.pk]),
        reverse("rejected", args=[reject.pk]),
        reverse("source", args=[reject.source_id]),
        reverse("transaction", kwargs=about),
    ]
    return {"ana": works, "dana": keeps, "adam": [*keeps, *works]}


def worked(ana: User, alert: Alert, other: Alert):
    triage.comment(by=ana, alert=alert, text=f"{WORDS} {ADDRESS}")
    case = workflow.open_case(by=ana, alerts=[alert], title=WORDS)
    workflow.add_note(by=ana, case=case, text=WORDS)
    tasks.add(by=ana, case=case, title=WORDS)
    evidence.add(by=ana, case=case, name=f"{SHORT}.txt".replace("/", ""), content=WORDS.encode())
    pinned.pin(by=ana, entity=Entity("user", SHORT, entity_key(SHORT)), text=WORDS)
    lists.put(by=ana, wish=Wish("DENY", "merchant", WORDS, WORDS))
    snoozing.snooze(by=ana, alert=other, until=timezone.now() + timedelta(days=1), reason=WORDS)
    return case


def sent(dana: User) -> tuple[Upload, RejectedRecord]:
    hook = make_source(by=dana, name="hook", kind="webhook", title=WORDS)
    bad = {"transaction_id": SHORT, "amount": WORDS, WORDS: WORDS, "user_id": ADDRESS}
    accept(source=hook, sent=[Sent(bad, place=WORDS)], door="webhook")
    rows = (
        f'transaction_id,user_id,amount,"{WORDS.replace(chr(34), chr(34) * 2)}"\nf1,{SHORT},x,1\n'
    )
    upload = uploads.receive(
        by=dana, source=hook, name=f"{SHORT}.csv", file=io.BytesIO(rows.encode()), options={}
    )
    work_through()
    return upload, RejectedRecord.objects.filter(source=hook).earliest("pk")


def test_what_anybody_writes_stays_words(browser: Browser, live_server, furnished) -> None:
    findings: list[str] = []
    shown: set[str] = set()

    def heard(dialog: Dialog) -> None:
        findings.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    for username in furnished:
        walk = walker_of(browser, live_server.url, username, "")
        walk.page.on("dialog", heard)
        user = User.objects.get(username=username)
        paths = [*furnished[username], *starts(user)]
        for kind in walk.pages([live_server.url + path for path in paths]):
            walk.page.hover("main")
            if walk.page.evaluate(BITTEN):
                findings.append(f"{username} · {kind} · it bites")
            findings += [f"{kind} · {one}" for one in walk.page.evaluate("window.__breaches")]
            shown |= {kind} if any(one in walk.page.content() for one in escaped()) else set()
        findings += walk.findings
        walk.page.context.close()
    assert findings == []
    assert {
        "alert", "alerts", "transaction", "transactions", "case", "cases", "entity", "upload",
        "uploads", "rejected", "quarantine", "source", "sources", "lists", "keys",
    } <= shown, "the words are not there: nothing was shown"  # fmt: skip


def escaped() -> Iterator[str]:
    yield "&lt;img src=x onerror="
    yield "&lt;svg/onload="


def test_the_walk_sees_a_bite(browser: Browser, live_server, ana: User) -> None:
    walk = walker_of(browser, live_server.url, "ana", "")
    for _kind in walk.pages([live_server.url + "/permissions/"]):
        walk.page.evaluate(f"document.querySelector('main').innerHTML = `{SHORT}`")
        assert walk.page.evaluate(BITTEN)
        walk.page.wait_for_function("window.__breaches.length > 0")
        break
