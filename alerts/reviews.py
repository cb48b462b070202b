"""What people do with verdicts that were drawn for a second look: answer, hand over, settle.

Until the answer is there the reviewer sees what the first person saw (`alerts/blind.py`), and the
alert is not there for them anywhere else (`AlertQuerySet.visible_to`).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts import corrections, drawing, guards, holding, triage
from alerts.dispositions import FOUND, LABEL_OF
from alerts.models import Alert, Correction, Review, ReviewPolicy, Verdict
from alerts.visibility import queues_of
from anomalyshield.audit.record import record
from scoring.models import Label

Refused = triage.Refused
Outcome = Review.Outcome


@transaction.atomic
def answer(
    *,
    by: Any,
    review: Review,
    disposition: str,
    typology: str = "",
    confidence: str = "",
    note: str = "",
) -> Review:
    """Say what it was, not knowing what was said. Agreed: settled. Not: to be discussed."""
    review = _locked(review)
    _may_answer(by, review)
    meant = Alert.Disposition(disposition)
    first = Alert.Disposition(review.verdict.disposition)
    review.reviewer, review.held_until = by, None
    review.said, review.note = meant, note
    review.typology = typology if meant in FOUND else ""
    review.confidence = confidence or Verdict.Confidence.FAIRLY
    review.answered_at = timezone.now()
    review.agreed = LABEL_OF[meant] == LABEL_OF[first]
    review.outcome = Outcome.UPHELD if review.agreed else Outcome.DISCUSS
    if review.agreed:
        review.settled_at, review.settled_by = review.answered_at, by
    review.save()
    record(
        by=by,
        action="review.answered",
        object=review,
        after={"said": meant.value, "agreed": review.agreed, "alert": review.alert_id},
    )
    return review


def take_next(*, by: Any, behind: Review | None = None) -> Review | None:
    """Give them the one due first that was drawn for them, or for nobody and no colleague looks at.

    As with `take` its alert is hidden from them elsewhere, until it is answered or, their time
    having run out, a colleague is given it.
    """
    waiting = Review.objects.waiting_for(by)
    found = holding.take_first(waiting, by=by, behind=behind, order="due_at")
    if found is not None and found.reviewer_id is None:
        record(by=by, action="review.given", object=found)
    return found


@transaction.atomic
def take(*, by: Any, review: Review) -> Review:
    """Answer one that waits for anybody; from then on the alert is hidden from them elsewhere."""
    review = _locked(review)
    _still_open(review)
    if review.reviewer_id not in {None, by.pk}:
        raise Refused(_("{review} was given to somebody else.").format(review=review))
    _eligible(by, review)
    holding.refuse_if_another_looks(review, by)
    review.reviewer, review.held_until = by, None
    review.save(update_fields=["reviewer", "held_until"])
    record(by=by, action="review.taken", object=review)
    return review


@transaction.atomic
def hand_over(*, by: Any, review: Review, to: Any) -> Review:
    """Give it to another colleague of the queue; for leads."""
    review = _locked(review)
    _still_open(review)
    if not guards.leads(by):
        raise Refused(_("A lead hands reviews over."))
    _eligible(to, review)
    before = {"reviewer": review.reviewer.get_username() if review.reviewer else ""}
    review.reviewer, review.held_until = to, None
    review.save(update_fields=["reviewer", "held_until"])
    after = {"reviewer": to.get_username()}
    record(by=by, action="review.handed_over", object=review, before=before, after=after)
    return review


@transaction.atomic
def dispute(*, by: Any, review: Review, reason: str) -> Review:
    """Propose that the labels say what the reviewer said; a second person approves or refuses.

    One correction for each payment of the alert of which the first person's word still stands.
    """
    review = _locked(review)
    _to_discuss(by, review)
    if review.corrections.waiting().exists():
        raise Refused(_("That is proposed already; a second person answers it."))
    value = LABEL_OF[Alert.Disposition(review.said)]
    proposed = [
        corrections.propose(
            by=by, label=label, value=value, typology=review.typology, reason=reason
        )
        for label in standing_labels(review)
        if not label.corrections.waiting().exists()
    ]
    if not proposed:
        raise Refused(
            _("No label stands any more as the first person gave it: nothing to correct.")
        )
    review.corrections.add(*proposed)
    after = {"corrections": [one.pk for one in proposed], "to": value.value}
    record(by=by, action="review.disputed", object=review, after=after)
    return review


@transaction.atomic
def settle(*, by: Any, review: Review, approve: bool, words: str = "") -> Review:
    """Approve or refuse, as a second person, everything that was proposed by a review."""
    review = _locked(review)
    waiting = list(review.corrections.waiting().order_by("pk"))
    if not waiting:
        raise Refused(_("Nothing waits for an answer here."))
    for one in waiting:
        if approve:
            corrections.approve(by=by, correction=one, answer=words)
        else:
            corrections.refuse(by=by, correction=one, answer=words)
    return Review.objects.get(pk=review.pk)


@transaction.atomic
def let_stand(*, by: Any, review: Review, words: str) -> Review:
    """Having talked about it, the first verdict stands. What was proposed is withdrawn first."""
    review = _locked(review)
    _to_discuss(by, review)
    if not words.strip():
        raise Refused(_("Say why the first verdict stands."))
    if review.corrections.waiting().exists():
        raise Refused(_("A correction of it waits for an answer: answer or withdraw that."))
    review.outcome, review.words = Outcome.UPHELD, words.strip()
    review.settled_at, review.settled_by = timezone.now(), by
    review.save(update_fields=["outcome", "words", "settled_at", "settled_by"])
    record(by=by, action="review.upheld", object=review)
    return review


@transaction.atomic
def set_shares(*, by: Any, shares: Mapping[str, Any], reason: str) -> ReviewPolicy:
    """From now on these shares are drawn; for leads. What was drawn stays drawn."""
    if not guards.leads(by):
        raise Refused(_("A lead says how many verdicts are looked at again."))
    if not reason.strip():
        raise Refused(_("Say why the shares change."))
    before = drawing.policy() or ReviewPolicy(**dict.fromkeys(ReviewPolicy.SHARES, 0.0))
    made = ReviewPolicy.objects.create(made_by=by, reason=reason.strip(), **shares)
    told = [{name: _plain(getattr(one, name)) for name in shares} for one in (before, made)]
    record(by=by, action="review.shares_set", object=made, before=told[0], after=told[1])
    return made


def standing_labels(review: Review) -> list[Label]:
    """Of the alert's payments the labels that still say what the first person said."""
    said = LABEL_OF[Alert.Disposition(review.verdict.disposition)]
    paid = review.alert.hits.values("transaction")
    return list(Label.objects.standing().filter(transaction__in=paid, value=said).order_by("pk"))


