"""What was taken at a door where nobody waits for the decision."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from scoring.models.sources import Source


class Receipt(models.Model):
    """Records that came together and were stored in one commit; their decisions follow."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(Source, models.PROTECT)
    door = models.CharField(max_length=16)  # a value of Source.Kind, or "quarantine"
    message = models.CharField(max_length=255, blank=True)  # the sender's id of it, if there is one
    at = models.DateTimeField(db_default=Now())
    read = models.PositiveIntegerField()
    accepted = models.PositiveIntegerField(default=0)
    repeated = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    transaction_ids = ArrayField(models.BigIntegerField(), default=list)  # of those accepted

    class Meta:
        indexes = [
            models.Index(fields=["source", "-at"], name="receipt_latest"),
            models.Index(fields=["at"], name="receipt_age"),
        ]
        constraints = [
            # A message that comes twice is stored once, whoever races.
            models.UniqueConstraint(
                fields=["source", "message"],
                condition=~models.Q(message=""),
                name="receipt_once_per_message",
            )
        ]

    def __str__(self) -> str:
        return f"receipt {self.id}"
