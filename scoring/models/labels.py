"""What people and chargebacks said a transaction was, and when it became known."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from scoring.models.transactions import Transaction


class LabelQuerySet(models.QuerySet["Label"]):
    """Questions asked of labels."""

    def standing(self) -> "LabelQuerySet":
        """The last word on each transaction."""
        return self.filter(superseded_by__isnull=True)

    def known_by(self, moment) -> "LabelQuerySet":
        return self.filter(known_at__lte=moment)

    def decisive(self) -> "LabelQuerySet":
        return self.exclude(value=Label.Value.INCONCLUSIVE)


class Label(models.Model):
    """One statement about one transaction; corrected by a later one, never edited."""

    class Value(models.TextChoices):
        TRUE_FRAUD = "TRUE_FRAUD", _("True Fraud")
        FALSE_POSITIVE = "FALSE_POSITIVE", _("False Positive")
        INCONCLUSIVE = "INCONCLUSIVE", _("Inconclusive")

    class Origin(models.TextChoices):
        DISPOSITION = "DISPOSITION", _("Disposition")
        FILE = "FILE", _("File")
        API = "API", _("Api")
        CHARGEBACK = "CHARGEBACK", _("Chargeback")
        NOTICE = "NOTICE", _("Report from outside")
        QA = "QA", _("Second review")
        SAMPLE = "SAMPLE", _("Sample")
        FEEDBACK = "FEEDBACK", _("Model asked")

    transaction = models.ForeignKey(Transaction, models.PROTECT, related_name="labels")
    value = models.CharField(max_length=16, choices=Value.choices)
    origin = models.CharField(max_length=12, choices=Origin.choices)
    known_at = models.DateTimeField(db_default=Now())
    event_time = models.DateTimeField()  # its payment's: figures ask for it of millions at once
    labeller = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    typology = models.CharField(max_length=40, blank=True)
    note = models.TextField(blank=True)
    # A correction points back, so no row is ever edited and the chain of a transaction has one end.
    supersedes = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="superseded_by"
    )

    objects = LabelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["transaction"],
                condition=models.Q(supersedes=None),
                name="one_first_label",
            )
        ]
        indexes = [
            models.Index(fields=["known_at"], name="label_known"),
            # What figures ask for: frauds alone, few among many labels.
            models.Index(
                fields=["-known_at"],
                include=["id", "transaction", "event_time", "origin", "supersedes"],
                condition=models.Q(value="TRUE_FRAUD"),
                name="label_frauds",
            ),
        ]

    def __str__(self) -> str:
        return self.value

    def save(self, *args: Any, **options: Any) -> None:
        if self.event_time is None:
            self.event_time = self.transaction.event_time
        super().save(*args, **options)

    @property
    def is_decisive(self) -> bool:
        """An inconclusive one claims nothing: whoever knows better says so without asking."""
        return self.value != Label.Value.INCONCLUSIVE
