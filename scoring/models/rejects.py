"""What was refused at a door, until somebody mends it or lets it go."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from scoring.models.receipts import Receipt
from scoring.models.sources import Source
from scoring.models.transactions import Transaction


class RejectedQuerySet(models.QuerySet["RejectedRecord"]):
    """Questions asked of rejected records."""

    def visible_to(self, user: Any) -> "RejectedQuerySet":
        return self.filter(source__in=Source.objects.visible_to(user).order_by().values("pk"))

    def waiting(self) -> "RejectedQuerySet":
        return self.filter(state=RejectedRecord.State.OPEN)


class RejectedRecord(models.Model):
    """A record that did not become a transaction: where it stood, what it said, why not."""

    class State(models.TextChoices):
        OPEN = "OPEN", _("waits")
        ACCEPTED = "ACCEPTED", _("taken after all")
        DROPPED = "DROPPED", _("let go")

    source = models.ForeignKey(Source, models.PROTECT)
    upload = models.ForeignKey("scoring.Upload", models.CASCADE, null=True, related_name="rejects")
    receipt = models.ForeignKey(Receipt, models.SET_NULL, null=True, related_name="rejects")
    position = models.BigIntegerField()  # row of a file, or of what was sent at once, 1-based; or 0
    place = models.CharField(max_length=300, blank=True)  # topic, partition, offset of a stream
    notice = models.BooleanField(default=False)  # it was to be a word about a payment, not one
    record = models.JSONField()
    cut = models.BooleanField(default=False)  # long values were cut: as it stands it is not whole
    reasons = models.JSONField()  # {"amount": "is not a number"}
    at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    mended = models.JSONField(null=True)  # what was taken instead, if it was changed
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    settled_at = models.DateTimeField(null=True)
    became = models.ForeignKey(
        Transaction,
        models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )

    objects = RejectedQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["source", "-id"], condition=models.Q(state="OPEN"), name="reject_waiting"
            )
        ]
        constraints = [
            # A chunk of a file read again after a crash must not double its rejects.
            models.UniqueConstraint(
                fields=["upload", "position"],
                condition=models.Q(upload__isnull=False),
                name="reject_once_per_row",
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} row {self.position}"
