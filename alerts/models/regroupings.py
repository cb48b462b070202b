"""Alerts that were put together or taken apart by a person, with what taking it back needs."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from alerts.models.alerts import Alert


class Regrouping(models.Model):
    """Payments that a person moved from some alerts into another one."""

    class Kind(models.TextChoices):
        MERGE = "MERGE", _("Merged")
        SPLIT = "SPLIT", _("Split")

    kind = models.CharField(max_length=5, choices=Kind.choices)
    into = models.ForeignKey(Alert, models.PROTECT, related_name="regroupings")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())
    reason = models.TextField(blank=True)
    moved = models.JSONField()  # alert → the hits that were its
    before = models.JSONField()  # alert → the fields that it changed, as they were
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"G-{self.pk}"
