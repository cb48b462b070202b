"""Feature pipelines, who answers for a family of features, and what is known about features."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class FeaturePipeline(models.Model):
    """A version of what models learn from and how it is prepared. Rows are never edited."""

    number = models.PositiveIntegerField(unique=True)
    name = models.CharField(max_length=100, blank=True)  # as the document calls itself
    text = models.TextField()  # the YAML as it was written: scoring/plans.py
    sha256 = models.CharField(max_length=64, unique=True)  # of the text
    active = models.BooleanField(default=False)  # the next training uses it
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    made_at = models.DateTimeField(db_default=Now())
    reason = models.TextField()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["active"], condition=models.Q(active=True), name="one_active_pipeline"
            )
        ]

    def __str__(self) -> str:
        return f"P{self.number}"


class FamilyOwner(models.Model):
    """Who answers for a family of features (engine/families.py)."""

    family = models.CharField(max_length=32, unique=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    since = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.family}: {self.owner}"


class FeatureDay(models.Model):
    """How often each feature was unknown in one day's decisions, counted by a job."""

    day = models.DateField(unique=True)
    rows = models.PositiveIntegerField()
    missing = models.JSONField()  # {feature: share of the rows}
    counted_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"{self.day}"


class FeatureDrift(models.Model):
    """How the values lay that a version learnt from, and how far they have moved since."""

    version = models.OneToOneField("scoring.ModelVersion", models.CASCADE, related_name="drift")
    learnt = models.PositiveIntegerField()  # rows
    reference = models.JSONField()  # {feature: {edges, rows}}: engine/moving.py
    since = models.DateField(null=True)  # the days looked at
    until = models.DateField(null=True)
    rows = models.PositiveIntegerField(default=0)
    moved = models.JSONField(default=dict)  # {feature: population stability index}
    measured_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"values since {self.version}"


class Ablation(models.Model):
    """One measurement of what each family adds: the same training with and without it."""

    measured_at = models.DateTimeField(db_default=Now())
    rows = models.PositiveIntegerField()  # held out
    frauds = models.PositiveIntegerField()
    whole = models.FloatField()  # average precision with everything
    noise = models.FloatField(default=0)  # between trainings that differ in their dice alone
    without = models.JSONField()  # {family: average precision without it}

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"ablation {self.pk}"
