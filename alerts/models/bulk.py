"""What was done to many alerts at once, alert by alert, so that it can be taken back."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from alerts.models.alerts import Alert
from alerts.models.verdicts import Verdict


class Bulk(models.Model):
    """One act of a lead on many alerts, with one reason."""

    class Action(models.TextChoices):
        DECIDE = "DECIDE", _("Decide")
        ASSIGN = "ASSIGN", _("Assign")
        RELEASE = "RELEASE", _("Give back to the queue")
        SNOOZE = "SNOOZE", _("Snooze")

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())
    action = models.CharField(max_length=8, choices=Action.choices)
    disposition = models.CharField(max_length=20, choices=Alert.Disposition.choices, blank=True)
    reason = models.TextField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"B-{self.pk}"


class BulkItem(models.Model):
    """What became of one alert of it; `refusal` says why nothing did."""

    bulk = models.ForeignKey(Bulk, models.CASCADE, related_name="items")
    alert = models.ForeignKey(Alert, models.PROTECT, related_name="+")
    before = models.JSONField(default=dict)  # what it changed of the alert, as it was …
    after = models.JSONField(default=dict)  # … and as it left it
    verdict = models.ForeignKey(Verdict, models.PROTECT, null=True, related_name="+")
    refusal = models.TextField(blank=True)
    undone = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["bulk", "alert"], name="once_in_a_bulk")]

    def __str__(self) -> str:
        return f"{self.alert_id} of {self.bulk_id}"