def give_back(*, by: Any, of: Any) -> int:
    """Reviews of somebody who may do nothing any more go to their colleagues."""
    held = Review.objects.open().filter(reviewer=of).select_related("alert__queue", "decided_by")
    for review in held.order_by("pk"):
        review.reviewer = drawing.somebody(
            review.alert.queue, but=review.decided_by, name=str(review.pk)
        )
        review.held_until = None
        review.save(update_fields=["reviewer", "held_until"])
        after = {"reviewer": review.reviewer.get_username() if review.reviewer else ""}
        record(by=by, action="review.handed_over", object=review, after=after)
    return len(held)


def _locked(review: Review) -> Review:
    rows = Review.objects.select_for_update(of=("self",))
    return rows.select_related("verdict", "alert__queue", "reviewer", "holder", "decided_by").get(
        pk=review.pk
    )


def _still_open(review: Review) -> None:
    if not review.is_open:
        raise Refused(
            _("{reviewer} has answered {review} already.").format(
                reviewer=review.reviewer, review=review
            )
        )
    if review.verdict.undone_at is not None:
        raise Refused(_("The verdict was taken back: there is nothing to look at any more."))


def _may_answer(by: Any, review: Review) -> None:
    _still_open(review)
    if review.reviewer_id not in {None, by.pk}:
        raise Refused(_("{review} was given to somebody else.").format(review=review))
    _eligible(by, review)
    if review.reviewer_id is None:
        holding.refuse_if_another_looks(review, by)


def _eligible(who: Any, review: Review) -> None:
    if who.pk == review.decided_by_id:
        raise Refused(_("Whoever decided does not look at it again: a second person does."))
    works = queues_of(who).filter(pk=review.alert.queue_id).exists()
    if not (who.may("review.work") and works):
        raise Refused(_("{who} does not work the queue of this alert.").format(who=who))


def _to_discuss(by: Any, review: Review) -> None:
    if review.outcome != Outcome.DISCUSS:
        raise Refused(_("{review} is not under discussion.").format(review=review))
    if by.pk not in {review.reviewer_id, review.decided_by_id} and not guards.leads(by):
        raise Refused(_("The two persons settle it between them, or a lead."))


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def corrections_of(review: Review) -> list[Correction]:
    return list(review.corrections.select_related("label__transaction", "answered_by"))
