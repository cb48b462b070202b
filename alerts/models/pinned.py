"""What people wrote about a user, card, device or merchant: it stays with them, whatever alert."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from alerts.models.alerts import Alert


class EntityNoteQuerySet(models.QuerySet["EntityNote"]):
    """Questions asked of these notes."""

    def about(self, kind: str, key: int) -> "EntityNoteQuerySet":
        return self.filter(kind=kind, key=key).select_related("author", "retracted_by")


class EntityNote(models.Model):
    """A note pinned to an entity. Never edited: it is taken back, and another one is written."""

    kind = models.CharField(max_length=8, choices=Alert.Kind.choices)
    key = models.BigIntegerField()  # as in scoring_transaction: engine/keys.py
    value = models.CharField(max_length=200)
    text = models.TextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())
    retracted_at = models.DateTimeField(null=True)
    retracted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    objects = EntityNoteQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["kind", "key", "-id"], name="entity_noted")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(retracted_at=None, retracted_by=None)
                | models.Q(retracted_at__isnull=False, retracted_by__isnull=False),
                name="entity_note_retracted_by_someone",
            )
        ]

    def __str__(self) -> str:
        return f"note {self.pk} on a {self.kind}"
