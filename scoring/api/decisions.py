"""One decision for programs: what was decided, how it stands now, and every step between."""

import hashlib
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers as s
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from anomalyshield.templatetags.words import masked_if
from scoring.models import Decision, Resolution
from scoring.privacy import sees_numbers
from scoring.withheld import withheld


class StepOut(s.Serializer):
    sequence = s.IntegerField(help_text="Counts from 1; the highest holds")
    state = s.ChoiceField(Resolution.State.values)
    at = s.DateTimeField()
    by = s.CharField(help_text="The user name; empty: the installation")
    behind = s.CharField(help_text="The alert, or the case that closed it")
    reason = s.CharField(allow_null=True, help_text="The label given with it")
    reversal = s.BooleanField(help_text="Takes back the step before")


class OriginalOut(s.Serializer):
    outcome = s.CharField()
    risk_level = s.CharField()
    risk_score = s.FloatField()
    reason_codes = s.ListField(child=s.CharField())
    degraded = s.BooleanField()
    model_version = s.CharField()
    policy_version = s.IntegerField()
    decided_at = s.DateTimeField()


class DecisionOut(s.Serializer):
    decision = s.IntegerField()
    transaction = s.IntegerField(help_text="For /api/v1/transactions/{id}")
    transaction_id = s.CharField(help_text="As its source called it")
    source = s.CharField()
    state = s.ChoiceField(["APPROVED", *Resolution.State.values], help_text="As it stands now")
    original = OriginalOut()
    resolutions = StepOut(many=True)


class OneDecision(APIView):
    """The original decision, its current state, and the steps people took, in their order."""

    action = "transaction.view"

    @extend_schema(
        operation_id="readDecision",
        parameters=[OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER)],
        responses={200: DecisionOut, 304: None},
    )
    def get(self, request: Request, pk: int) -> Response:
        found = Decision.objects.with_standing().select_related(
            "transaction__source", "model", "policy"
        )
        decision = found.filter(pk=pk).first()
        if decision is None or withheld(decision.transaction_id, request.user):
            raise Http404("There is no such decision.")
        told = shown(decision, hidden=not sees_numbers(request.user))
        etag = etag_of(told)
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if etag in [one.strip() for one in request.headers.get("If-None-Match", "").split(",")]:
            return Response(status=304, headers=headers)
        return Response(told, headers=headers)


def shown(decision: Decision, *, hidden: bool) -> dict[str, Any]:
    """The answer; of the transaction only what its sender knows."""
    steps = decision.resolutions.select_related("by").order_by("pk")
    return {
        "decision": decision.pk,
        "transaction": decision.transaction_id,
        "transaction_id": masked_if(decision.transaction.external_id, hidden),
        "source": decision.transaction.source.name,
        "state": decision.standing,
        "original": {
            "outcome": decision.outcome,
            "risk_level": decision.level,
            "risk_score": decision.risk_score,
            "reason_codes": decision.reason_codes,
            "degraded": bool(decision.degraded),
            "model_version": str(decision.model or ""),
            "policy_version": decision.policy.version,
            "decided_at": decision.decided_at,
        },
        "resolutions": [_step(number, step) for number, step in enumerate(steps, 1)],
    }


def _step(number: int, step: Resolution) -> dict[str, Any]:
    return {
        "sequence": number,
        "state": step.state,
        "at": step.at,
        "by": step.by.get_username() if step.by else "",
        "behind": step.behind,
        "reason": step.reason or None,
        "reversal": step.is_reversal,
    }


def etag_of(told: dict[str, Any]) -> str:
    """Changes with what is told, and with nothing else."""
    return f'"{hashlib.sha256(JSONRenderer().render(told)).hexdigest()[:32]}"'
