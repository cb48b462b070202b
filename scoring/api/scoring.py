"""The scoring endpoints: one transaction or many, in, decided, out."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from anomalyshield.problems import Problem
from scoring import deciding
from scoring.api import shapes, words
from scoring.api.endpoint import Endpoint
from scoring.api.rows import decided, decided_all, member, model_of, rows_of, switch, with_id
from scoring.deciding import Answer
from scoring.engine.decision import Level

ONCE = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Repeated with the same body, the first answer is given again byte for byte",
)
REFUSALS = dict.fromkeys((409, 422, 429))  # besides those of every endpoint


def declared(name: str, request: Any, answer: Any, **more: Any) -> Any:
    """How the manual shows an endpoint."""
    return extend_schema(
        operation_id=name,
        request=request,
        responses={200: answer, **REFUSALS, **more},
        parameters=[ONCE],
    )


class Detect(Endpoint):
    """Decide one transaction: score, level, reasons and what to do."""

    @declared("detect", shapes.TransactionIn, shapes.DetectOut)
    def post(self, request: Request) -> HttpResponse:
        return self.dispatch(request)

    def answer(self, request: HttpRequest, given: dict[str, Any]) -> dict[str, Any]:
        wanted = switch(given, "include_explanations")
        given.pop("include_explanations", None)
        answer = decided(request, given)
        return words.detect(deciding.explain(answer) if wanted else answer, wanted)


class Predict(Endpoint):
    """Decide one transaction: score, type, confidence and an explanation in a sentence."""

    @declared("predict", shapes.TransactionIn, shapes.PredictOut)
    def post(self, request: Request) -> HttpResponse:
        return self.dispatch(request)

    def answer(self, request: HttpRequest, given: dict[str, Any]) -> dict[str, Any]:
        return words.predict(_explained(decided(request, given)))


class PredictBatch(Endpoint):
    """Decide up to 10,000 transactions; bad rows are named, the others are answered."""

    @declared("predictBatch", shapes.BatchIn, shapes.BatchOut)
    def post(self, request: Request) -> HttpResponse:
        return self.dispatch(request)

    def answer(self, request: HttpRequest, given: dict[str, Any]) -> dict[str, Any]:
        results, errors = [], []
        rows = rows_of(given, "transactions")
        for index, answer in enumerate(decided_all(request, rows, "/transactions")):
            if isinstance(answer, Problem):
                errors.append({"index": index, **brief(answer)})
            else:
                results.append(words.predict(_explained(answer)))
        return {"count": len(results), "results": results, "errors": errors}


class Score(Endpoint):
    """Decide one transaction and say which features moved the score."""

    @declared("score", shapes.ScoreIn, shapes.ScoreOut, **{"404": None})
    def post(self, request: Request) -> HttpResponse:
        return self.dispatch(request)

    def answer(self, request: HttpRequest, given: dict[str, Any]) -> dict[str, Any]:
        name, wanted = model_of(given), switch(given, "include_explanations")
        answer = decided(request, with_id(member(given, "data")), at="/data")
        return words.score(deciding.explain(answer) if wanted else answer, name)


class ScoreBatch(Endpoint):
    """The same for a list; answers stand in the order of the rows."""

    @declared("scoreBatch", shapes.ScoreBatchIn, shapes.ScoreRows, **{"404": None})
    def post(self, request: Request) -> HttpResponse:
        return self.dispatch(request)

    def answer(self, request: HttpRequest, given: dict[str, Any]) -> list[dict[str, Any]]:
        name, wanted = model_of(given), switch(given, "include_explanations")
        rows = [with_id(row) for row in rows_of(given, "data")]
        told = []
        for index, answer in enumerate(decided_all(request, rows, "/data")):
            if isinstance(answer, Problem):
                told.append({"index": index, "error": brief(answer)})
            else:
                told.append(words.score(deciding.explain(answer) if wanted else answer, name))
        return told


def _explained(answer: Answer) -> Answer:
    """Nothing speaks for fraud in a LOW score: only above that is it worth the time to say what."""
    return answer if answer.level == Level.LOW else deciding.explain(answer)


def brief(problem: Problem) -> dict[str, Any]:
    told = {"code": problem.code, "detail": problem.text, "pointer": problem.pointer}
    return told if problem.errors is None else {**told, "errors": problem.errors}
