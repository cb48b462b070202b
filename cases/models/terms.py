"""How the cases of a queue are handled, as far as the house has said so."""

from django.db import models

from alerts.models import Queue


class QueueTerms(models.Model):
    """What holds for cases with an alert of this queue. Without a row the defaults hold."""

    queue = models.OneToOneField(Queue, models.CASCADE, related_name="terms", primary_key=True)
    # Off: a case is open as soon as somebody opens it.
    creation_approval = models.BooleanField(default=False)

    class Meta:
        ordering = ["queue__name"]

    def __str__(self) -> str:
        return f"terms of {self.queue_id}"
