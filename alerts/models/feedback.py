"""Payments a model asks people about, apart from the alert queue."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _lazy

from alerts.models.held import Held, HeldQuerySet
from scoring.models import Label, Transaction


class FeedbackQuerySet(HeldQuerySet["Feedback"]):
    """Questions asked of what models ask."""

    def waiting(self) -> "FeedbackQuerySet":
        return self.filter(reviewed_at=None)

    def answered(self) -> "FeedbackQuerySet":
        return self.exclude(reviewed_at=None)

    def answerable_by(self, user) -> "FeedbackQuerySet":
        """A payment in no alert is anybody's to answer; with one, its queue's. None of an alert
        whose verdict they review without knowing it."""
        from alerts.models import AlertHit
        from alerts.visibility import queues_of, unread_by

        hits = AlertHit.objects.filter(transaction=models.OuterRef("transaction"))
        elsewhere = hits.exclude(alert__queue__in=queues_of(user))
        return self.exclude(models.Exists(elsewhere)).exclude(transaction__in=unread_by(user))

    def for_the_page(self) -> "FeedbackQuerySet":
        """With what a row or a page shows, in the same query."""
        return self.select_related("transaction__decision", "transaction__source", "reviewer")


class Feedback(Held):
    """One question: was this fraud? `prediction` is what the model said, 1 for fraud."""

    class Why(models.TextChoices):
        UNCERTAIN = "UNCERTAIN", _lazy("Near the cut")
        RANDOM = "RANDOM", _lazy("At random")
        HIGH = "HIGH", _lazy("High score")
        ADDED = "ADDED", _lazy("Asked for")

    external_id = models.CharField(max_length=128)
    # None: no payment of this id is stored, so an answer is counted but labels nothing.
    transaction = models.ForeignKey(Transaction, models.CASCADE, null=True, related_name="feedback")
    data = models.JSONField(default=dict)  # as it was sent, where no payment is stored
    score = models.FloatField()
    prediction = models.PositiveSmallIntegerField()
    why = models.CharField(max_length=9, choices=Why.choices, default=Why.ADDED)
    added_at = models.DateTimeField(db_default=Now())
    human_label = models.PositiveSmallIntegerField(null=True)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    notes = models.TextField(blank=True)
    reviewed_at = models.DateTimeField(null=True)
    label = models.ForeignKey(Label, models.PROTECT, null=True, related_name="+")  # if it gave one

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(reviewed_at=None), name="feedback_waiting"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"],
                condition=models.Q(reviewed_at=None),
                name="asked_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(prediction__lte=1, score__gte=0, score__lte=1),
                name="a_model_says_0_or_1",
            ),
            models.CheckConstraint(
                condition=models.Q(reviewed_at=None)
                | models.Q(human_label__lte=1, reviewer__isnull=False),
                name="answered_with_0_or_1",
            ),
        ]

    def __str__(self) -> str:
        return f"Q-{self.pk}"
