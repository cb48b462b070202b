"""Inputs and outputs of the scoring endpoints, as the API's manual shows them.

What is checked is checked by `engine.transaction.parse`, for every door alike; these declare it.
"""

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers as s

DECISION = "For /api/v1/decisions/{id}"


class TransactionIn(s.Serializer):
    transaction_id = s.CharField(max_length=128)
    user_id = s.CharField(max_length=128, help_text="Also as entity_id")
    amount = s.DecimalField(max_digits=18, decimal_places=4)
    currency = s.CharField(max_length=3, required=False)
    timestamp = s.CharField(required=False, help_text="ISO 8601; without a zone it is UTC")
    card_id = s.CharField(max_length=128, required=False)
    device_id = s.CharField(max_length=128, required=False)
    merchant = s.CharField(max_length=200, required=False)
    merchant_category = s.CharField(max_length=100, required=False)
    mcc = s.CharField(max_length=4, required=False)
    location = s.CharField(max_length=200, required=False)
    country = s.CharField(max_length=2, required=False)
    latitude = s.FloatField(required=False)
    longitude = s.FloatField(required=False)
    channel = s.CharField(max_length=32, required=False)
    is_online = s.BooleanField(required=False)
    time_of_day = s.CharField(required=False, help_text='"23:45", instead of a timestamp')
    include_explanations = s.BooleanField(required=False, help_text="On /detect only")


class TryIn(TransactionIn):
    """A payment that has no id, because it is not one."""

    transaction_id = None
    include_explanations = None


class DetectOut(s.Serializer):
    transaction_id = s.CharField()
    risk_score = s.FloatField(min_value=0, max_value=1)
    risk_level = s.ChoiceField(["LOW", "MEDIUM", "HIGH", "CRITICAL"])
    reason_codes = s.ListField(child=s.CharField())
    recommendation = s.ChoiceField(["APPROVE", "REVIEW", "BLOCK"])
    decision_id = s.IntegerField(help_text=DECISION)
    request_id = s.CharField()
    model_version = s.CharField()
    degraded = s.BooleanField()
    degraded_reason = s.CharField()


class PredictOut(s.Serializer):
    transaction_id = s.CharField()
    anomaly_score = s.FloatField()
    anomaly_type = s.CharField()
    confidence = s.FloatField()
    explanation = s.CharField()
    processing_time_ms = s.FloatField()
    timestamp = s.CharField()
    is_anomaly = s.BooleanField()
    risk_level = s.CharField(help_text="In lower case")
    reason_codes = s.ListField(child=s.CharField())
    recommendation = s.CharField()
    decision_id = s.IntegerField(help_text=DECISION)
    model_version = s.CharField()
    degraded = s.BooleanField()


class RefusalOut(s.Serializer):
    """Why a row was refused."""

    code = s.CharField()
    detail = s.CharField()
    pointer = s.CharField(allow_null=True)
    errors = s.ListField(child=s.DictField(), required=False)


class RowError(RefusalOut):
    """The same, with the place of the row."""

    index = s.IntegerField()


class BatchIn(s.Serializer):
    transactions = TransactionIn(many=True)


class BatchOut(s.Serializer):
    count = s.IntegerField()
    results = PredictOut(many=True)
    errors = RowError(many=True)


class ScoreIn(s.Serializer):
    data = TransactionIn()
    model_name = s.CharField(required=False)
    include_explanations = s.BooleanField(required=False)


class ScoreBatchIn(s.Serializer):
    data = TransactionIn(many=True)
    model_name = s.CharField(required=False)
    include_explanations = s.BooleanField(required=False)


class ServedModel(s.Serializer):
    name = s.CharField()
    version = s.CharField()


class Factor(s.Serializer):
    feature = s.CharField()
    value = s.FloatField(allow_null=True)
    contribution = s.FloatField(help_text="Log-odds")
    direction = s.ChoiceField(["raises", "lowers"])


class ScoreOut(s.Serializer):
    request_id = s.CharField()
    transaction_id = s.CharField()
    entity_id = s.CharField()
    score = s.FloatField()
    probability = s.FloatField(allow_null=True)
    risk_level = s.CharField()
    is_anomaly = s.BooleanField()
    model = ServedModel()
    reason_codes = s.ListField(child=s.CharField())
    recommendation = s.CharField()
    decision_id = s.IntegerField(allow_null=True, help_text=f"{DECISION}; null: only tried")
    explanations = Factor(many=True)
    explanation_base = s.FloatField(required=False, help_text="Log-odds")
    explanation_rest = s.FloatField(required=False, help_text="What the others add up to")
    explanation_margin = s.FloatField(required=False, help_text="Base, contributions and rest")
    degraded = s.BooleanField()
    degraded_reason = s.CharField()
    latency_ms = s.FloatField()


class RefusedRowOut(s.Serializer):
    """A row that could not be scored, where its answer would stand."""

    index = s.IntegerField()
    error = RefusalOut()


ScoreRows = PolymorphicProxySerializer(
    component_name="ScoreRow",
    serializers=[ScoreOut, RefusedRowOut],
    resource_type_field_name=None,
    many=True,
)
