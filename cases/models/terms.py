"""How the cases of a queue are handled, as far as the house has said so."""

from django.core.validators import MinValueValidator
from django.db import models

from alerts.models import Queue
from cases.models.clocks import BusinessCalendar


class QueueTerms(models.Model):
    """What holds for cases with an alert of this queue. Without a row the defaults hold."""

    LEVELS = ("critical", "high", "medium", "low")

    queue = models.OneToOneField(Queue, models.CASCADE, related_name="terms", primary_key=True)
    # Off: a case is open as soon as somebody opens it.
    creation_approval = models.BooleanField(default=False)
    calendar = models.ForeignKey(BusinessCalendar, models.PROTECT, null=True, related_name="terms")
    # Business hours from the opening of a case to its closure.
    hours_critical = models.PositiveIntegerField(default=8, validators=[MinValueValidator(1)])
    hours_high = models.PositiveIntegerField(default=24, validators=[MinValueValidator(1)])
    hours_medium = models.PositiveIntegerField(default=40, validators=[MinValueValidator(1)])
    hours_low = models.PositiveIntegerField(default=80, validators=[MinValueValidator(1)])

    class Meta:
        ordering = ["queue__name"]

    def __str__(self) -> str:
        return f"terms of {self.queue_id}"

    def hours(self, level: str) -> int:
        """Business hours for a case of this level."""
        return int(getattr(self, f"hours_{level.lower()}", self.hours_low))
