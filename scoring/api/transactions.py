"""Transactions found by what one knows of them, for programs."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.rest.paging import paged, unreadable
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, PaymentNumber, page
from scoring.engine.decision import Level, Outcome
from scoring.models import Transaction
from scoring.privacy import user_of
from scoring.views.transactions import cursor_of, found, read_cursor

LEVELS = [str(level) for level in Level]


class SearchAsked(Listed):
    """What one may know of a transaction."""

    q = s.CharField(
        max_length=128,
        required=False,
        help_text="Its id, or its user; a user is found where their value is not masked",
    )
    since = s.DateTimeField(required=False)
    until = s.DateTimeField(required=False)
    level = s.ChoiceField(LEVELS, required=False)


class OutcomeOut(s.Serializer):
    """What was decided about it."""

    decision = s.IntegerField(source="pk", help_text="For /api/v1/decisions/{id}")
    risk_score = s.FloatField()
    risk_level = s.ChoiceField(LEVELS, source="level")
    recommendation = s.ChoiceField([str(outcome) for outcome in Outcome], source="outcome")
    reason_codes = s.ListField(child=s.CharField())
    degraded = s.CharField(help_text="Why, or empty")


class TransactionRowOut(s.Serializer):
    """A transaction as a line of a search."""

    id = s.IntegerField(help_text="For /api/v1/transactions/{id}")
    transaction_id = PaymentNumber(source="external_id")
    source = s.CharField(source="source.name")
    user_id = s.SerializerMethodField(help_text="Its ends only, for those who may not read it")
    amount = s.DecimalField(max_digits=18, decimal_places=4)
    currency = s.CharField()
    timestamp = s.DateTimeField(source="event_time")
    merchant = s.CharField(source="merchant_name")
    decided = s.SerializerMethodField(help_text="null: not decided yet")

    def get_user_id(self, row: Transaction) -> str:
        return user_of(row, self.context["user"])

    @extend_schema_field(OutcomeOut(allow_null=True))
    def get_decided(self, row: Transaction) -> Any:
        decision = getattr(row, "decision", None)
        return OutcomeOut(decision).data if decision else None


class Transactions(Resource):
    """The transactions."""

    @does("findTransactions", "transaction.view", page(TransactionRowOut), asked=SearchAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Transactions by id, user, time and level, latest event first."""
        limit, cursor = asked.pop("limit"), asked.pop("cursor", "")
        if cursor and read_cursor(cursor) is None:
            unreadable()
        rows = found({**asked, "before": cursor}, request.user)
        return paged(list(rows[: limit + 1]), limit, cursor_of)
