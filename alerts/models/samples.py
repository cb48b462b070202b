"""Payments that raised no alert, drawn with known chances so that what is missed can be counted."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from alerts.models.alerts import Alert
from alerts.models.held import Held, HeldQuerySet
from alerts.models.verdicts import Verdict
from scoring.models import Label, Transaction


class SampleDraw(models.Model):
    """One day's draw: of which decisions, how many of each band, and with which key."""

    day = models.DateField(unique=True)  # nobody draws again until they like it
    made_at = models.DateTimeField(db_default=Now())
    after = models.BigIntegerField()  # of the decisions: behind this id …
    until = models.BigIntegerField()  # … up to this one
    budget = models.PositiveIntegerField()
    edges = ArrayField(models.FloatField())  # of the bands of the risk score
    strata = models.JSONField()  # [{population, drawn}] by band
    key_check = models.CharField(max_length=16)  # tells whether the key is still the same

    class Meta:
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"draw of {self.day}"


class SampleQuerySet(HeldQuerySet["Sample"]):
    """Questions asked of sampled payments."""

    def waiting(self) -> "SampleQuerySet":
        return self.filter(answered_at=None)

    def answered(self) -> "SampleQuerySet":
        return self.exclude(answered_at=None)

    def for_the_page(self) -> "SampleQuerySet":
        """With what a row or a page shows, in the same query."""
        return self.select_related("transaction__source", "transaction__decision", "draw", "by")


class Sample(Held):
    """One payment of a draw. The chance is that with which it was drawn, and never changes."""

    draw = models.ForeignKey(SampleDraw, models.CASCADE, related_name="samples")
    transaction = models.OneToOneField(Transaction, models.CASCADE, related_name="sample")
    band = models.PositiveSmallIntegerField()
    chance = models.FloatField()
    said = models.CharField(max_length=20, choices=Alert.Disposition.choices, blank=True)
    confidence = models.CharField(max_length=6, choices=Verdict.Confidence.choices, blank=True)
    note = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    label = models.ForeignKey(Label, models.PROTECT, null=True, related_name="+")  # if it gave one

    objects = SampleQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(answered_at=None), name="sample_waiting"
            ),
            models.Index(fields=["-answered_at", "-id"], name="sample_answered"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(chance__gt=0, chance__lte=1), name="sampled_with_a_chance"
            ),
            models.CheckConstraint(
                condition=models.Q(answered_at=None)
                | models.Q(by__isnull=False) & ~models.Q(said=""),
                name="sample_answered_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"BTL-{self.pk}"  # below the line; S- is a suppression
