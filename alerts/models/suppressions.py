"""What raises no alert for a while: one reason of one entity in one queue, and what it kept out."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from alerts.models.alerts import Alert
from alerts.models.queues import Queue
from scoring.models import Decision, Label, Transaction


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    """Questions asked of suppressions."""

    def visible_to(self, user: Any) -> "SuppressionQuerySet":
        from alerts.visibility import queues_of

        return self.filter(queue__in=queues_of(user))

    def living(self) -> "SuppressionQuerySet":
        """In force, by the clock of the database."""
        return self.filter(ended_at=None, expires_at__gt=Now())

    def over(self) -> "SuppressionQuerySet":
        return self.filter(models.Q(ended_at__isnull=False) | models.Q(expires_at__lte=Now()))

    def for_the_page(self) -> "SuppressionQuerySet":
        """With what a row shows: how much it kept out, and how much of that was fraud."""
        mine = SuppressedHit.objects.filter(suppression=models.OuterRef("pk"))
        fraud = Label.objects.standing().filter(value=Label.Value.TRUE_FRAUD)
        frauds = mine.filter(transaction__in=fraud.values("transaction"))
        return self.select_related("queue", "author", "ended_by", "alert").annotate(
            hits=_counted(mine), frauds=_counted(frauds)
        )


class Suppression(models.Model):
    """One reason of one entity that raises no alert until it ends.

    It changes no decision: what it keeps out is stored, and stays held or is released as it says.
    """

    queue = models.ForeignKey(Queue, models.PROTECT, related_name="suppressions")
    code = models.CharField(max_length=32)  # of a rule, or SCORE: engine/decision.py
    kind = models.CharField(max_length=8, choices=Alert.Kind.choices)
    value = models.CharField(max_length=200)
    key = models.BigIntegerField()  # as in scoring_transaction: engine/keys.py
    reason = models.TextField()
    releases = models.BooleanField(default=True)  # the payments it keeps out; else they stay held
    alert = models.ForeignKey(Alert, models.SET_NULL, null=True, related_name="suppressions")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    ended_because = models.TextField(blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["key", "code"],
                condition=models.Q(ended_at=None),
                name="suppression_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"S-{self.pk}"

    @property
    def is_living(self) -> bool:
        return self.ended_at is None and self.expires_at > timezone.now()


class SuppressedHit(models.Model):
    """A reviewable decision that raised no alert; unique, as a hit of an alert is."""

    suppression = models.ForeignKey(Suppression, models.PROTECT, related_name="kept_out")
    decision = models.OneToOneField(Decision, models.PROTECT, related_name="suppressed")
    transaction = models.OneToOneField(Transaction, models.PROTECT, related_name="suppressed")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.transaction_id} kept out by {self.suppression_id}"


def _counted(rows: Any) -> Any:
    many = rows.order_by().values("suppression").annotate(many=models.Count("pk")).values("many")
    return Coalesce(models.Subquery(many), 0)
