"""What programs read of alerts, and what they send."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers as s

from alerts.forms import NOTE_LENGTH, STATUSES
from alerts.models import Alert, Verdict
from anomalyshield.rest.shapes import (
    Flag,
    Listed,
    Moment,
    PaymentNumber,
    Person,
    Personal,
    Strict,
    Text,
    Whole,
)
from scoring import resolving
from scoring.api.explanations import ExplanationOut
from scoring.api.explanations import told as explanation_told
from scoring.engine.decision import Level, Outcome
from scoring.models import ListEntry

LEVELS = [str(level) for level in Level]


class AlertsAsked(Listed):
    """The filters of the queue."""

    status = s.ChoiceField(
        [value for value, _ in STATUSES if value], required=False, help_text="Without: open ones"
    )
    level = s.ChoiceField(LEVELS, required=False)
    queue = s.SlugField(max_length=80, required=False)
    reason = s.RegexField(r"^[A-Z0-9_]{1,32}$", required=False, help_text="Like HIGH_AMOUNT")
    suspected = s.ChoiceField(Alert.Typology.choices, required=False)
    user = s.CharField(
        max_length=200, required=False, help_text="Finds nothing where its value is masked"
    )
    mine = s.BooleanField(required=False, default=False)
    q = s.CharField(
        max_length=500,
        required=False,
        help_text="A search as on the page: amount>5000 reason:HIGH_AMOUNT -level:LOW A-12",
    )


class PutIn(Strict):
    """Who of this alert is put on which list, why and until when."""

    entity = s.ChoiceField(ListEntry.Entity.choices, help_text="That its payment names")
    kind = s.ChoiceField(ListEntry.Kind.choices)
    reason = Text(max_length=500)
    expires_at = Moment(
        required=False, allow_null=True, help_text="ALLOW needs one, at most 180 days away"
    )


class CertaintyIn(Strict):
    """How sure somebody is, and whether it was worth their time."""

    confidence = s.ChoiceField(
        Verdict.Confidence.choices, required=False, help_text="Without: FAIRLY"
    )
    worth_reviewing = Flag(
        required=False,
        allow_null=True,
        help_text="Whether the alert was worth looking at, whatever it was; null: not said",
    )


class DecisionIn(CertaintyIn):
    """What it was, and who goes on a list with it."""

    disposition = s.ChoiceField(Alert.VERDICTS)
    typology = s.ChoiceField(Alert.Typology.choices, required=False, help_text="If fraud")
    note = Text(max_length=NOTE_LENGTH, required=False)
    put = PutIn(many=True, required=False, help_text="On lists, in the same transaction")
    seen = Whole(
        min_value=1,
        max_value=2**31,
        required=False,
        help_text="The `hit_count` that was read: 409 if payments joined since",
    )


class ListingIn(Strict):
    """Who of this alert goes on a list, without deciding about it."""

    put = s.ListField(child=PutIn(), min_length=1, max_length=8)


class NoteIn(Strict):
    """Something to remember about it."""

    note = Text(max_length=NOTE_LENGTH)


class AlertRowOut(s.ModelSerializer):
    """An alert as a line of its queue."""

    name = s.CharField(source="__str__", help_text="A-17")
    queue = s.CharField(source="queue.slug")
    level = s.ChoiceField(LEVELS)
    user_id = Personal()
    transaction = s.IntegerField(source="transaction_id", help_text="/api/v1/transactions/{id}")
    decision = s.IntegerField(source="decision_id", help_text="For /api/v1/decisions/{id}")
    top_reason = s.CharField(help_text="Empty while nothing is explained")
    reason_codes = s.ListField(child=s.CharField())
    entity_kind = s.ChoiceField(Alert.Kind.values, help_text="What it is about")
    entity = Personal()
    suspected = s.ChoiceField(["", *Alert.Typology.values], help_text="Before anybody looked")
    hit_count = s.IntegerField(help_text="Payments in it")
    total = s.DecimalField(20, 4, help_text="Of all its payments, in the base currency")
    assignee = Person()
    snoozed_until = s.DateTimeField(allow_null=True, help_text="While it is set aside")
    disposition = s.ChoiceField(["", *Alert.Disposition.values])
    typology = s.ChoiceField(["", *Alert.Typology.values])
    closed_at = s.DateTimeField(allow_null=True)
    closed_by = Person()
    merged_into = s.IntegerField(
        source="merged_into_id", allow_null=True, help_text="Where its payments are now"
    )
    duplicate_of = s.IntegerField(
        source="duplicate_of_id", allow_null=True, help_text="The alert that says what it was"
    )

    class Meta:
        model = Alert
        fields = (
            "id", "name", "status", "queue", "level", "risk_score", "expected_loss", "amount",
            "currency", "user_id", "transaction", "decision", "reason_codes", "top_reason",
            "entity_kind", "entity", "suspected", "hit_count", "total", "first_event",
            "last_event", "last_hit_at", "assignee", "created_at", "due_at", "snoozed_until",
            "disposition", "typology", "closed_at", "closed_by", "merged_into",
            "duplicate_of",
        )  # fmt: skip


class PaymentOut(s.Serializer):
    """The payment behind it."""

    transaction_id = PaymentNumber(source="external_id")
    source = s.CharField(source="source.name")
    timestamp = s.DateTimeField(source="event_time")
    merchant = s.CharField(source="merchant_name")
    merchant_category = s.CharField()
    mcc = s.CharField()
    location = s.CharField()
    country = s.CharField()
    channel = s.CharField()
    card_id = Personal()
    device_id = Personal()
    state = s.SerializerMethodField(help_text="What became of it")

    def get_state(self, payment: Any) -> str:
        standing = resolving.standing(payment.decision)
        held = payment.decision.outcome != Outcome.APPROVE
        return str(standing.state) if standing else ("HELD" if held else "APPROVED")


class HitOut(s.Serializer):
    """One payment of an alert. The leading one, with the highest score, is `payment`."""

    transaction = s.IntegerField(source="transaction_id", help_text="/api/v1/transactions/{id}")
    decision = s.IntegerField(source="decision_id", help_text="For /api/v1/decisions/{id}")
    user_id = Personal()
    amount = s.DecimalField(18, 4)
    currency = s.CharField(source="transaction.currency")
    timestamp = s.DateTimeField(source="transaction.event_time")
    risk_score = s.FloatField(source="score")
    level = s.ChoiceField(LEVELS, source="decision.level")
    joined_at = s.DateTimeField(source="at")


class LabelBriefOut(s.Serializer):
    """What was said of it last."""

    value = s.CharField()
    origin = s.CharField()
    by = Person(source="labeller")
    known_at = s.DateTimeField()


class VerdictOut(s.ModelSerializer):
    """What somebody said it was."""

    by = Person()

    class Meta:
        model = Verdict
        fields = ("disposition", "confidence", "worth_reviewing", "by", "at", "behind")


class NoteOut(s.Serializer):
    """What someone wrote on it."""

    by = Person(source="author")
    text = s.CharField()
    at = s.DateTimeField()


class AlertOut(AlertRowOut):
    """An alert with everything to decide it."""

    payment = PaymentOut(source="transaction")
    payments = s.SerializerMethodField(help_text="All of it; a verdict is about each")
    hits = s.ListField(child=s.DictField(), source="decision.hits")
    degraded = s.CharField(source="decision.degraded", help_text="Why, or empty")
    explanation = s.SerializerMethodField(help_text="null: nobody asked for one")
    label = s.SerializerMethodField()
    verdict = s.SerializerMethodField(help_text="null while it is open")
    notes = s.SerializerMethodField()
    cases = s.SerializerMethodField()

    class Meta(AlertRowOut.Meta):
        fields = (
            *AlertRowOut.Meta.fields,
            "payment",
            "payments",
            "hits",
            "degraded",
            "explanation",
            "label",
            "verdict",
            "notes",
            "cases",
        )

    @extend_schema_field(HitOut(many=True))
    def get_payments(self, alert: Alert) -> Any:
        hits = alert.hits.select_related("transaction", "decision")
        return HitOut(hits, many=True, context=self.context).data

    @extend_schema_field(ExplanationOut(allow_null=True))
    def get_explanation(self, alert: Alert) -> Any:
        return explanation_told(getattr(alert.decision, "explanation", None))

    @extend_schema_field(LabelBriefOut(allow_null=True))
    def get_label(self, alert: Alert) -> Any:
        standing = alert.transaction.labels.standing().select_related("labeller").first()
        return LabelBriefOut(standing).data if standing else None

    @extend_schema_field(VerdictOut(allow_null=True))
    def get_verdict(self, alert: Alert) -> Any:
        standing = alert.verdicts.filter(undone_at=None).select_related("by").first()
        return VerdictOut(standing).data if standing else None

    @extend_schema_field(NoteOut(many=True))
    def get_notes(self, alert: Alert) -> Any:
        if self.context["hidden"]:
            return []
        return NoteOut(alert.notes.select_related("author"), many=True).data

    def get_cases(self, alert: Alert) -> list[int]:
        user = self.context["user"]
        if not user.may("case.view"):
            return []
        return [case.pk for case in alert.cases.visible_to(user)]


class ListedOut(s.Serializer):
    """What was put on lists."""

    entries = s.ListField(child=s.IntegerField(), help_text="For /api/v1/lists/{id}")
