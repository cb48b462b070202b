"""Files kept with a case."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from cases.models.case import Case


class Evidence(models.Model):
    """A file kept with a case: what it is and its hash. Never edited, never replaced."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="evidence")
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)  # by its content
    title = models.CharField(max_length=40)  # the kind for people
    bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    note = models.CharField(max_length=500, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "sha256"], name="evidence_once_a_case")
        ]

    def __str__(self) -> str:
        return self.name


class EvidenceContent(models.Model):
    """The bytes, in a table of their own: no list of files ever reads them."""

    evidence = models.OneToOneField(Evidence, models.PROTECT, primary_key=True)
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"content of {self.evidence_id}"
