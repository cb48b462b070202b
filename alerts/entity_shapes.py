"""What programs read of a user, card, device or merchant."""

from typing import Any

from rest_framework import serializers as s

from alerts.forms import NOTE_LENGTH
from alerts.models import Alert, EntityNote
from anomalyshield.rest.shapes import PaymentNumber, Person, Personal, Strict, Text
from anomalyshield.templatetags.words import masked_if
from scoring.models import ListEntry


class WindowOut(s.Serializer):
    """The days up to its last payment."""

    days = s.IntegerField()
    payments = s.IntegerField(source="count")
    amount = s.FloatField(help_text="In the base currency")
    at_least = s.BooleanField(help_text="There are more payments than were looked at")
    usual = s.FloatField(allow_null=True, help_text="Payments in as many days before; null: none")


class SharedOut(s.Serializer):
    """Something it paid with, at or to."""

    value = s.SerializerMethodField(help_text="Its ends only, for those who may not read it")
    payments = s.IntegerField(source="count")
    share = s.FloatField()

    def get_value(self, one: Any) -> str:
        personal = one.kind not in {"merchant", "place"}
        return masked_if(one.value, self.context["hidden"] and personal)


class UsualOut(s.Serializer):
    """The most frequent of one kind."""

    kind = s.ChoiceField([*Alert.Kind.values, "place"])
    count = s.IntegerField(help_text="How many different ones")
    most = SharedOut(many=True)


class BaselineOut(s.Serializer):
    """What is usual for it; amounts in the base currency."""

    payments = s.IntegerField(help_text="That were looked at")
    at_least = s.BooleanField(help_text="There are more")
    median = s.FloatField()
    p90 = s.FloatField()
    usual_hours = s.CharField(help_text="08–19: four of five of its payments")
    hours = s.ListField(child=s.IntegerField(), help_text="Payments per hour of the day")
    usual = s.SerializerMethodField()

    def get_usual(self, told: Any) -> UsualOut(many=True):  # type: ignore[valid-type]
        rows = [{"kind": k, "count": n, "most": most} for k, n, most in told.shares]
        return UsualOut(rows, many=True, context=self.context).data


class MeasureOut(s.Serializer):
    """One figure of thirty days beside the peers'."""

    name = s.CharField()
    value = s.FloatField()
    median = s.FloatField()
    p10 = s.FloatField()
    p90 = s.FloatField()
    higher_than = s.FloatField(help_text="Share of the peers; those equal count half")


class PeersOut(s.Serializer):
    """Others of its kind that pay about as often: a sample."""

    count = s.IntegerField()
    measures = MeasureOut(many=True, help_text="None: too few peers")


class KnownFraudOut(s.Serializer):
    """A payment of it that is called fraud."""

    transaction = s.IntegerField(help_text="For /api/v1/transactions/{id}")
    event_time = s.DateTimeField()
    amount = s.FloatField(help_text="In the base currency")
    known_at = s.DateTimeField(help_text="Since when that is known")


class EntityEntryOut(s.ModelSerializer):
    """An entry of the lists about it; /api/v1/lists/{id} says more."""

    class Meta:
        model = ListEntry
        fields = ("id", "kind", "state", "expires_at")


class EntityAlertOut(s.ModelSerializer):
    """An alert about it, in a queue the caller sees."""

    name = s.CharField(source="__str__", help_text="A-12")
    closed_by = Person()

    class Meta:
        model = Alert
        fields = (
            "id", "name", "level", "risk_score", "suspected", "status", "disposition", "typology",
            "created_at", "closed_at", "closed_by",
        )  # fmt: skip


class EntityPaymentOut(s.Serializer):
    """A payment of it."""

    id = s.IntegerField(source="pk", help_text="For /api/v1/transactions/{id}")
    transaction_id = PaymentNumber(source="external_id")
    timestamp = s.DateTimeField(source="event_time")
    amount = s.DecimalField(max_digits=18, decimal_places=4)
    currency = s.CharField()
    user_id = Personal()
    merchant = s.CharField(source="merchant_name")
    place = s.CharField()
    risk_score = s.FloatField(source="score", allow_null=True, help_text="null: not decided yet")
    risk_level = s.CharField(source="level", allow_null=True)


class EntityOut(s.Serializer):
    """A user, card, device or merchant: what is usual, and what is known."""

    kind = s.ChoiceField(Alert.Kind.choices, source="entity.kind")
    value = s.CharField(source="entity.value")
    first_seen = s.DateTimeField(source="baseline.first")
    last_seen = s.DateTimeField(source="baseline.last")
    windows = WindowOut(many=True, source="baseline.windows")
    baseline = BaselineOut()
    peers = PeersOut()
    known_frauds = KnownFraudOut(many=True, source="frauds")
    lists = EntityEntryOut(many=True, source="entries")
    outcomes = s.DictField(child=s.IntegerField(), help_text="Disposition, or `open`, → alerts")
    alerts = EntityAlertOut(many=True)
    more_alerts = s.CharField(help_text="Send it as `alerts_before`; empty on the last page")
    payments = EntityPaymentOut(many=True)
    more_payments = s.CharField(help_text="Send it as `before`; empty on the last page")


class EntityAsked(Strict):
    """Which page of its alerts and of its payments."""

    before = s.CharField(max_length=80, required=False, help_text="`more_payments` as it was given")
    alerts_before = s.CharField(
        max_length=20, required=False, help_text="`more_alerts` as it was given"
    )


class EntityNoteIn(Strict):
    """What everyone who meets it should know."""

    note = Text(max_length=NOTE_LENGTH)


class EntityNoteOut(s.ModelSerializer):
    """A note pinned to it."""

    text = s.SerializerMethodField(help_text="Empty: taken back")
    author = Person()
    retracted_by = Person()

    class Meta:
        model = EntityNote
        fields = ("id", "text", "author", "at", "retracted_at", "retracted_by")

    def get_text(self, note: EntityNote) -> str:
        return "" if note.retracted_at else note.text
