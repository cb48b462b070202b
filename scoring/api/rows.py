"""From the JSON objects of a request to decisions: parsed, decided, each trouble with its place."""

import uuid
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from anomalyshield.metrics import MISMATCHES
from anomalyshield.problems import Problem, step
from scoring.admitting import gate_of
from scoring.api.endpoint import ELSEWHERE
from scoring.batch import decide_many
from scoring.deciding import Answer, Conflicting, Unanswerable, decide_one
from scoring.engine.features import column
from scoring.engine.transaction import Invalid, Transaction
from scoring.models import Source

MOST_ROWS = 10_000
MODEL_NAME = "credit_card_fraud"  # the documents' name for what is champion here
REST = "rest"


def decided(request: HttpRequest, row: dict[str, Any], *, at: str = "") -> Answer:
    """Parse and decide one; every wrong field is named with its pointer."""
    source = source_of(request)
    found = _parsed(row, source, at)
    try:
        answer = decide_one(found, source=source, record=row)
    except Unanswerable as reason:
        raise _problem(reason, at) from None
    count_mismatches(found, answer)
    return answer


def decided_all(request: HttpRequest, rows: list[Any], at: str) -> list[Answer | Problem]:
    """The same for each row, in their order: a row's problem is its own."""
    source = source_of(request)
    results: dict[int, Answer | Problem] = {}
    found: dict[int, Transaction] = {}
    for index, row in enumerate(rows):
        try:
            found[index] = _parsed(row, source, f"{at}/{index}")
        except Problem as problem:
            results[index] = problem
    for index, answer in decide_many(found, source=source, records=dict(enumerate(rows))).items():
        if isinstance(answer, Answer):
            count_mismatches(found[index], answer)
            results[index] = answer
        else:
            results[index] = _problem(answer, f"{at}/{index}")
    return [results[index] for index in range(len(rows))]


def _parsed(row: Any, source: Source, at: str) -> Transaction:
    if not isinstance(row, dict):
        raise Problem(400, "not_an_object", "A row is a JSON object.", pointer=at)
    try:
        return gate_of(source, timezone.now()).admit(row)
    except Invalid as invalid:
        raise wrong_fields(invalid, at) from None


def wrong_fields(invalid: Invalid, at: str = "") -> Problem:
    """Each wrong field with its pointer."""
    errors = [
        {"pointer": f"{at}/{step(field)}", "detail": f"{field} {reason}"}
        for field, reason in invalid.reasons.items()
    ]
    return Problem(400, "invalid", str(invalid), pointer=errors[0]["pointer"], errors=errors)


def _problem(reason: Unanswerable, at: str) -> Problem:
    pointer = f"{at}/transaction_id"
    if isinstance(reason, Conflicting):
        return Problem(409, "conflicting_duplicate", str(reason), pointer=pointer)
    return Problem(409, "being_scored", str(reason), pointer=pointer, retry_after=2)


def count_mismatches(found: Transaction, answer: Answer) -> None:
    """Our own features win; how often theirs differ is a figure somebody should look at."""
    if answer.vector is None:
        return
    for name, theirs in found.hints.items():
        ours = float(answer.vector[column(name)])
        if ours == ours and abs(ours - theirs) > 1e-6 * max(1.0, abs(ours)):
            MISMATCHES.labels(feature=name).inc()


def source_of(request: HttpRequest) -> Source:
    """The source of the key, else the common one of REST."""
    key = getattr(request.user, "key", None)
    if key is not None and key.source is not None:
        source: Source = key.source
    else:
        source = Source.objects.get_or_create(name=REST, defaults={"kind": Source.Kind.REST})[0]
    if not source.active:
        raise Problem(403, "source_inactive", f"The source {source.name} is switched off.")
    return source


def member(given: dict[str, Any], name: str) -> dict[str, Any]:
    if not isinstance(given.get(name), dict):
        raise Problem(400, "required", f"{name} is required: an object.", pointer=f"/{name}")
    return given[name]  # type: ignore[no-any-return]


def rows_of(given: dict[str, Any], name: str) -> list[Any]:
    rows = given.get(name)
    if not isinstance(rows, list):
        raise Problem(400, "required", f"{name} is required: a list.", pointer=f"/{name}")
    if len(rows) > MOST_ROWS:
        raise too_many(f"/{name}")
    return rows


def too_many(at: str) -> Problem:
    return Problem(413, "too_many_rows", f"At most {MOST_ROWS:,} rows; {ELSEWHERE}.", pointer=at)


def with_id(row: Any) -> Any:
    """These endpoints promise no transaction id; without one each call is a transaction."""
    if isinstance(row, dict) and row.get("transaction_id") in (None, ""):
        return {**row, "transaction_id": f"score-{uuid.uuid4()}"}
    return row


def switch(given: dict[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise Problem(400, "invalid", f"{name} is true or false.", pointer=f"/{name}")
    return value


def model_of(given: dict[str, Any]) -> str:
    name = given.get("model_name", MODEL_NAME)
    if name != MODEL_NAME:
        raise Problem(
            404,
            "unknown_model",
            f"Served here: {MODEL_NAME}.",
            pointer="/model_name",
            served=[MODEL_NAME],
        )
    return MODEL_NAME
