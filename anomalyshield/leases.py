"""Rows as the queue of record: claim, heartbeat, finish, fail.

A Celery message is only a bell. The work is a row; a worker claims it with a lease on the
database's clock and a token that must still be the row's own when the result commits.
"""

from django.db import models
from django.db.models.functions import Now


class Leased(models.Model):
    """A row that is work to be done. See `docs/architecture.md`, "Rows are the queue"."""

    class State(models.TextChoices):
        WAITING = "WAITING"  # not yet claimable: something before it is still under way
        READY = "READY"
        RUNNING = "RUNNING"
        DONE = "DONE"
        QUARANTINED = "QUARANTINED"
        CANCELLED = "CANCELLED"

    state = models.CharField(max_length=12, choices=State.choices, default=State.READY)
    due_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True, editable=False)
    lease_token = models.UUIDField(null=True, editable=False)
    holder = models.BigIntegerField(null=True, editable=False)  # advisory-lock key of the worker
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    error = models.TextField(blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True
