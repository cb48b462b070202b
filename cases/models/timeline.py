"""What happened in a case, in order."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from cases.models.case import Case


class CaseEvent(models.Model):
    """One entry of a case's timeline."""

    class Kind(models.TextChoices):
        OPENED = "OPENED"
        SUBMITTED = "SUBMITTED"
        OPENING_APPROVED = "OPENING_APPROVED"
        OPENING_REFUSED = "OPENING_REFUSED"
        ALERT_ADDED = "ALERT_ADDED"
        NOTE = "NOTE"
        EVIDENCE = "EVIDENCE"
        TASK_ADDED = "TASK_ADDED"
        TASK_CHANGED = "TASK_CHANGED"
        TASK_DONE = "TASK_DONE"
        TASK_UNDONE = "TASK_UNDONE"
        DETERMINED = "DETERMINED"
        REPORT = "REPORT"
        STARTED = "STARTED"
        SUSPENDED = "SUSPENDED"
        RESUMED = "RESUMED"
        HANDED_OVER = "HANDED_OVER"
        RESTRICTED = "RESTRICTED"
        UNRESTRICTED = "UNRESTRICTED"
        CLOSURE_PROPOSED = "CLOSURE_PROPOSED"
        RETURNED = "RETURNED"
        CLOSED = "CLOSED"
        ABANDONED = "ABANDONED"
        REOPENING_ASKED = "REOPENING_ASKED"
        REOPENING_REFUSED = "REOPENING_REFUSED"
        REOPENED = "REOPENED"

    case = models.ForeignKey(Case, models.CASCADE, related_name="timeline")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    text = models.TextField(blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%F %T}"
