"""The review queue of the model, apart from that of alerts: what it asks, and what people answer.

Active learning as in Settles, “Active learning literature survey” (2009): half of what is asked
lies where the model is least certain; a quarter is drawn at random, so that answers do not only
tell of the border; a quarter has the highest scores that raised nothing or were left open.
"""

import json
from collections.abc import Iterable, Mapping
from math import isfinite
from statistics import median
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Abs
from django.utils import timezone

from alerts import holding
from alerts.drawing import policy
from alerts.models import Alert, Feedback
from anomalyshield.accounts.models import User
from anomalyshield.audit.record import record
from anomalyshield.keyed import key_for
from anomalyshield.templatetags.words import figure
from scoring import labels, policies
from scoring.engine import sampling
from scoring.engine.agreement import cohen
from scoring.engine.decision import Policy
from scoring.models import Decision, Label, Transaction

Refused = labels.Refused
Why = Feedback.Why
LATEST = 50_000  # decisions a day's questions are chosen from
LONGEST = 16_384  # characters of what is sent with a question
VALUE = {1: Label.Value.TRUE_FRAUD, 0: Label.Value.FALSE_POSITIVE}


@transaction.atomic
def add_to_review_queue(
    transaction_id: str,
    transaction_data: Mapping[str, Any],
    anomaly_score: float,
    model_prediction: int,
    *,
    by: Any = "worker",
    why: str = Why.ADDED,
) -> Feedback:
    """Ask people whether this payment, by its id at its sender, was fraud.

    Asked again while it waits, it is the same question. `transaction_data` is kept only if no
    such payment is stored; then an answer labels nothing. Raises Refused.
    """
    data = _checked(transaction_id, transaction_data, anomaly_score, model_prediction)
    waiting = Feedback.objects.waiting().filter(external_id=transaction_id).first()
    if waiting is not None:
        return waiting
    paid = Transaction.objects.called(transaction_id).order_by("-pk").first()
    try:
        with transaction.atomic():
            made = Feedback.objects.create(
                external_id=transaction_id,
                transaction=paid,
                data={} if paid else data,
                score=anomaly_score,
                prediction=model_prediction,
                why=why,
            )
    except IntegrityError:  # somebody asked in the same moment
        return Feedback.objects.waiting().get(external_id=transaction_id)
    record(by=by, action="feedback.asked", object=made, after={"why": why})
    return made


def take_next(*, by: Any, behind: Feedback | None = None) -> Feedback | None:
    """Give them one they may answer and nobody else looks at: the first behind that one, else of
    all."""
    waiting = Feedback.objects.waiting().answerable_by(by)
    return holding.take_first(waiting, by=by, behind=behind)


@transaction.atomic
def submit_review(
    transaction_id: str, human_label: int, reviewer_id: str, notes: str = ""
) -> Feedback:
    """Answer what was asked of this payment: 1 fraud, 0 not. Its label is an event of its own.

    `reviewer_id` is a user name. Where a label stands that one person may not change, it stays
    and the answer is kept beside it. Raises Refused.
    """
    if human_label not in VALUE or isinstance(human_label, bool):
        raise Refused("A human label is 1 for fraud or 0.")
    reviewer = User.objects.filter(username=reviewer_id, is_active=True).first()
    if reviewer is None or not reviewer.may("review.work"):
        raise Refused(f"No analyst is called {reviewer_id}.")
    asked = _waiting(transaction_id)
    _theirs(reviewer, asked)
    holding.refuse_if_another_looks(asked, reviewer)
    asked.held_until = None
    asked.human_label, asked.reviewer, asked.notes = human_label, reviewer, notes
    asked.reviewed_at = timezone.now()
    asked.label = _label(asked, reviewer)
    asked.save()
    after = {"label": human_label, "transaction": asked.transaction_id}
    record(by=reviewer, action="feedback.answered", object=asked, after=after)
    return asked


def get_review_metrics() -> dict[str, Any]:
    """How the queue does, over all that was asked and answered; null where nothing was.

    `agreement`: share of answers that say what the model said; `kappa`: beyond chance, with its
    95 % interval; `precision`: frauds among the answers, `precision_of_predictions`: among those
    the model called fraud; `label_rates`: share of each answer; `median_seconds` from question to
    answer.
    """
    rows = list(
        Feedback.objects.answered().values_list(
            "prediction", "human_label", "added_at", "reviewed_at", "why"
        )
    )
    table = [[sum(r[:2] == (p, h) for r in rows) for h in (0, 1)] for p in (0, 1)]
    found, many = cohen(table), len(rows)
    frauds, called = sum(r[1] for r in rows), sum(r[0] for r in rows)
    return {
        "total": Feedback.objects.count(),
        "pending": Feedback.objects.waiting().count(),
        "reviewed": many,
        "agreement": found.observed if many else None,
        "kappa": _number(found.kappa),
        "kappa_interval": [_number(found.low), _number(found.high)],
        "precision": frauds / many if many else None,
        "precision_of_predictions": table[1][1] / called if called else None,
        "label_rates": {"1": frauds / many, "0": 1 - frauds / many} if many else {},
        "median_seconds": median((r[3] - r[2]).total_seconds() for r in rows) if many else None,
        "by_reason": {why: sum(r[4] == why for r in rows) for why in Why.values},
    }


