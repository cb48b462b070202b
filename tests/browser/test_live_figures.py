"""What scripts add: a slider that needs no round trip, figures that renew themselves in peace."""

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, Page

from anomalyshield.accounts.models import User
from scoring.models import ModelVersion, TrainingRun
from tests.conftest import client_of
from tests.models.test_pages import MEASURED

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def version(db) -> ModelVersion:
    return ModelVersion.objects.create(
        number=2, folder="x", sha256="0" * 64, kind="warm", cutoff=timezone.now(), metrics=MEASURED
    )


def page_of(browser: Browser, base: str, user: User, **more: object) -> Page:
    context = browser.new_context(base_url=base, viewport={"width": 1366, "height": 768}, **more)
    session = client_of(user).cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": base}])
    return context.new_page()


def test_the_slider_exchanges_every_word_and_the_address(
    browser, live_server, mona, version
) -> None:
    page = page_of(browser, live_server.url, mona)
    page.goto(f"/models/{version.pk}/?cut=0.5")
    assert page.inner_text('[data-said="precision"]') == "80.0 %"
    assert not page.is_visible("form.slide button")
    page.fill("#cut", "0.25")
    page.dispatch_event("#cut", "change")
    assert page.inner_text('[data-said="cut"]') == "0.25"
    assert page.inner_text('[data-said="false"]') == "100"
    assert "cut=0.25" in page.url
    page.reload()
    assert page.inner_text('[data-said="false"]') == "100"
    page.context.close()


def test_without_a_script_the_slider_asks_the_server(browser, live_server, mona, version) -> None:
    page = page_of(browser, live_server.url, mona, java_script_enabled=False)
    page.goto(f"/models/{version.pk}/?cut=0.5")
    page.focus("#cut")
    for _ in range(25):
        page.keyboard.press("ArrowLeft")
    page.click("form.slide button")
    assert page.inner_text('[data-said="false"]') == "100"
    page.context.close()


def test_figures_renew_themselves_but_not_under_ones_hand(browser, live_server, mona) -> None:
    page = page_of(browser, live_server.url, mona)
    page.clock.install()
    page.goto("/")
    shown = page.locator(".tile", has_text="Trainings under way").locator(".figure")
    assert shown.inner_text() == "0"
    TrainingRun.objects.create(message="Learning")
    page.focus("#live a >> nth=0")  # somebody is about to follow a link
    page.clock.run_for(21_000)
    page.wait_for_timeout(500)
    assert shown.inner_text() == "0"
    page.evaluate("document.activeElement.blur()")
    for _ in range(6):  # one round is enough, unless the machine is busy
        page.clock.run_for(10_500)
        page.wait_for_timeout(500)
        if shown.inner_text() == "1":
            break
    assert "Learning" in page.inner_text("#live")
    assert shown.inner_text() == "1"
    page.context.close()
