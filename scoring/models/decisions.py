"""What was decided, with what it was decided on."""

import uuid

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from anomalyshield.leases import Leased
from scoring.engine.decision import Level, Outcome
from scoring.models.transactions import Transaction


class DecisionPolicy(models.Model):
    """A version of the cut points, limits and rule thresholds. Rows are never edited."""

    version = models.PositiveIntegerField(unique=True)
    values = models.JSONField()  # engine.decision.Policy.as_dict()
    active = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["active"], condition=models.Q(active=True), name="one_active_policy"
            )
        ]

    def __str__(self) -> str:
        return _("policy {version}").format(version=self.version)


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Questions asked of decisions."""

    def reviewable(self) -> "DecisionQuerySet":
        return self.filter(reviewable=True)

    def unrouted(self) -> "DecisionQuerySet":
        return self.filter(reviewable=True, routed_at=None)

    def with_standing(self) -> "DecisionQuerySet":
        """With `standing`: APPROVED, HELD, RELEASED or DECLINED, as it is at this moment."""
        resolution = apps.get_model("scoring.Resolution").objects
        latest = resolution.filter(decision=models.OuterRef("pk")).order_by("-pk")
        never_held = models.When(outcome=Outcome.APPROVE, then=models.Value("APPROVED"))
        held = models.Case(never_held, default=models.Value("HELD"))
        said = models.Subquery(latest.values("state")[:1])
        return self.annotate(standing=Coalesce(said, held, output_field=models.CharField()))


class Decision(models.Model):
    """The one decision of a transaction, whichever version made it."""

    # Migrations 0034 and 0006 check these references, once per statement.
    transaction = models.OneToOneField(
        Transaction, models.PROTECT, related_name="decision", db_constraint=False
    )
    model = models.ForeignKey(
        "scoring.ModelVersion", models.PROTECT, null=True, db_constraint=False
    )
    policy = models.ForeignKey(DecisionPolicy, models.PROTECT, db_constraint=False, db_index=False)
    risk_score = models.FloatField()  # 0..1, engine/ensemble.py
    probability = models.FloatField(null=True)  # calibrated; null until labels suffice
    level = models.CharField(max_length=8, choices=[(level, level) for level in Level])
    outcome = models.CharField(max_length=8, choices=[(outcome, outcome) for outcome in Outcome])
    reason_codes = ArrayField(models.CharField(max_length=32), default=list)
    hits = models.JSONField(default=list)  # [{code, sentence, observed, limit}]
    degraded = models.CharField(max_length=200, blank=True)  # why, or empty
    reviewable = models.BooleanField(default=False)  # wants a person: outcome is not APPROVE
    known_at = models.DateTimeField()
    decided_at = models.DateTimeField(db_default=Now())
    routed_at = models.DateTimeField(null=True)  # set by whoever turned it into an alert

    objects = DecisionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(reviewable=True, routed_at=None),
                name="decision_unrouted",
            ),
            models.Index(fields=["level", "-id"], name="decision_level"),
            GinIndex(
                fields=["reason_codes"],
                condition=~models.Q(reason_codes=[]),
                name="decision_reasons",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.risk_score:.3f}"


class Snapshot(models.Model):
    """The vector a decision was made on. Partitioned by day, no foreign key: retention drops days.

    `vector` is the features in the order of `spec` as little-endian float64, bit for bit.
    """

    pk = models.CompositePrimaryKey("day", "transaction_id")
    day = models.DateField()
    transaction_id = models.BigIntegerField()
    spec = models.CharField(max_length=16)  # engine.features.spec_id()
    vector = models.BinaryField()

    class Meta:
        db_table = "scoring_snapshot"  # made by migration 0002 as PARTITION BY RANGE (day)

    def __str__(self) -> str:
        return f"vector of {self.transaction_id}"


class Explanation(Leased):
    """Contributions of a reviewable decision, computed after it, so their failure harms nothing.

    They are in log-odds and sum, with `base`, to `margin` within 1e-6.
    """

    decision = models.OneToOneField(Decision, models.CASCADE, related_name="explanation")
    model = models.ForeignKey("scoring.ModelVersion", models.PROTECT)
    base = models.FloatField(null=True)
    margin = models.FloatField(null=True)
    contributions = models.JSONField(null=True)  # {feature: log-odds}
    sentences = models.JSONField(default=list)  # [{feature, value, contribution, sentence}]
    counterfactual = models.JSONField(null=True)  # {state, ways, counts, sentence}

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                condition=models.Q(state__in=["READY", "RUNNING"]),
                name="explanation_due",
            )
        ]

    def __str__(self) -> str:
        return f"explanation of {self.decision_id}"


class ShadowScore(models.Model):
    """What a shadow version would have said. Never part of a decision."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    transaction = models.ForeignKey(Transaction, models.CASCADE)
    model = models.ForeignKey("scoring.ModelVersion", models.CASCADE)
    risk_score = models.FloatField(null=True)  # null: it failed
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["transaction", "model"], name="shadow_score_once")
        ]

    def __str__(self) -> str:
        return f"{self.model_id}: {self.risk_score}"
