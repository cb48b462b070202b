"""Queues: the piles of alerts that teams work."""

from django.db import models


class QueueQuerySet(models.QuerySet["Queue"]):
    """Questions asked of queues."""

    def visible_to(self, user) -> "QueueQuerySet":
        from alerts.visibility import queues_of

        return self.filter(pk__in=queues_of(user))


class Queue(models.Model):
    """A pile of alerts that a team works. Membership is a guardian grant of `work_queue`."""

    name = models.CharField(max_length=80, unique=True)
    slug = models.SlugField(max_length=80, unique=True)
    is_default = models.BooleanField(default=False)
    sla_minutes = models.PositiveIntegerField(default=240)

    objects = QueueQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [("work_queue", "Works this queue")]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_default_queue"
            )
        ]

    def __str__(self) -> str:
        return self.name
