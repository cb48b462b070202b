"""A headless Chromium and a running site for the tests that need both."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.urls import resolve
from playwright.sync_api import Browser, Page, sync_playwright

from anomalyshield.accounts.models import User
from tests.conftest import client_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    resolve("/health")  # imports every view, as gunicorn's parent does: seconds of no test's own
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    # Playwright runs an event loop in this thread, and Django would refuse the ORM beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Visitor:
    """A person at a browser of their own; remembers what the page complained about."""

    def __init__(self, browser: Browser, base: str) -> None:
        context = browser.new_context(base_url=base, viewport={"width": 1366, "height": 768})
        self.page: Page = context.new_page()
        self.page.set_default_timeout(60_000)  # the machine may be busy with other tests
        self.complaints: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message) -> None:
        # plotly.js sets three style attributes as it loads; the policy drops them: no loss.
        drawn = "vendor/plotly" in message.location.get("url", "")
        if message.type == "error" and not drawn and "Failed to load" not in message.text:
            self.complaints.append(message.text)

    def log_in(self, username: str, password: str) -> "Visitor":
        self.page.goto("/accounts/login/")
        self.page.fill("#id_login", username)
        self.page.fill("#id_password", password)
        self.page.click("button:has-text('Log in')")
        self.page.wait_for_selector("details.who")
        return self

    def open(self, address: str) -> int:
        """Go there; the status of the answer."""
        response = self.page.goto(address)
        assert response is not None
        return response.status

    def press(self, words: str) -> None:
        self.page.click(f"button:has-text('{words}')")
        self.page.wait_for_load_state()
        self.page.wait_for_selector("main:not([aria-busy])")  # shown in place, where no page loads

    def reads(self, words: str) -> bool:
        return words.lower() in self.page.inner_text("body").lower()

    def status_of_post(self, address: str) -> int:
        """What the server answers to a hand-made form of this person, with a valid CSRF token."""
        token = next(c["value"] for c in self.page.context.cookies() if c["name"] == "csrftoken")
        headers = {"X-CSRFToken": token, "Referer": self.page.url}
        return self.page.request.post(address, headers=headers).status


@pytest.fixture
def visit(browser: Browser, live_server) -> Iterator:
    visitors: list[Visitor] = []

    def arrive(username: str, password: str) -> Visitor:
        visitors.append(Visitor(browser, live_server.url).log_in(username, password))
        return visitors[-1]

    yield arrive
    for visitor in visitors:
        visitor.page.context.close()


@pytest.fixture
def desk(browser: Browser, live_server) -> Iterator:
    """By person a page in which they are logged in already; none complains of a script."""
    pages: list[Page] = []
    complaints: list[str] = []

    def of(user: User) -> Page:
        context = browser.new_context(
            base_url=live_server.url, viewport={"width": 1366, "height": 768}
        )
        session = client_of(user).cookies[settings.SESSION_COOKIE_NAME].value
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}
        context.add_cookies([cookie])
        pages.append(context.new_page())
        pages[-1].set_default_timeout(60_000)  # the machine may be busy with other tests
        pages[-1].on("pageerror", lambda error: complaints.append(str(error)))
        return pages[-1]

    yield of
    for page in pages:
        page.context.close()
    assert complaints == []
