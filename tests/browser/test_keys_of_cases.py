"""By key alone: a case stands still with a reason, is reported or not, and closed by two people."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from alerts.models import Queue
from anomalyshield.accounts.models import User
from cases import progress, workflow
from cases.models import Case, Clock, Report
from tests.alerts import making
from tests.browser.keyboard import arrived, has_focus, pressed, tabbed_to, written

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Desk = Callable[[User], Page]
TOLD = "The customer reported payments which were not hers, made within minutes of each other. " * 3
# What a person adds to the draft: field of the report → words.
SAID = {
    "subject-name": "M. Example",
    "subject-relation": "Customer",
    "activity-typology": "Card testing",
    "institution-name": "House",
    "institution-address": "1 Street",
    "institution-identifier": "123",
    "contact-name": "Fraud desk",
    "contact-phone": "+1 555 0100",
    "narrative-text": TOLD,
}


@pytest.fixture
def cards(ana: User, lena: User) -> Queue:
    return making.queue("cards", ana, lena, is_default=True)


@pytest.fixture
def case(ana: User, cards: Queue) -> Case:
    case = workflow.open_case(by=ana, alerts=[making.alert(cards, card_id="card-7")])
    progress.start(by=ana, case=case)
    return case


def test_clocks_stand_still_with_a_reason_and_a_second_person_closes(
    desk: Desk, ana: User, lena: User, case: Case
) -> None:
    page = desk(ana)
    page.goto(f"/cases/{case.pk}/")
    pressed(page, "s")
    assert has_focus(page, "#waits_for")
    pressed(page, "Tab")
    written(page, "Asked her; she is abroad until Monday.", then="Control+Enter")
    arrived(page, "#clocks:has-text('stands still')")
    assert "abroad until Monday" in page.inner_text("#clocks")
    pressed(page, "s")
    written(page, "She rang.", then="Enter")
    arrived(page, "#clocks:not(:has-text('stands still'))")

    pressed(page, "p")
    pressed(page, "ArrowDown", "Tab")  # the first outcome
    written(page, "Stolen card.", then="Control+Enter")
    arrived(page, "text=A second person has to approve it.")
    pressed(page, "p")  # nothing of hers to approve
    assert has_focus(page, "body, main")
    second = desk(lena)
    second.goto(f"/cases/{case.pk}/")
    pressed(second, "p")
    case.refresh_from_db()
    assert case.awaits_approval  # the key leads there; Enter is the approval
    pressed(second, "Enter")
    arrived(second, "text=Ask to reopen")
    case.refresh_from_db()
    assert (case.status, case.closed_by) == ("CLOSED", lena)


def test_a_report_is_drafted_completed_agreed_and_filed(
    desk: Desk, ana: User, lena: User, case: Case
) -> None:
    page = desk(ana)
    page.goto(f"/cases/{case.pk}/")
    pressed(page, "r")
    page.keyboard.type("01012026")  # the day it was determined, as its field is written
    pressed(page, "Enter", leads_to="**/reports/1/")
    pressed(page, "p", "Enter")  # prepare one
    arrived(page, "[data-key=d] kbd")
    pressed(page, "d")
    arrived(page, "#rows-head")
    for name, words in SAID.items():
        tabbed_to(page, f"[name={name}]", at_most=60)
        pressed(page, "Control+a")
        page.keyboard.type(words)
    pressed(page, "Control+Enter")
    arrived(page, ".notice")
    pressed(page, "v")
    arrived(page, "text=All five sections are complete.")
    pressed(page, "p", "Enter")
    arrived(page, "text=A second person has to give it.")
    second = desk(lena)
    second.goto(page.url)
    pressed(second, "p", "Enter")
    arrived(second, "h1:has-text('Approved')")
    page.reload()
    pressed(page, "p")  # opens what it asks: the day, which is today, and its number there
    tabbed_to(page, "[name=reference]", at_most=5)
    written(page, "31000", then="Enter")
    arrived(page, "h1:has-text('Filed')")
    filed = Report.objects.get()
    assert (filed.state, filed.approved_by, filed.reference) == ("FILED", lena, "31000")
    assert Clock.objects.filter(case=case, kind="REG_FILING", stopped_at=None).count() == 0


def test_not_to_report_is_written_down_and_agreed_as_well(
    desk: Desk, ana: User, lena: User, case: Case
) -> None:
    page = desk(ana)
    page.goto(f"/cases/{case.pk}/")
    pressed(page, "r")
    page.keyboard.type("01012026")
    pressed(page, "Enter", leads_to="**/reports/1/")
    pressed(page, "n", "ArrowDown", "Tab")
    written(page, "Her son paid with her card; she knew of it.", then="Control+Enter")
    arrived(page, "h1:has-text('Not filing proposed')")
    second = desk(lena)
    second.goto(page.url)
    pressed(second, "p", "Enter")
    arrived(second, "text=Decided not to report")
    assert Report.objects.get().state == "NO_FILE"
