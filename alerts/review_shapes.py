"""What programs say and read of second looks at verdicts."""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers as s

from alerts import agreement, blind
from alerts.api_shapes import AlertRowOut, CertaintyIn, HitOut, VerdictOut
from alerts.forms import NOTE_LENGTH
from alerts.models import Alert, Review, ReviewPolicy
from anomalyshield.rest.shapes import (
    Listed,
    Number,
    Person,
    Strict,
    Text,
    Whole,
)
from scoring.api.explanations import ExplanationOut
from scoring.api.explanations import told as explanation_told

WORDS = 2000
WRITTEN = re.compile(r"^[0-9]{1,16}(\.[0-9]{1,2})?$")


class Known(s.FloatField):
    """A number; null where there is none to be told."""

    def __init__(self, **more: Any) -> None:
        super().__init__(allow_null=True, **more)

    def to_representation(self, value: float) -> float | None:  # type: ignore[override]
        return None if value != value else float(value)


class ReviewsAsked(Listed):
    """Which reviews."""

    open = s.BooleanField(required=False, allow_null=True, default=None)
    outcome = s.ChoiceField(Review.Outcome.choices, required=False)
    mine = s.BooleanField(required=False, default=False, help_text="The caller's to answer")


class ReviewAnswerIn(CertaintyIn):
    """What it was, said without knowing what was said."""

    worth_reviewing = None
    disposition = s.ChoiceField(Alert.VERDICTS)
    typology = s.ChoiceField(Alert.Typology.choices, required=False, help_text="If fraud")
    note = Text(max_length=NOTE_LENGTH, required=False)


class BehindIn(Strict):
    """Where the next one is looked for."""

    behind = Whole(min_value=1, max_value=2**62, required=False, help_text="Begin after this one")


class ReviewWordsIn(Strict):
    """Why."""

    words = Text(max_length=WORDS)


class SettleIn(Strict):
    """Whether what was proposed is approved, and with which words."""

    approve = s.BooleanField()
    words = Text(max_length=WORDS, required=False)


class ReviewHandOverIn(Strict):
    """To whom."""

    to = Text(max_length=150, help_text="A user name")


