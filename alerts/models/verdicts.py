"""What people wrote on an alert, and what they said it was."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from alerts.models.alerts import Alert
from alerts.models.hits import AlertHit
from scoring.models import Label, Resolution


class Note(models.Model):
    """What someone wrote on an alert."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    text = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text[:60]


class Verdict(models.Model):
    """What someone said an alert was, with everything that taking it back needs."""

    class Confidence(models.TextChoices):
        SURE = "SURE", _("Sure")
        FAIRLY = "FAIRLY", _("Fairly sure")
        UNSURE = "UNSURE", _("Unsure")

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="verdicts")
    disposition = models.CharField(max_length=20, choices=Alert.Disposition.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    behind = models.CharField(max_length=80, blank=True)  # the case that stands behind it
    confidence = models.CharField(
        max_length=6, choices=Confidence.choices, default=Confidence.FAIRLY
    )
    # Whether the alert was worth looking at, whatever it turned out to be; None: not answered.
    worth_reviewing = models.BooleanField(null=True)
    note = models.ForeignKey(Note, models.SET_NULL, null=True, related_name="+")  # said with it
    before = models.JSONField()  # the fields of the alert that it changed
    listed = ArrayField(models.BigIntegerField(), default=list)  # entries of lists made with it
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["alert"],
                condition=models.Q(undone_at=None),
                name="one_standing_verdict",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_disposition_display()} on {self.alert_id}"


class Consequence(models.Model):
    """What a verdict did to one payment of its alert; taking it back undoes each."""

    verdict = models.ForeignKey(Verdict, models.PROTECT, related_name="consequences")
    hit = models.ForeignKey(AlertHit, models.PROTECT, related_name="+")
    label = models.ForeignKey(Label, models.PROTECT, null=True, related_name="+")  # if it gave one
    resolution = models.OneToOneField(Resolution, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["verdict", "hit"], name="one_consequence")]

    def __str__(self) -> str:
        return f"of {self.verdict_id} for {self.hit_id}"
