"""What a payment would be answered at this moment, with nothing stored: to try one out."""

import time
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.conf import settings
from django.utils import timezone

from scoring import deciding, history
from scoring.admitting import gate_of
from scoring.api.rows import REST
from scoring.current import current_scorer
from scoring.deciding import LAST, Answer
from scoring.engine.history import EVENT
from scoring.engine.transaction import Transaction, event_of
from scoring.models import DecisionPolicy, Source


@dataclass(frozen=True)
class Tried:
    """An answer with the policy it was given under."""

    answer: Answer
    policy: DecisionPolicy


def try_one(record: dict[str, Any]) -> Tried:
    """Score what a program would send to `/detect`, by the champion and the policy in force.

    The past is read, nothing is written: no transaction, no decision, no alert, no metric. Raises
    `engine.transaction.Invalid`, which names each wrong field.
    """
    found = _parsed(record)
    current = current_scorer()
    started = time.perf_counter()
    until = time.monotonic() + settings.SCORING_DEADLINE
    event = np.array([event_of(found, LAST)], EVENT)
    past, known_at = history.read_now(event)
    scores = deciding.judged(current, event, past, until)
    answer = deciding.answer_of(found, scores, current, known_at, until)
    answer.started = started
    return Tried(deciding.explain(answer), current.policy)


def _parsed(record: dict[str, Any]) -> Transaction:
    """As `/detect` reads it; under an id of its own, so it is never taken for a known payment."""
    named = {**record, "transaction_id": f"try-{uuid.uuid4()}"}
    return gate_of(_source(), timezone.now()).admit(named)


def _source() -> Source:
    """The one of requests, with its currency and zone; before the first request, one like it."""
    return Source.objects.filter(name=REST).first() or Source(name=REST, kind=Source.Kind.REST)
