"""Both pages of the API's manual draw themselves with nothing from anywhere else."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Request

from tests.conftest import client_of, person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("address", "drawn"),
    [("/docs", "#swagger-ui .opblock-summary-path"), ("/redoc", "redoc h1")],
)
def test_a_manual_is_read_without_the_internet(
    address: str, drawn: str, browser: Browser, live_server
) -> None:
    cookies = client_of(person("ana", "analyst")).cookies
    context = browser.new_context(base_url=live_server.url)
    context.add_cookies(
        [
            {"name": name, "value": one.value, "url": live_server.url}
            for name, one in cookies.items()
        ]
    )
    asked: list[Request] = []
    context.on("request", lambda request: asked.append(request))
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(drawn, timeout=120_000)
    page.wait_for_load_state("networkidle")
    here = urlsplit(live_server.url).netloc
    elsewhere = [one for one in asked if urlsplit(one.url).netloc not in {here, ""}]
    # ReDoc would show its maker's mark from their host; our policy stops it before it is asked.
    assert {(one.url.endswith("logo-mini.svg"), one.failure) for one in elsewhere} <= {
        (True, "csp")
    }
    assert any(one.url.endswith("/api/schema/") for one in asked)
    context.close()
