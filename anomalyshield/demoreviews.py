"""What the demo's desk looks at again: drawn verdicts, and a sample of what raised no alert."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from alerts import drawing, feedback, reviews, sampling
from alerts.models import Alert, Feedback, Review, SampleDraw
from anomalyshield.demodesk import HOUR, TYPOLOGY, Desk

SHARES = {
    "random_share": 0.25,
    "large_share": 0.3,
    "unsure_share": 0.6,
    "release_share": 0.3,
    "due_hours": 72,
    "sample_budget": 40,
    "model_budget": 12,
}
WHY = "Two people on one desk begin to think alike; let us see how often."
LEFT = 3  # reviews of each that wait on the demo day
BUDGET, WAITING = 60, 12  # of the sample, and of it not answered yet


def begin(desk: Desk) -> None:
    """Lena wants verdicts looked at again from now on."""
    if drawing.policy() is None:
        reviews.set_shares(by=desk.lena, shares=SHARES, reason=WHY)


def look_again(desk: Desk) -> None:
    """Each answers what was drawn for them but the last few; one disagreement is settled."""
    kinds = {item.alert.pk: item.kind for item in desk.items}
    for person in (desk.ana, desk.lena):
        waiting = Review.objects.blinding(person).order_by("-verdict__alert__last_event", "pk")
        drawn = list(waiting.select_related("alert__transaction"))
        for one in drawn[min(LEFT, len(drawn) // 3) :]:
            _answer(one, kinds.get(one.alert_id, ""), person)
    doubted = list(Review.objects.filter(outcome=Review.Outcome.DISCUSS).order_by("pk")[:1])
    for one in doubted:
        reason = "Called again: this is what the customer says now."
        disputed = reviews.dispute(by=one.reviewer, review=one, reason=reason)
        reviews.settle(by=one.decided_by, review=disputed, approve=True, words="You are right.")


def look_below(desk: Desk) -> None:
    """A day's sample, most of it answered with what the payments really were."""
    made = sampling.draw(budget=BUDGET, settled=-timedelta(minutes=5))
    drawn = made or SampleDraw.objects.latest("pk")
    waiting = list(drawn.samples.waiting().select_related("transaction").order_by("pk"))
    for one in waiting[: max(len(waiting) - WAITING, 0)]:
        kind = desk.truth.get(one.transaction.external_id, "")
        meant = Alert.Disposition.TRUE_POSITIVE_FRAUD if kind else Alert.Disposition.FALSE_POSITIVE
        by = (desk.ana, desk.lena)[one.pk % 2]
        sampling.answer(
            by=by, sample=one, disposition=meant, typology=TYPOLOGY.get(kind, "") if kind else ""
        )


def answer_the_model(desk: Desk) -> None:
    """The champion asks about a dozen payments; half of them are answered."""
    asked = list(Feedback.objects.order_by("pk")) or feedback.fill(budget=SHARES["model_budget"])
    for number, one in enumerate(asked[: len(asked) // 2]):
        if one.reviewed_at is None:
            by = (desk.ana, desk.lena)[number % 2].get_username()
            fraud = int(bool(desk.truth.get(one.external_id, "")))
            feedback.submit_review(one.external_id, human_label=fraud, reviewer_id=by)


@transaction.atomic
def date_back() -> None:
    """To the hours after the verdicts they are about."""
    for one in Review.objects.select_related("verdict"):
        one.drawn_at = one.verdict.at
        one.due_at = one.verdict.at + SHARES["due_hours"] * HOUR
        if one.answered_at:
            later = one.verdict.at + (2 + one.pk % 20) * HOUR
            one.answered_at = min(later, timezone.now())
            one.settled_at = one.settled_at and one.answered_at
        else:
            one.due_at = max(one.due_at, one.verdict.at + 30 * HOUR)
        one.save(update_fields=["drawn_at", "due_at", "answered_at", "settled_at"])


def _answer(review: Review, kind: str, by: object) -> None:
    """What it really was; now and then the second person errs, too."""
    fraud = bool(kind) != (review.pk % 19 == 0)
    meant = Alert.Disposition.TRUE_POSITIVE_FRAUD if fraud else Alert.Disposition.FALSE_POSITIVE
    typology = TYPOLOGY.get(kind, "") if fraud and kind else ""
    reviews.answer(by=by, review=review, disposition=meant, typology=typology)
