"""An alert set aside until a moment, and how it came back."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from alerts.models.alerts import Alert


class SnoozeQuerySet(models.QuerySet["Snooze"]):
    """Questions asked of snoozes."""

    def standing(self) -> "SnoozeQuerySet":
        return self.filter(ended_at=None)

    def of(self, alert: Any) -> "SnoozeQuerySet":
        """Of an alert, the last one first, with who did it."""
        return self.filter(alert=alert).select_related("by", "ended_by").order_by("-pk")


class Snooze(models.Model):
    """Why somebody set an alert aside and until when; `how` it ended says what brought it back.

    It stands until the alert is awake again. Of an alert that was decided meanwhile it stands on,
    so that taking the decision back finds everything as it was.
    """

    class How(models.TextChoices):
        TIME = "TIME", _("its time came")
        PAYMENT = "PAYMENT", _("a payment joined")
        PERSON = "PERSON", _("somebody took it up again")
        UNDONE = "UNDONE", _("it was taken back")

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="snoozes")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())
    until = models.DateTimeField()
    reason = models.TextField()
    for_customer = models.BooleanField(default=False)  # who is asked: the clock stands still
    before = models.JSONField()  # the fields of the alert that it changed
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    how = models.CharField(max_length=8, choices=How.choices, blank=True)

    objects = SnoozeQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["alert"], condition=models.Q(ended_at=None), name="one_standing_snooze"
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at=None, how="")
                | (models.Q(ended_at__isnull=False) & ~models.Q(how="")),
                name="snooze_ended_somehow",
            ),
        ]

    def __str__(self) -> str:
        return f"snooze of {self.alert_id}"
