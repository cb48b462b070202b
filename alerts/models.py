"""What needs a person: queues and the alerts in them."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from scoring.models import Decision, Label, Resolution, Transaction


class QueueQuerySet(models.QuerySet["Queue"]):
    """Questions asked of queues."""

    def visible_to(self, user) -> "QueueQuerySet":
        from alerts.visibility import queues_of

        return self.filter(pk__in=queues_of(user))


class Queue(models.Model):
    """A pile of alerts that a team works. Membership is a guardian grant of `work_queue`."""

    name = models.CharField(max_length=80, unique=True)
    slug = models.SlugField(max_length=80, unique=True)
    is_default = models.BooleanField(default=False)
    sla_minutes = models.PositiveIntegerField(default=240)

    objects = QueueQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [("work_queue", "Works this queue")]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_default_queue"
            )
        ]

    def __str__(self) -> str:
        return self.name


class AlertQuerySet(models.QuerySet["Alert"]):
    """Questions asked of alerts."""

    def visible_to(self, user) -> "AlertQuerySet":
        from alerts.visibility import queues_of

        return self.filter(queue__in=queues_of(user))

    def open(self) -> "AlertQuerySet":
        return self.exclude(status=Alert.Status.CLOSED)

    def closed(self) -> "AlertQuerySet":
        return self.filter(status=Alert.Status.CLOSED)

    def overdue(self) -> "AlertQuerySet":
        return self.open().filter(due_at__lt=Now())

    def workable_by(self, user) -> "AlertQuerySet":
        """What someone takes up next: not in a case already, and nobody else's."""
        waiting = self.filter(status__in=[Alert.Status.NEW, Alert.Status.ASSIGNED])
        return waiting.filter(models.Q(assignee=None) | models.Q(assignee=user))

    def for_the_page(self) -> "AlertQuerySet":
        """With what a row or a page shows, in the same query."""
        return self.select_related(
            "transaction", "queue", "assignee", "closed_by", "decision__explanation"
        )

    def by_urgency(self) -> "AlertQuerySet":
        """Expected loss first, then the clock, then the id: never ties by chance."""
        return self.order_by("-expected_loss", "due_at", "id")


class Alert(models.Model):
    """One reviewable decision in one queue. Closed only together with a label."""

    class Status(models.TextChoices):
        NEW = "NEW"
        ASSIGNED = "ASSIGNED"
        ESCALATED = "ESCALATED"
        CLOSED = "CLOSED"

    class Disposition(models.TextChoices):
        TRUE_POSITIVE_FRAUD = "TRUE_POSITIVE_FRAUD", "Fraud"
        BENIGN_POSITIVE = "BENIGN_POSITIVE", "Unusual but explained"
        FALSE_POSITIVE = "FALSE_POSITIVE", "Legitimate"
        INCONCLUSIVE = "INCONCLUSIVE", "Inconclusive"

    class Typology(models.TextChoices):
        CARD_TESTING = "CARD_TESTING", "Card testing"
        ACCOUNT_TAKEOVER = "ACCOUNT_TAKEOVER", "Account takeover"
        STOLEN_CARD = "STOLEN_CARD", "Stolen card or details"
        SCAM = "SCAM", "Scam, authorised by the victim"
        MULE = "MULE", "Mule or layering"
        STRUCTURING = "STRUCTURING", "Structuring"
        FIRST_PARTY = "FIRST_PARTY", "First-party fraud"
        BUST_OUT = "BUST_OUT", "Bust-out"
        SYNTHETIC_IDENTITY = "SYNTHETIC_IDENTITY", "Synthetic identity"
        MERCHANT_COLLUSION = "MERCHANT_COLLUSION", "Merchant collusion"

    decision = models.OneToOneField(Decision, models.PROTECT, related_name="alert")
    transaction = models.OneToOneField(Transaction, models.PROTECT, related_name="alert")
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="alerts")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.NEW)
    level = models.CharField(max_length=8)
    risk_score = models.FloatField()
    expected_loss = models.DecimalField(max_digits=20, decimal_places=4)
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
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = AlertQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["queue", "-expected_loss", "due_at", "id"],
                condition=~models.Q(status="CLOSED"),
                name="alert_open",
            ),
            # The same order across queues: one who sees several reads the top of one index.
            models.Index(
                fields=["-expected_loss", "due_at", "id"],
                condition=~models.Q(status="CLOSED"),
                name="alert_urgency",
            ),
            models.Index(fields=["user_id", "-id"], name="alert_user"),
            models.Index(fields=["-closed_at"], name="alert_closed"),
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
        ]

    def __str__(self) -> str:
        return f"A-{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status != Alert.Status.CLOSED

    @property
    def top_reason(self) -> str:
        """The first sentence of the model that speaks for a risk; empty while there is none."""
        explanation = getattr(self.decision, "explanation", None)
        sentences = explanation.sentences if explanation else []
        return next((s["sentence"] for s in sentences if s["contribution"] > 0), "")

    @property
    def is_late(self) -> bool:
        return self.is_open and self.due_at < timezone.now()


class Note(models.Model):
    """What someone wrote on an alert."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    text = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text[:60]


class Verdict(models.Model):
    """What someone said an alert was, with everything that taking it back needs."""

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="verdicts")
    disposition = models.CharField(max_length=20, choices=Alert.Disposition.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    behind = models.CharField(max_length=80, blank=True)  # the case that stands behind it
    before = models.JSONField()  # the fields of the alert that it changed
    label = models.ForeignKey(Label, models.PROTECT, null=True, related_name="+")  # if it gave one
    resolution = models.OneToOneField(Resolution, models.PROTECT, null=True, related_name="+")
    listed = ArrayField(models.BigIntegerField(), default=list)  # entries of lists made with it
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["alert"],
                condition=models.Q(undone_at=None),
                name="one_standing_verdict",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_disposition_display()} on {self.alert_id}"