def daily() -> None:
    """Once a day, if a lead has set a budget."""
    shares = policy()
    if shares is not None and shares.model_budget:
        fill(budget=shares.model_budget)


@transaction.atomic
def fill(*, budget: int, by: Any = "draw") -> list[Feedback]:
    """Ask about so many more: half near the cut, a quarter at random, a quarter of high scores."""
    cut = Policy.from_dict(policies.active().values).high_above
    free, taken = _askable(), set[int]()
    near = free.order_by(Abs(F("risk_score") - cut), "pk")
    high = free.order_by("-risk_score", "pk")
    key = key_for(f"alerts.feedback:{timezone.now().date().isoformat()}")
    drawn = sampling.lowest(key, free.values_list("pk", flat=True).iterator(), budget)
    quarter = budget // 4
    plan: list[tuple[str, int, Iterable[int]]] = [
        (Why.HIGH, quarter, high.values_list("pk", flat=True)[:budget]),
        (Why.RANDOM, quarter, drawn),
        (Why.UNCERTAIN, budget - 2 * quarter, near.values_list("pk", flat=True)[:budget]),
    ]
    made = []
    for why, many, ids in plan:
        chosen = [pk for pk in ids if pk not in taken][:many]
        taken.update(chosen)
        made += [_ask(pk, why, cut, by) for pk in chosen]
    return made


def _askable() -> "QuerySet[Decision]":
    """The latest decisions of which nobody has said anything, nor is about to."""
    last = Decision.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    said = Label.objects.filter(transaction=OuterRef("transaction"))
    asked = Feedback.objects.filter(transaction=OuterRef("transaction"))
    at_work = Alert.objects.open().filter(hits__decision=OuterRef("pk"))
    return Decision.objects.filter(
        ~Q(Exists(said)) & ~Q(Exists(asked)) & ~Q(Exists(at_work)), pk__gt=last - LATEST
    )


def _ask(pk: int, why: str, cut: float, by: Any) -> Feedback:
    one = Decision.objects.select_related("transaction").get(pk=pk)
    predicted = int(one.risk_score > cut)
    return add_to_review_queue(
        one.transaction.external_id, {}, one.risk_score, predicted, by=by, why=why
    )


def _checked(name: str, data: Mapping[str, Any], score: float, prediction: int) -> dict[str, Any]:
    if not (isinstance(name, str) and 0 < len(name.strip()) <= 128) or "\x00" in name:
        raise Refused("transaction_id is a text of 1 to 128 characters.")
    if not isinstance(data, Mapping):
        raise Refused("transaction_data is an object.")
    try:
        text = json.dumps(dict(data), default=str, allow_nan=False)
    except (ValueError, TypeError):
        raise Refused("transaction_data is no JSON.") from None
    if len(text) > LONGEST or "\\u0000" in text:
        most = figure(f"{LONGEST:,}")
        raise Refused(f"transaction_data has at most {most} characters, none of them NUL.")
    good = isinstance(score, int | float) and isfinite(score) and 0 <= score <= 1
    if not good or isinstance(score, bool):
        raise Refused("anomaly_score is a number from 0 to 1.")
    if prediction not in VALUE or isinstance(prediction, bool):
        raise Refused("model_prediction is 1 for fraud or 0.")
    kept: dict[str, Any] = json.loads(text)
    return kept


def _waiting(transaction_id: str) -> Feedback:
    rows = Feedback.objects.select_for_update(of=("self",)).select_related("transaction")
    asked = rows.filter(external_id=transaction_id).order_by("-pk").first()
    if asked is None:
        raise Refused(f"Nobody has asked about {transaction_id}.")
    if asked.reviewed_at is not None:
        raise Refused(f"{asked.reviewer} has answered that already.")
    return asked


def _theirs(reviewer: User, asked: Feedback) -> None:
    if not Feedback.objects.filter(pk=asked.pk).answerable_by(reviewer).exists():
        raise Refused(f"{asked.external_id} lies in an alert of another queue.")


def _label(asked: Feedback, reviewer: User) -> Label | None:
    if asked.transaction is None:
        return None
    try:
        return labels.give(
            by=reviewer,
            transaction=asked.transaction,
            value=VALUE[asked.human_label or 0],
            origin=Label.Origin.FEEDBACK,
            note=str(asked),
        )
    except labels.Refused:
        return None


def _number(value: float) -> float | None:
    return None if value != value else value
