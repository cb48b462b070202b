"""Many transactions of one request: stored and decided together, vectorised, in one commit."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from anomalyshield.metrics import LATENCY
from scoring import history, pipeline, storing
from scoring.current import current_scorer
from scoring.deciding import Answer, Unanswerable, answer_of, earlier, follow_up, judged
from scoring.engine.transaction import Transaction
from scoring.models import Decision, Source

ROW_SECONDS = 0.001  # what each row adds to the deadline
Found = Mapping[int, Transaction]  # by position in the request


def decide_many(
    found: Found, *, source: Source, records: Mapping[int, dict[str, Any]]
) -> dict[int, Answer | Unanswerable]:
    """The answer for each position. Rows see each other as history, in the order of time.

    Like `deciding.decide_one`, a repeated id gets its first decision again, and a failure of
    scoring is a REVIEW for all rows.
    """
    current = current_scorer()
    started = time.perf_counter()
    until = time.monotonic() + settings.SCORING_DEADLINE + ROW_SECONDS * len(found)
    with transaction.atomic():
        numbers = _store(found, source)
        known_at = _clock()
        events = history.events_of(list(numbers))
        past = history.read(events, known_at=known_at)
        scores = judged(current, events, past, until)
        reviewable = pipeline.store(events, scores, current, known_at=known_at)
        decisions = _decisions(numbers)
    LATENCY.observe(time.perf_counter() - started)
    follow_up(reviewable, events, scores, current)
    answers: dict[int, Answer | Unanswerable] = {}
    for row, number in enumerate(events["id"].tolist()):
        place = numbers[number]
        told = answer_of(found[place], scores, current, known_at, until, row)
        told.decision = decisions[number]
        answers[place] = told
    for place in found.keys() - answers.keys():
        answers[place] = _earlier(found[place], source, records[place], until)
    for answer in answers.values():
        if isinstance(answer, Answer):
            answer.started = started
    return answers


def _store(found: Found, source: Source) -> dict[int, int]:
    """Ingest number → position, of those that are new; of two with one id the first."""
    storing.copy_in(found.items(), source=source.pk)
    with connection.cursor() as cursor:
        cursor.execute(storing.INSERT + " RETURNING id, external_id")
        new = {external: number for number, external in cursor.fetchall()}
    places: dict[int, int] = {}
    for place, one in found.items():
        if (number := new.pop(one.external_id, None)) is not None:
            places[number] = place
    return places


def _clock() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def _decisions(numbers: Iterable[int]) -> dict[int, int]:
    """Ingest number → number of its decision."""
    rows = Decision.objects.filter(transaction_id__in=list(numbers))
    return dict(rows.values_list("transaction_id", "pk"))


def _earlier(
    found: Transaction, source: Source, record: dict[str, Any], until: float
) -> Answer | Unanswerable:
    try:
        return earlier(found, source, record, until)
    except Unanswerable as reason:
        return reason
