"""By key alone: suppress, merge, split, walk the links of an entity, and pin a note to it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from alerts.models import Alert, EntityNote, Suppression
from anomalyshield.accounts.models import User
from tests.alerts import making
from tests.alerts.test_entity_links import fraud, stored
from tests.alerts.test_regrouping import group
from tests.browser.keyboard import arrived, has_focus, pressed, tabbed_to, written

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Desk = Callable[[User], Page]


def test_payments_are_split_off_and_alerts_merged(desk: Desk, ana: User) -> None:
    making.queue("cards", ana, is_default=True)
    alert = group("100", "200", "300")
    page = desk(ana)
    page.goto(f"/alerts/{alert.pk}/")
    pressed(page, "p", "Space", "Tab", "Tab", "Space", "Enter")  # the first two of its payments
    arrived(page, ".notice-good [data-key=z] kbd")
    alert.refresh_from_db()
    other = Alert.objects.exclude(pk=alert.pk).get()
    assert (alert.hit_count, other.hit_count) == (1, 2)

    page.goto(f"/alerts/{alert.pk}/")
    pressed(page, "o", "Space", "Enter")
    arrived(page, ".notice-good [data-key=z] kbd")
    alert.refresh_from_db()
    assert (alert.hit_count, Alert.objects.open().count()) == (3, 1)
    pressed(page, "z")
    arrived(page, ".notice-good:not(:has([data-key=z]))")
    assert Alert.objects.open().count() == 2


def test_an_entity_raises_no_more_of_these(desk: Desk, ana: User) -> None:
    cards = making.queue("cards", ana, is_default=True)
    alert = making.alert(cards, score=0.2, reason_codes=["HIGH_AMOUNT"])
    page = desk(ana)
    page.goto(f"/alerts/{alert.pk}/")
    pressed(page, "d")
    written(page, "Buys a house; if l, then f", then="Enter")  # letters, not verdicts
    arrived(page, ".notice-good")
    made = Suppression.objects.get()
    assert (made.code, made.reason) == ("HIGH_AMOUNT", "Buys a house; if l, then f")
    assert not Alert.objects.closed().exists()


def test_links_are_walked_opened_left_out_and_read_as_a_table(desk: Desk, ana: User) -> None:
    cards = making.queue("cards", ana, is_default=True)
    near = {"user": "u-1", "device": "d-17", "card": "k-1"}
    far = {"user": "u-9", "device": "d-18", "card": "k-9"}
    *_, theirs = stored([near, {**near, "user": "u-5"}, {**far, "user": "u-5"}, far])
    fraud(ana, theirs)
    alert = making.alert(cards, user="u-1", device_id="d-17")
    page = desk(ana)
    page.goto(f"/alerts/{alert.pk}/")
    pressed(page, "g", leads_to="**/links/**")
    assert "confirmed fraud" in page.inner_text("main .notice")

    chosen = page.locator(".link-map .chosen").count
    pressed(page, "j", "j", "Enter", leads_to="**at=**")  # behind the root: what it shares
    assert chosen() == 1
    name = page.inner_text("#chosen .entity-name")
    shown = page.locator(".link-map .node").count()
    pressed(page, "d", leads_to="**drop=**")
    assert name in page.inner_text(".marks")
    assert page.locator(".link-map .node").count() < shown
    pressed(page, "z", leads_to=lambda url: "drop=" not in url)
    assert page.locator(".link-map .node").count() == shown

    pressed(page, "t")
    assert has_focus(page, ".tall-table")
    rows = page.locator(".link-table tbody tr").count()
    assert rows >= page.locator(".link-map .edge").count() > 0
    tabbed_to(page, ".link-table a", at_most=2)  # the table's own links follow

    pressed(page, "k", "j", "Enter", leads_to="**at=**")
    pressed(page, "f", leads_to=lambda url: "/user/u-1/" not in url)
    pressed(page, "q", leads_to=lambda url: "/links/" not in url)
    pressed(page, "c")
    written(page, "Rented out twice.", then="Control+Enter")
    arrived(page, "text=Rented out twice.")
    assert EntityNote.objects.get().author == ana
