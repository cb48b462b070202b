"""By key alone: second looks, samples, questions, figures taken away; the palette and the help."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from alerts import feedback, sampling, triage
from alerts.models import Feedback, Queue, Review, ReviewPolicy, Sample
from anomalyshield.accounts.models import User
from scoring.models import Decision, Label
from tests.alerts import making
from tests.browser.keyboard import arrived, has_focus, pressed, tabbed_to, written

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Desk = Callable[[User], Page]


@pytest.fixture
def cards(ana: User, lena: User) -> Queue:
    return making.queue("cards", ana, lena, is_default=True)


def drawn(many: int) -> list[Sample]:
    """Payments that raised nothing, all of them drawn."""
    for number in range(many):
        paid = making.payment(f"quiet-{number}")
        making.decision(paid, score=0.1, level="LOW", outcome="APPROVE", reviewable=False)
    Decision.objects.update(decided_at=timezone.now() - timedelta(hours=2))
    made = sampling.draw(budget=many)
    assert made is not None
    return list(made.samples.order_by("pk"))


def test_a_verdict_is_looked_at_again_without_knowing_it(
    desk: Desk, ana: User, lena: User, cards: Queue
) -> None:
    ReviewPolicy.objects.create(random_share=1)
    alert = making.alert(cards)
    triage.decide(by=ana, alert=alert, disposition="TRUE_POSITIVE_FRAUD")
    page = desk(lena)
    page.goto("/reviews/")
    pressed(page, "n", leads_to="**/reviews/*/")
    assert "Ana" not in page.inner_text("main")
    pressed(page, "c")
    written(page, "He rang: his own; if f, then l", then="Escape")  # letters, not verdicts
    pressed(page, "l")
    arrived(page, "h1:has-text('not agreed'), h1:has-text('to discuss'), [data-key=n], .empty")
    told = Review.objects.get()
    assert (told.said, told.note) == ("FALSE_POSITIVE", "He rang: his own; if f, then l")


def test_samples_and_questions_are_answered_or_passed_by(
    desk: Desk, ana: User, cards: Queue
) -> None:
    first, second, third = drawn(3)
    page = desk(ana)
    page.goto("/reviews/samples/")
    pressed(page, "n", leads_to=f"**/samples/{first.pk}/")
    pressed(page, "n", leads_to=f"**/samples/{second.pk}/")  # not that one now
    pressed(page, "f", leads_to=f"**/samples/{third.pk}/")
    pressed(page, "l", leads_to=f"**/samples/{first.pk}/")  # it comes again behind the others
    said = dict(Sample.objects.values_list("pk", "said"))
    assert said == {first.pk: "", second.pk: "TRUE_POSITIVE_FRAUD", third.pk: "FALSE_POSITIVE"}
    assert Label.objects.count() == 2

    asked = [
        feedback.add_to_review_queue(one.transaction.external_id, {}, 0.7, 1)
        for one in (second, first, third)
    ]
    page.goto("/reviews/questions/")
    assert "0.70" not in page.inner_text("main")  # what the model said would lead whoever answers
    pressed(page, "n", leads_to=f"**/questions/{asked[0].pk}/")
    pressed(page, "n", leads_to=f"**/questions/{asked[1].pk}/")
    pressed(page, "c")
    written(page, "Bought a fridge.", then="Escape")
    pressed(page, "l", leads_to=f"**/questions/{asked[2].pk}/")
    answered = Feedback.objects.get(pk=asked[1].pk)
    assert (answered.human_label, answered.notes) == (0, "Bought a fridge.")


def test_figures_are_taken_away_and_pages_found(desk: Desk, ana: User, cards: Queue) -> None:
    making.alert(cards)
    page = desk(ana)
    page.goto("/")
    pressed(page, "Control+k")
    page.keyboard.type("an")
    assert page.inner_text("#palette a[data-first] span") == "Analytics"
    pressed(page, "Enter", leads_to="**/analytics/")
    tabbed_to(page, ".files a[download]")
    with page.expect_download() as taken:
        pressed(page, "Enter")
    assert taken.value.suggested_filename.endswith(".csv")
    tabbed_to(page, "details.twin summary", at_most=10)
    pressed(page, "Enter")
    assert page.locator("details.twin[open] td").first.is_visible()

    pressed(page, "Control+k")
    page.keyboard.type("below")  # a page that stands in no side bar
    pressed(page, "ArrowDown", "Enter", leads_to="**/samples/")
    pressed(page, "?")
    assert has_focus(page, "#keys-help button")
    assert page.locator("#keys-help").evaluate("box => box.scrollHeight <= box.clientHeight + 1")
    pressed(page, "Escape")
    assert not page.locator("#keys-help").is_visible()
    User.objects.filter(pk=ana.pk).update(keys=False)
    page.goto("/reviews/samples/")
    pressed(page, "?", "n")
    assert page.locator("main .pills").first.is_visible()  # all is as it was, but for the hints
    assert not page.locator("#keys-help").is_visible()
    assert page.locator("main kbd, .actions kbd").count() == 0
    pressed(page, "Control+k")  # no letter: it stays
    assert page.locator("#palette").is_visible()
