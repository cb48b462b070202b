"""What people keep of the queue: filters and searches by name."""

from urllib.parse import parse_qsl

from django.conf import settings
from django.db import models

from alerts.models.queues import Queue


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    """Questions asked of saved views."""

    def for_person(self, user) -> "SavedViewQuerySet":
        """Their own, then those of the queues they work, each in its order."""
        from alerts.visibility import queues_of

        theirs = models.Q(owner=user.pk) | models.Q(queue__in=queues_of(user))
        return self.filter(theirs).select_related("queue").order_by("queue__name", "position", "pk")


class SavedView(models.Model):
    """The filters and the search of the queue under a name: one person's, or a queue's people's."""

    MOST = 12  # of one person, or of one queue

    name = models.CharField(max_length=40)
    query = models.CharField(max_length=1000)  # the address of the page behind its ?
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="alert_views"
    )
    queue = models.ForeignKey(Queue, models.CASCADE, null=True, related_name="views")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(owner=None) ^ models.Q(queue=None), name="view_of_one"
            ),
            models.UniqueConstraint(fields=["owner", "name"], name="view_name_of_owner"),
            models.UniqueConstraint(fields=["queue", "name"], name="view_name_of_queue"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def words(self) -> str:
        """The search as it was typed, the other filters behind it."""
        asked = dict(parse_qsl(self.query))
        search = asked.pop("q", "")
        return " ".join(
            filter(None, [search, *(f"{name}={value}" for name, value in asked.items())])
        )
