"""What to do about each kind of fraud: a text and steps, in versions that leads write."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from alerts.models.alerts import Alert


class Playbook(models.Model):
    """One version of what to do about a typology; rows are never edited, the latest is in force."""

    typology = models.CharField(max_length=24, choices=Alert.Typology.choices)
    version = models.PositiveIntegerField()
    text = models.TextField()
    steps = ArrayField(models.CharField(max_length=300))
    reason = models.TextField(blank=True)  # why it says something else than the version before
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["typology", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["typology", "version"], name="one_playbook_version")
        ]

    def __str__(self) -> str:
        return f"playbook {self.typology} {self.version}"
