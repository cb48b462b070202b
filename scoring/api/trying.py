"""What a payment would be answered now, for programs, with nothing stored."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from scoring import trying
from scoring.api import shapes, words
from scoring.api.endpoint import Endpoint
from scoring.api.rows import MODEL_NAME, wrong_fields
from scoring.api.scoring import declared
from scoring.engine.transaction import Invalid


class Try(Endpoint):
    """Score one payment as if it were sent, and store nothing: no decision, no alert."""

    @declared("tryPayment", shapes.TryIn, shapes.ScoreOut)
    def post(self, request: Request) -> HttpResponse:
        return self.dispatch(request)

    def answer(self, request: HttpRequest, given: dict[str, Any]) -> dict[str, Any]:
        try:
            return words.score(trying.try_one(given).answer, MODEL_NAME)
        except Invalid as invalid:
            raise wrong_fields(invalid) from None
