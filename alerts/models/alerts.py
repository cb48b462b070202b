"""Alerts: payments of one entity that look like one kind of fraud and want a person."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from alerts.models.alert_questions import AlertQuerySet
from alerts.models.queues import Queue
from alerts.models.routes import Route
from anomalyshield.templatetags.words import within
from scoring.models import Decision, Transaction


class Alert(models.Model):
    """Payments of one entity that look like one kind of fraud, in one queue.

    What stands on it of a payment (amount, score, reasons …) is of its leading one, the one with
    the highest score. Closed only together with a label for each of its payments.
    """

    URGENCY = ("-urgency", "due_at", "id")
    MOST = 100  # payments in one alert: a verdict labels all of them in one transaction

    class Status(models.TextChoices):
        NEW = "NEW", _("New")
        ASSIGNED = "ASSIGNED", _("Assigned")
        SNOOZED = "SNOOZED", _("Snoozed")  # until a moment; its clock runs on
        PENDING_INFO = (
            "PENDING_INFO",
            _("Pending Info"),
        )  # the customer is asked: snoozed, and its clock stands still
        ESCALATED = "ESCALATED", _("Escalated")
        MERGED = "MERGED", _("Merged")  # its payments are in another alert now
        CLOSED = "CLOSED", _("Closed")

    ASLEEP = (Status.SNOOZED, Status.PENDING_INFO)
    DONE = (Status.CLOSED, Status.MERGED)
    MOVABLE = (Status.NEW, Status.ASSIGNED)  # its payments, into another alert

    class Disposition(models.TextChoices):
        TRUE_POSITIVE_FRAUD = "TRUE_POSITIVE_FRAUD", _("Fraud")
        TRUE_POSITIVE_AML = "TRUE_POSITIVE_AML", _("Money laundering")
        BENIGN_POSITIVE = "BENIGN_POSITIVE", _("Unusual but explained")
        FALSE_POSITIVE = "FALSE_POSITIVE", _("Legitimate")
        INCONCLUSIVE = "INCONCLUSIVE", _("Inconclusive")
        POLICY_VIOLATION = "POLICY_VIOLATION", _("Policy violation")
        TEST = "TEST", _("Test of our own")
        DUPLICATE = "DUPLICATE", _("Duplicate")  # of another alert, which says what it was

    # What somebody says of an alert by itself: a duplicate is said of two.
    VERDICTS = tuple(filter(lambda one: one[0] != "DUPLICATE", Disposition.choices))

    class Typology(models.TextChoices):
        CARD_TESTING = "CARD_TESTING", _("Card testing")
        ACCOUNT_TAKEOVER = "ACCOUNT_TAKEOVER", _("Account takeover")
        STOLEN_CARD = "STOLEN_CARD", _("Stolen card or details")
        SCAM = "SCAM", _("Scam, authorised by the victim")
        MULE = "MULE", _("Mule or layering")
        STRUCTURING = "STRUCTURING", _("Structuring")
        FIRST_PARTY = "FIRST_PARTY", _("First-party fraud")
        BUST_OUT = "BUST_OUT", _("Bust-out")
        SYNTHETIC_IDENTITY = "SYNTHETIC_IDENTITY", _("Synthetic identity")
        MERCHANT_COLLUSION = "MERCHANT_COLLUSION", _("Merchant collusion")

    class Kind(models.TextChoices):
        USER = "user", _("Customer")
        CARD = "card", _("Card")
        DEVICE = "device", _("Device")
        MERCHANT = "merchant", _("Merchant")

    # The leading one. That it leads no other open or decided alert follows from its unique hit.
    decision = models.ForeignKey(Decision, models.PROTECT, related_name="leads")
    transaction = models.ForeignKey(Transaction, models.PROTECT, related_name="leads")
    # The indexes below begin with the same columns.
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="alerts", db_index=False)
    route = models.ForeignKey(Route, models.PROTECT, null=True, related_name="alerts")
    entity_kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.USER)
    entity = models.CharField(max_length=200)
    suspected = models.CharField(max_length=24, choices=Typology.choices, blank=True)
    # Of queue, entity and suspicion: what joins it. Zero: nothing does, grouping is off.
    group_key = models.BigIntegerField(default=0)
    hit_count = models.PositiveIntegerField(default=1)
    total = models.DecimalField(max_digits=20, decimal_places=4)  # of all, in the base currency
    first_event = models.DateTimeField()  # of its payments, in their own time
    last_event = models.DateTimeField()
    last_hit_at = models.DateTimeField(db_default=Now())  # when the last payment joined
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.NEW)
    snoozed_until = models.DateTimeField(null=True, blank=True)  # while it is asleep
    boost = models.PositiveSmallIntegerField(default=0)  # back from a snooze, until looked at
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="merged", db_index=False
    )
    duplicate_of = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="duplicates", db_index=False
    )
    level = models.CharField(max_length=8)
    risk_score = models.FloatField()
    expected_loss = models.DecimalField(max_digits=20, decimal_places=4)
    # What the queue is ordered by: a boost stands above any loss. One column, so that a page
    # begins in the index where the page before ended.
    urgency = models.GeneratedField(
        expression=models.F("expected_loss") + models.F("boost") * models.Value(10**16),
        output_field=models.DecimalField(max_digits=22, decimal_places=4),
        db_persist=True,
    )
    amount = models.DecimalField(max_digits=18, decimal_places=4)
    currency = models.CharField(max_length=3)
    user_id = models.CharField(max_length=128)
    reason_codes = ArrayField(models.CharField(max_length=32), default=list)
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField()
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="alerts"
    )
    disposition = models.CharField(max_length=20, choices=Disposition.choices, blank=True)
    typology = models.CharField(max_length=40, choices=Typology.choices, blank=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )

    objects = AlertQuerySet.as_manager()

    class Meta:
        indexes = [
            # Each begins with the queue: `across` walks one of them per queue. Open ones first.
            models.Index(
                fields=["queue", "-urgency", "due_at", "id"],
                include=["assignee", "status", "expected_loss"],
                condition=~models.Q(status="CLOSED"),
                name="alert_urgent",
            ),
            models.Index(
                fields=["queue", "level", "-urgency", "due_at", "id"],
                include=["assignee", "status"],
                condition=~models.Q(status="CLOSED"),
                name="alert_level",
            ),
            models.Index(
                fields=["queue", "suspected", "-urgency", "due_at", "id"],
                condition=~models.Q(status="CLOSED"),
                name="alert_suspected",
            ),
            models.Index(
                fields=["assignee", "queue", "-urgency", "due_at", "id"],
                include=["status"],  # or a walk over all that wait looks cheaper
                condition=~models.Q(status="CLOSED") & models.Q(assignee__isnull=False),
                name="alert_held",
            ),
            models.Index(
                fields=["queue", "-urgency", "due_at", "id"],
                condition=models.Q(status="ESCALATED"),
                name="alert_escalated",
            ),
            models.Index(
                fields=["queue", "due_at", "id"],
                include=["status", "created_at", "expected_loss"],  # what figures of queues read
                condition=~models.Q(status="CLOSED"),
                name="alert_due",
            ),
            models.Index(
                fields=["queue", "snoozed_until", "id"],
                condition=models.Q(status__in=["SNOOZED", "PENDING_INFO"]),
                name="alert_asleep",
            ),
            models.Index(
                fields=["queue", "-closed_at", "-id"],
                include=["disposition", "closed_by"],
                condition=models.Q(status="CLOSED"),
                name="alert_decided",
            ),
            models.Index(
                fields=["closed_by", "-closed_at"],
                condition=models.Q(status="CLOSED"),
                name="alert_decided_by",
            ),
            models.Index(
                fields=["merged_into"],
                condition=models.Q(merged_into__isnull=False),
                name="alert_merged",
            ),
            models.Index(
                fields=["duplicate_of"],
                condition=models.Q(duplicate_of__isnull=False),
                name="alert_duplicates",
            ),
            models.Index(fields=["queue", "-id"], name="alert_latest"),
            models.Index(fields=["queue", "created_at"], name="alert_raised"),
            GinIndex(
                fields=["reason_codes"], condition=~models.Q(reason_codes=[]), name="alert_reasons"
            ),
            # Where a new payment looks for the alert it joins.
            models.Index(
                fields=["group_key"],
                condition=~models.Q(status="CLOSED") & ~models.Q(group_key=0),
                name="alert_group",
            ),
            models.Index(fields=["entity", "-id"], name="alert_entity"),
            models.Index(fields=["user_id", "-id"], name="alert_user"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(status="CLOSED") | ~models.Q(disposition=""),
                name="closed_with_a_disposition",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="CLOSED")
                | models.Q(closed_by__isnull=False, closed_at__isnull=False),
                name="alert_closed_by_someone",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=["SNOOZED", "PENDING_INFO"])
                | models.Q(snoozed_until__isnull=False),
                name="asleep_until_a_moment",
            ),
            models.CheckConstraint(
                condition=models.Q(status="MERGED", merged_into__isnull=False)
                | (~models.Q(status="MERGED") & models.Q(merged_into=None)),
                name="merged_into_another",
            ),
            models.CheckConstraint(
                condition=models.Q(duplicate_of=None) | models.Q(disposition="DUPLICATE"),
                name="duplicate_of_another",
            ),
        ]

    def __str__(self) -> str:
        return f"A-{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status not in Alert.DONE

    @property
    def is_asleep(self) -> bool:
        return self.status in Alert.ASLEEP

    @property
    def first_reason(self) -> dict[str, Any]:
        """What the model says first for a risk, as it is kept; empty while there is none."""
        explanation = getattr(self.decision, "explanation", None)
        sentences = explanation.sentences if explanation else []
        return next((one for one in sentences if one["contribution"] > 0), {})

    @property
    def top_reason(self) -> str:
        """Its sentence; pages tell it in the reader's language (`first_reason|told`)."""
        return str(self.first_reason.get("sentence", ""))

    @property
    def suspicion(self) -> str:
        """What it is suspected of in a word or two: stolen card."""
        return within(self.get_suspected_display().partition(gettext(" or "))[0])

    @property
    def is_group(self) -> bool:
        return self.hit_count > 1

    @property
    def subject(self) -> str:
        """Whom or what a case about it is about: its customer, or what several have in common."""
        return self.entity if len(self.subjects) > 1 else self.user_id

    @property
    def subjects(self) -> set[str]:
        """The customers of its payments, and its entity when it brings several together."""
        customers = set(self.hits.values_list("user_id", flat=True)) | {self.user_id}
        return customers if len(customers) == 1 else customers | {self.entity}

    def takes(self, moment: datetime, window: timedelta) -> bool:
        """Whether a payment of this moment is near enough to those it has, and there is room."""
        near = self.first_event - window <= moment <= self.last_event + window
        return near and self.hit_count < self.MOST

    @property
    def is_late(self) -> bool:
        running = self.is_open and self.status != Alert.Status.PENDING_INFO
        return running and self.due_at < timezone.now()
