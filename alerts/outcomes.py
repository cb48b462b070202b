"""What becomes of a review when the corrections it proposed are answered."""

from typing import Any

from django.utils import timezone

from alerts.models import Correction, Review
from anomalyshield.audit.record import record


def follow(correction: Correction, *, by: Any) -> None:
    """Settle the reviews that proposed it, once nothing of theirs waits any more."""
    discussed = Review.objects.filter(corrections=correction, outcome=Review.Outcome.DISCUSS)
    for review in discussed.select_for_update(of=("self",)):
        states = set(review.corrections.values_list("state", flat=True))
        if Correction.State.OPEN not in states:
            _settle(review, overturned=Correction.State.APPROVED in states, by=by)


def _settle(review: Review, *, overturned: bool, by: Any) -> None:
    """Withdrawn or refused, the two still disagree: the first verdict stands."""
    review.outcome = Review.Outcome.OVERTURNED if overturned else Review.Outcome.UPHELD
    review.settled_at, review.settled_by = timezone.now(), by
    review.save(update_fields=["outcome", "settled_at", "settled_by"])
    action = "review.overturned" if overturned else "review.upheld"
    record(by=by, action=action, object=review)
