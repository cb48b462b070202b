"""Where transactions come from, and what was refused at the door."""

from django.conf import settings
from django.db import models


def base_currency() -> str:
    return settings.BASE_CURRENCY


class Source(models.Model):
    """An upstream system. Transaction ids are unique within their source."""

    class Kind(models.TextChoices):
        REST = "rest"
        CSV = "csv"
        PARQUET = "parquet"

    name = models.SlugField(max_length=64, unique=True)
    title = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.CSV)
    currency = models.CharField(max_length=3, default=base_currency)
    timezone = models.CharField(max_length=64, default="UTC")
    mapping = models.JSONField(default=dict, blank=True)  # their column -> our field
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        permissions = [("use_source", "May read this source's transactions and rejects")]

    def __str__(self) -> str:
        return self.title or self.name


class RejectedRecord(models.Model):
    """A record that did not become a transaction: where it stood, what it said, why not."""

    source = models.ForeignKey(Source, models.PROTECT)
    upload = models.ForeignKey("scoring.Upload", models.CASCADE, null=True, related_name="rejects")
    position = models.BigIntegerField()  # row number in a file, 1-based; 0 for REST
    record = models.JSONField()
    reasons = models.JSONField()  # {"amount": "is not a number"}
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
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
