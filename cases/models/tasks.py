"""What has to be done in a case, in order."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from cases.models.case import Case


class TaskQuerySet(models.QuerySet["CaseTask"]):
    """Questions asked of tasks."""

    def undone(self) -> "TaskQuerySet":
        return self.filter(done_at=None)

    def demanded(self) -> "TaskQuerySet":
        """Those without which a case is closed only with a reason."""
        return self.undone().filter(required=True)


class CaseTask(models.Model):
    """One thing to do; ticked off by whoever did it."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="tasks")
    place = models.PositiveIntegerField()  # 1 is the first
    title = models.CharField(max_length=300)
    detail = models.TextField(blank=True)
    required = models.BooleanField(default=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="case_tasks"
    )
    due_at = models.DateTimeField(null=True)
    playbook = models.CharField(max_length=80, blank=True)  # where it comes from: name and version
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    done_at = models.DateTimeField(null=True)

    objects: Any = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["place", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "place"],
                name="one_task_a_place",
                deferrable=models.Deferrable.DEFERRED,  # two change places in one transaction
            ),
            models.CheckConstraint(
                condition=models.Q(done_at__isnull=True, done_by__isnull=True)
                | models.Q(done_at__isnull=False, done_by__isnull=False),
                name="task_done_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_late(self) -> bool:
        return self.done_at is None and self.due_at is not None and self.due_at < timezone.now()
