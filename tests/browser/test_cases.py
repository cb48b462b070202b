"""Cases by keyboard: from card to card on the board; a case begun, noted, done and proposed."""

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from anomalyshield.accounts.models import User
from cases import progress, tasks, workflow
from cases.models import Case
from tests.alerts import making
from tests.conftest import client_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser, live_server, ana: User):
    cards = making.queue("cards", ana, is_default=True)
    opened = [
        workflow.open_case(by=ana, alerts=[making.alert(cards, user=f"customer-{n}")])
        for n in range(3)
    ]
    begun = opened[-1]
    progress.start(by=ana, case=begun)
    tasks.add(by=ana, case=begun, title="Call the customer")
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1366, "height": 768})
    session = client_of(ana).cookies[settings.SESSION_COOKIE_NAME].value
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}
    context.add_cookies([cookie])
    shown = context.new_page()
    shown.set_default_timeout(60_000)
    shown.complaints = []
    shown.on("pageerror", lambda error: shown.complaints.append(str(error)))
    yield shown
    assert not shown.complaints
    context.close()


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.textContent.trim()")


def test_the_board_is_walked_by_keys(page: Page) -> None:
    page.goto("/cases/board/")
    page.keyboard.press("j")
    new = [str(case) for case in Case.objects.filter(status="OPEN").order_by("due_at", "-pk")]
    assert focused(page) == new[0]
    page.keyboard.press("ArrowDown")
    assert focused(page) == new[1]
    page.keyboard.press("ArrowRight")
    begun = Case.objects.get(status="IN_PROGRESS")
    assert focused(page) == str(begun)
    page.keyboard.press("h")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the button of the card: begin
    page.wait_for_load_state()
    expect(page.locator(".column").nth(1).locator(".card")).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/*/")


def test_a_case_is_noted_done_and_proposed_without_a_mouse(page: Page) -> None:
    begun = Case.objects.get(status="IN_PROGRESS")
    page.goto(f"/cases/{begun.pk}/")
    page.keyboard.press("c")
    page.keyboard.type("Reached her at noon.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("text=Reached her at noon.")
    page.get_by_role("button", name="Done: Call the customer").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=1 of 1 done")
    page.get_by_label("Outcome").select_option("CONFIRMED")
    page.get_by_label("Findings").fill("Stolen.")
    page.get_by_role("button", name="Propose closure").press("Enter")
    page.wait_for_selector("text=A second person has to approve it.")
    begun.refresh_from_db()
    assert begun.awaits_approval
