"""Copies of scored payments for a data lake, a day each, as work for a worker."""

from django.conf import settings
from django.db import models

from anomalyshield.leases import Leased


class LakeCopy(Leased):
    """One day of decisions on its way to the lake, and what was written of it.

    A day may be copied again; what the later copy wrote stands in the lake.
    """

    day = models.DateField()  # UTC, of the decisions
    kind = models.CharField(max_length=8)  # parquet or delta
    rows = models.BigIntegerField(null=True)
    bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)  # of the Parquet file
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    asked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["day", "-id"], name="lakecopy_day")]

    def __str__(self) -> str:
        return f"copy of {self.day}"
