"""What was decided, for programs: recent anomalies, and one transaction as it was scored."""

from heapq import merge
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from anomalyshield.audit.record import record
from anomalyshield.rest.shapes import Strict
from anomalyshield.templatetags.words import masked_if
from scoring import personal
from scoring.api.explanations import ExplanationOut
from scoring.api.explanations import told as explained
from scoring.engine.decision import Level
from scoring.engine.keys import entity_key
from scoring.models import Decision, Explanation, Transaction
from scoring.privacy import own_source, sees_numbers, sees_people, sees_user_of, user_of
from scoring.views.transactions import vector_of
from scoring.withheld import readable

PAGE = 50
ANOMALOUS = [Level.HIGH, Level.CRITICAL]
FILTERS = {"from": "transaction__event_time__gte", "to": "transaction__event_time__lt"}


class Asked(Strict):
    """The filters of a list of anomalies."""

    user = s.CharField(max_length=128, required=False)
    risk_level = s.ChoiceField([str(level) for level in Level], required=False)
    cursor = s.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    limit = s.IntegerField(min_value=1, max_value=200, default=PAGE, required=False)

    def get_fields(self) -> dict[str, s.Field]:
        # `from` is a word of Python, so it cannot be declared above.
        times = {name: s.DateTimeField(required=False) for name in FILTERS}
        return {**super().get_fields(), **times}


class AnomalyOut(s.Serializer):
    id = s.IntegerField(help_text="For /api/v1/transactions/{id}")
    transaction_id = s.CharField()
    user_id = s.CharField()
    amount = s.DecimalField(max_digits=18, decimal_places=4)
    currency = s.CharField()
    timestamp = s.DateTimeField()
    risk_score = s.FloatField()
    risk_level = s.CharField()
    reason_codes = s.ListField(child=s.CharField())
    recommendation = s.CharField()
    model_version = s.CharField()
    degraded = s.BooleanField()


class AnomaliesOut(s.Serializer):
    results = AnomalyOut(many=True)
    next = s.IntegerField(allow_null=True, help_text="The cursor of the next page")


class TransactionOut(AnomalyOut):
    features = s.DictField(child=s.FloatField(allow_null=True), help_text="As scored")
    hits = s.ListField(child=s.DictField())
    contributions = s.DictField(child=s.FloatField(), allow_null=True, help_text="Log-odds")
    explanation = ExplanationOut(allow_null=True)
    policy_version = s.IntegerField()
    decided_at = s.DateTimeField()
    labels = s.ListField(child=s.DictField())


class Anomalies(APIView):
    """Recent anomalies by user, risk level or time window, latest decision first."""

    action = "transaction.view"

    @extend_schema(
        operation_id="listAnomalies",
        parameters=[
            OpenApiParameter("user", str),
            OpenApiParameter("risk_level", str, enum=[str(level) for level in Level]),
            OpenApiParameter("from", str, description="ISO 8601"),
            OpenApiParameter("to", str, description="ISO 8601"),
            OpenApiParameter("cursor", int),
            OpenApiParameter("limit", int),
        ],
        responses=AnomaliesOut,
    )
    def get(self, request: Request) -> Response:
        asked = Asked(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        limit = asked.validated_data["limit"]
        rows = found(asked.validated_data, request.user)
        more = rows[limit - 1].pk if len(rows) > limit else None
        return Response(
            {"results": [told(row, request.user) for row in rows[:limit]], "next": more}
        )


class OneTransaction(APIView):
    """One transaction with the features, hits and contributions it was decided on."""

    action = "transaction.view"

    @extend_schema(operation_id="readTransaction", responses=TransactionOut)
    def get(self, request: Request, pk: int) -> Response:
        decision = decisions().filter(transaction_id=pk).first()
        if decision is None:
            raise Http404("There is no such transaction, or it is not decided yet.")
        if sees_user_of(request.user, decision.transaction.source_id):
            record(by=request.user, action="data.read", object=decision.transaction)
        return Response(told(decision, request.user) | details(decision, request.user))


def decisions() -> QuerySet[Decision]:
    return Decision.objects.select_related("transaction", "model", "policy")


def found(asked: dict[str, Any], asker: Any) -> list[Decision]:
    """One row more than a page. Each level has an index in this order, so they are merged."""
    rows = decisions().order_by("-pk")
    if "user" in asked:
        user, own = asked["user"], own_source(asker)
        names = personal.called(user)
        keys = [entity_key(one) for one in names]
        rows = rows.filter(transaction__user_key__in=keys, transaction__user_id__in=names)
        if not sees_people(asker):  # asking for a masked value and seeing rows would confirm it
            rows = rows.filter(transaction__source=own) if own else rows.none()
    if "cursor" in asked:
        rows = rows.filter(pk__lt=asked["cursor"])
    rows = rows.filter(**{FILTERS[name]: asked[name] for name in FILTERS if name in asked})
    levels = [asked["risk_level"]] if "risk_level" in asked else ANOMALOUS
    wanted = asked["limit"] + 1
    parts = [rows.filter(level=level)[:wanted] for level in levels]
    return list(islice(merge(*parts, key=lambda row: row.pk, reverse=True), wanted))


def told(decision: Decision, user: Any) -> dict[str, Any]:
    """One decided payment, as this person or machine may read it."""
    payment: Transaction = decision.transaction
    return {
        "id": payment.pk,
        "transaction_id": masked_if(payment.external_id, not sees_numbers(user)),
        "user_id": user_of(payment, user),
        "amount": str(payment.amount),
        "currency": payment.currency,
        "timestamp": payment.event_time,
        "risk_score": decision.risk_score,
        "risk_level": decision.level,
        "reason_codes": decision.reason_codes,
        "recommendation": decision.outcome,
        "model_version": str(decision.model or ""),
        "degraded": bool(decision.degraded),
    }


def details(decision: Decision, user: Any) -> dict[str, Any]:
    """What was kept with the decision; nothing of it is computed again."""
    explanation = Explanation.objects.filter(decision=decision).first()
    return {
        "features": {feature.name: value for feature, value in vector_of(decision)[0]},
        "hits": decision.hits,
        "contributions": explanation.contributions if explanation else None,
        "explanation": explained(explanation),
        "policy_version": decision.policy.version,
        "decided_at": decision.decided_at,
        "labels": [
            {"value": label.value, "origin": label.origin, "known_at": label.known_at}
            for label in readable(decision.transaction.labels.order_by("known_at"), user)
        ],
    }