@extend_schema_field(
    {"oneOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": WRITTEN.pattern}]}
)
class Amount(s.DecimalField):
    """A JSON number, or the digits as an answer gives them."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool) or (isinstance(data, str) and not WRITTEN.fullmatch(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


class SharesIn(Strict):
    """Which share of verdicts is drawn, from 0 to 1."""

    random_share = Number(min_value=0, max_value=1, help_text="Of all")
    large_share = Number(min_value=0, max_value=1, help_text="Of large amounts")
    unsure_share = Number(min_value=0, max_value=1, help_text="Of those somebody was unsure of")
    release_share = Number(min_value=0, max_value=1, help_text="Of blocked ones released")
    large_amount = Amount(18, 2, min_value=0, help_text="Base currency")
    due_hours = Whole(min_value=1, max_value=8760)
    sample_budget = Whole(
        min_value=0, max_value=1000, required=False, help_text="Payments below the line, a day"
    )
    model_budget = Whole(
        min_value=0, max_value=1000, required=False, help_text="Questions of the model, a day"
    )
    reason = Text(max_length=WORDS)


class SharesOut(s.ModelSerializer):
    """The shares in force."""

    made_by = Person()
    made_at = s.DateTimeField(allow_null=True, help_text="null: nobody has set any")

    class Meta:
        model = ReviewPolicy
        fields = (
            "random_share", "large_share", "unsure_share", "release_share", "large_amount",
            "due_hours", "sample_budget", "model_budget", "made_by", "made_at", "reason",
        )  # fmt: skip


class BlindAlertOut(AlertRowOut):
    """An alert as it lay before anybody decided it."""

    payments = s.SerializerMethodField()
    hits = s.ListField(child=s.DictField(), source="decision.hits")
    explanation = s.SerializerMethodField(help_text="null: nobody asked for one")

    class Meta(AlertRowOut.Meta):
        fields = (*AlertRowOut.Meta.fields, "payments", "hits", "explanation")

    @extend_schema_field(HitOut(many=True))
    def get_payments(self, alert: Alert) -> Any:
        hits = alert.hits.select_related("transaction", "decision")
        return HitOut(hits, many=True, context=self.context).data

    @extend_schema_field(ExplanationOut(allow_null=True))
    def get_explanation(self, alert: Alert) -> Any:
        return explanation_told(getattr(alert.decision, "explanation", None))


class ReviewRowOut(s.ModelSerializer):
    """A second look. What was decided, and by whom, is null until it is answered."""

    name = s.CharField(source="__str__", help_text="R-17")
    queue = s.CharField(source="alert.queue.slug")
    alert = s.SerializerMethodField(help_text="null for all but the reviewer while it waits")
    reviewer = Person()
    decided_by = s.SerializerMethodField()
    verdict = s.SerializerMethodField()
    said = s.ChoiceField(["", *Alert.Disposition.values])
    outcome = s.ChoiceField(["", *Review.Outcome.values])
    note = s.CharField(help_text="Of the reviewer")
    corrections = s.SerializerMethodField(help_text="Proposed by it")
    settled_by = Person()

    class Meta:
        model = Review
        fields = (
            "id", "name", "queue", "alert", "why", "risks", "chance", "drawn_at", "due_at",
            "reviewer", "said", "typology", "confidence", "note", "answered_at", "agreed",
            "decided_by", "verdict", "outcome", "corrections", "settled_at", "settled_by", "words",
        )  # fmt: skip

    def get_alert(self, review: Review) -> int | None:
        own = review.is_before(self.context["user"])
        return review.alert_id if own or not review.is_open else None

    def get_decided_by(self, review: Review) -> str | None:
        return None if review.is_open else review.decided_by.get_username()

    @extend_schema_field(VerdictOut(allow_null=True))
    def get_verdict(self, review: Review) -> Any:
        return None if review.is_open else VerdictOut(review.verdict).data

    def get_corrections(self, review: Review) -> list[int]:
        return [one.pk for one in review.corrections.all()]


class ReviewOut(ReviewRowOut):
    """With what the reviewer sees while it waits."""

    facts = s.SerializerMethodField(help_text="For the reviewer, until it is answered; else null")
    notes = s.SerializerMethodField(help_text="Written before the verdict; the same")

    class Meta(ReviewRowOut.Meta):
        fields = (*ReviewRowOut.Meta.fields, "facts", "notes")

    @extend_schema_field(BlindAlertOut(allow_null=True))
    def get_facts(self, review: Review) -> Any:
        if not self._theirs(review):
            return None
        return BlindAlertOut(blind.undecided(review.alert), context=self.context).data

    @extend_schema_field(s.ListField(child=s.CharField(), allow_null=True))
    def get_notes(self, review: Review) -> Any:
        return blind.notes_of(review) if self._theirs(review) else None

    def _theirs(self, review: Review) -> bool:
        return review.is_open and review.is_before(self.context["user"])


class AgreementAsked(Strict):
    """Over which time."""

    days = s.IntegerField(min_value=1, max_value=3650, default=90, required=False)


class KappaOut(s.Serializer):
    """Cohen's kappa of the labels two people gave; null where chance alone would always agree."""

    cases = s.IntegerField()
    observed = Known(help_text="Share that said the same")
    expected = Known(help_text="By chance")
    kappa = Known()
    low = Known(help_text="Of its 95 % interval")
    high = Known()


class ShareOut(s.Serializer):
    """A share with its 95 % interval (Wilson)."""

    found = s.IntegerField()
    of = s.IntegerField()
    low = s.FloatField()
    high = s.FloatField()


class AgreementLineOut(s.Serializer):
    """A group of reviews."""

    name = s.CharField()
    agreed = ShareOut()
    overturned = ShareOut(help_text="Of those settled")


class AgreementOut(s.Serializer):
    """How far two people agree who look at the same alert."""

    days = s.IntegerField()
    reviews = s.IntegerField()
    at_random = KappaOut()
    all = KappaOut()
    table = s.SerializerMethodField(help_text="First said → said then → how often")
    outside = ShareOut(
        help_text="Payments verdicts called genuine: frauds by chargebacks or other reports"
    )
    overturned = s.ListField(
        child=Known(), help_text="Of all verdicts, estimated: value, low, high"
    )
    groups = s.DictField(child=AgreementLineOut(many=True), help_text="By name, never by figure")

    @extend_schema_field(s.DictField(child=s.DictField(child=s.IntegerField())))
    def get_table(self, found: agreement.Figures) -> dict[str, dict[str, int]]:
        return {first: dict(zip(found.heads, counts, strict=True)) for first, counts in found.table}

    def to_representation(self, found: agreement.Figures) -> dict[str, Any]:
        told: dict[str, Any] = super().to_representation(found)
        told["groups"] = {
            name: AgreementLineOut(lines, many=True).data for name, lines in found.groups.items()
        }
        return told
