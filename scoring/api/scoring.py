"""The scoring endpoints: one transaction or many, in, decided, out."""

import json
import logging
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from prometheus_client import Counter
from rest_framework.request import Request
from rest_framework.views import APIView

from anomalyshield import strictjson
from anomalyshield.accounts.permissions import RoleAllows
from anomalyshield.problems import MEDIA_TYPE, Problem, body
from scoring import idempotency
from scoring.api import shapes, words
from scoring.deciding import Answer, Conflicting, decide_one
from scoring.engine.transaction import Defaults, Invalid, parse
from scoring.models import Source

log = logging.getLogger(__name__)
MODEL_NAME = "credit_card_fraud"  # the documents' name for what is champion here
MOST_ROWS = 10_000
LOOPBACK = {"127.0.0.1", "::1"}
REST = "rest"
MISMATCHES = Counter("feature_mismatch_total", "Client features that differ from ours", ["feature"])


class MayScore(RoleAllows):
    """The role's gate; in an open demo also anybody on this very machine."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if settings.OPEN_SCORING and request.META.get("REMOTE_ADDR") in LOOPBACK:
            return True
        return super().has_permission(request, view)


class Endpoint(APIView):
    """Reads the body strictly, answers each Idempotency-Key once."""

    action = "score.write"
    permission_classes = (MayScore,)

    def once(self, request: Request, answer: Callable[[Any], Any]) -> HttpResponse:
        raw = request._request.body
        asked = idempotency.once(request._request, principal_of(request), raw)

        def respond() -> HttpResponse:
            try:
                return _json(answer(read(request, raw)))
            except Problem as problem:
                if problem.status_code >= 500:
                    raise
                return _json(body(problem), problem.status_code, MEDIA_TYPE)

        return idempotency.answered(asked, respond)


class Detect(Endpoint):
    """Decide one transaction: five keys back."""

    @extend_schema(request=shapes.TransactionIn, responses=shapes.DetectOut)
    def post(self, request: Request) -> HttpResponse:
        return self.once(request, lambda given: words.detect(decided(request, given)))


class Predict(Endpoint):
    """Decide one transaction: score, type, confidence and an explanation in a sentence."""

    @extend_schema(request=shapes.TransactionIn, responses=shapes.PredictOut)
    def post(self, request: Request) -> HttpResponse:
        return self.once(
            request, lambda given: words.predict(decided(request, given, explain=True))
        )


class PredictBatch(Endpoint):
    """Decide up to 10,000 transactions; bad rows are named, the others are answered."""

    @extend_schema(request=shapes.BatchIn, responses=shapes.BatchOut)
    def post(self, request: Request) -> HttpResponse:
        return self.once(request, lambda given: self.answer(request, given))

    def answer(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        rows = rows_of(given, "transactions")
        results, errors = [], []
        for index, row in enumerate(rows):
            answer = attempt(request, row, f"/transactions/{index}")
            if isinstance(answer, Problem):
                errors.append({"index": index, **brief(answer)})
            else:
                results.append(words.predict(answer))
        return {"count": len(results), "results": results, "errors": errors}


class Score(Endpoint):
    """Decide one transaction and say which features moved the score."""

    @extend_schema(request=shapes.ScoreIn, responses=shapes.ScoreOut)
    def post(self, request: Request) -> HttpResponse:
        return self.once(request, lambda given: self.answer(request, given))

    def answer(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        name, explain = model_of(given), wants(given)
        row = with_id(member(given, "data"))
        return words.score(decided(request, row, explain=explain, at="/data"), name)


class ScoreBatch(Endpoint):
    """The same for a list; answers stand in the order of the rows."""

    @extend_schema(request=shapes.ScoreBatchIn, responses=shapes.ScoreOut(many=True))
    def post(self, request: Request) -> HttpResponse:
        return self.once(request, lambda given: self.answer(request, given))

    def answer(self, request: Request, given: dict[str, Any]) -> list[dict[str, Any]]:
        name, explain = model_of(given), wants(given)
        answers = []
        for index, row in enumerate(rows_of(given, "data")):
            answer = attempt(request, with_id(row), f"/data/{index}", explain=explain)
            broken = isinstance(answer, Problem)
            answers.append({"error": brief(answer)} if broken else words.score(answer, name))
        return answers


def read(request: Request, raw: bytes) -> dict[str, Any]:
    """The body as one JSON object."""
    kind = (request.content_type or "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(415, "unsupported_media_type", f"Send application/json, not {kind or '…'}.")
    given = strictjson.loads(raw)
    if not isinstance(given, dict):
        raise Problem(400, "not_an_object", "Send one JSON object.", pointer="")
    return given


def decided(
    request: Request, row: dict[str, Any], *, explain: bool = False, at: str = ""
) -> Answer:
    """Parse and decide; every wrong field is named with its pointer."""
    source = source_of(request)
    defaults = Defaults(source.currency, settings.BASE_CURRENCY, source.timezone, timezone.now())
    try:
        found = parse(row, defaults=defaults, mapping=source.mapping)
        answer = decide_one(found, source=source, record=row, explain=explain)
    except Invalid as invalid:
        errors = [
            {"pointer": f"{at}/{field}", "detail": f"{field} {reason}"}
            for field, reason in invalid.reasons.items()
        ]
        raise Problem(
            400, "invalid", str(invalid), pointer=errors[0]["pointer"], errors=errors
        ) from None
    except Conflicting as conflict:
        raise Problem(
            409, "conflicting_duplicate", str(conflict), pointer=f"{at}/transaction_id"
        ) from None
    count_mismatches(found.hints, answer.vector)
    return answer


def attempt(request: Request, row: Any, at: str, *, explain: bool = False) -> Answer | Problem:
    """One row of a batch: its problem is its own. Trouble of ours is everybody's."""
    if not isinstance(row, dict):
        return Problem(400, "not_an_object", "A row is a JSON object.", pointer=at)
    try:
        return decided(request, row, explain=explain, at=at)
    except Problem as problem:
        return problem


