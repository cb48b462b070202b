"""Hands on a keyboard: whoever uses these never clicks."""

from playwright.sync_api import Page


def tabbed_to(page: Page, selector: str, at_most: int = 250) -> None:
    """Tab until it has the focus."""
    for _ in range(at_most):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"no key leads to {selector}")


def pressed(page: Page, *keys: str, leads_to: str = "") -> None:
    """These keys one after the other; where they lead somewhere, its keys are listening then."""
    for key in keys:
        page.keyboard.press(key)
    if leads_to:
        page.wait_for_url(leads_to)
        page.wait_for_load_state()


def written(page: Page, words: str, then: str = "") -> None:
    """Into the field that has the focus."""
    assert page.evaluate("document.activeElement.matches('input, textarea')")
    page.keyboard.type(words)
    if then:
        pressed(page, then)


def has_focus(page: Page, selector: str) -> bool:
    return bool(page.evaluate("wanted => document.activeElement.matches(wanted)", selector))


def arrived(page: Page, selector: str) -> None:
    """The answer is there, and its keys are listening."""
    page.wait_for_selector(selector, state="attached")
    page.wait_for_load_state()
