"""Requests that may be repeated without being done twice."""

from django.db import models
from django.db.models.functions import Now


class IdempotentRequest(models.Model):
    """The answer given to a credential's `Idempotency-Key`, replayed for 24 hours."""

    pk = models.CompositePrimaryKey("principal", "key")
    principal = models.CharField(max_length=64)  # "key:<uuid>", "user:<id>", "open"
    key = models.CharField(max_length=255)
    digest = models.BinaryField(max_length=32)  # of method, path and body
    status = models.PositiveSmallIntegerField(null=True)  # null: the first is still running
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="idempotent_age")]

    def __str__(self) -> str:
        return self.key