def brief(problem: Problem) -> dict[str, Any]:
    told = {"code": problem.code, "detail": problem.text, "pointer": problem.pointer}
    return told if problem.errors is None else {**told, "errors": problem.errors}


def count_mismatches(hints: dict[str, float], vector: dict[str, float]) -> None:
    """Our own features win; how often theirs differ is a figure somebody should look at."""
    for name, theirs in hints.items():
        ours = vector.get(name)
        if ours is not None and ours == ours and abs(ours - theirs) > 1e-6 * max(1.0, abs(ours)):
            MISMATCHES.labels(feature=name).inc()


def member(given: dict[str, Any], name: str) -> dict[str, Any]:
    if not isinstance(given.get(name), dict):
        raise Problem(400, "required", f"{name} is required: an object.", pointer=f"/{name}")
    return given[name]


def rows_of(given: dict[str, Any], name: str) -> list[Any]:
    rows = given.get(name)
    if not isinstance(rows, list):
        raise Problem(400, "required", f"{name} is required: a list.", pointer=f"/{name}")
    if len(rows) > MOST_ROWS:
        raise Problem(
            413,
            "too_many_rows",
            f"At most {MOST_ROWS:,} rows; send larger sets to /api/v1/ingest/files.",
            pointer=f"/{name}",
        )
    return rows


def with_id(row: Any) -> Any:
    """These endpoints promise no transaction id; without one each call is a transaction."""
    if isinstance(row, dict) and "transaction_id" not in row:
        return {**row, "transaction_id": f"score-{uuid.uuid4()}"}
    return row


def wants(given: dict[str, Any]) -> bool:
    value = given.get("include_explanations", False)
    if not isinstance(value, bool):
        raise Problem(400, "invalid", "true or false.", pointer="/include_explanations")
    return value


def model_of(given: dict[str, Any]) -> str:
    name = given.get("model_name", MODEL_NAME)
    if name != MODEL_NAME:
        raise Problem(404, "unknown_model", f"Served here: {MODEL_NAME}.", served=[MODEL_NAME])
    return str(name)


def source_of(request: Request) -> Source:
    """The source of the key, else the common one of REST."""
    key = getattr(request.user, "key", None)
    if key is not None and key.source is not None:
        return key.source
    return Source.objects.get_or_create(name=REST, defaults={"kind": Source.Kind.REST})[0]


def principal_of(request: Request) -> str:
    if not request.user.is_authenticated:
        return "open"
    key = getattr(request.user, "key", None)
    return f"key:{key.pk}" if key is not None else f"user:{request.user.pk}"


def _json(content: Any, status: int = 200, kind: str = "application/json") -> HttpResponse:
    return HttpResponse(json.dumps(content, allow_nan=False), status=status, content_type=kind)
