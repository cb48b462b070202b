"""Reports to the authority (SAR, STR), and the record of having decided not to make one."""

import hashlib
import json
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case

DECIDED = ("NO_FILE", "APPROVED", "FILED", "ACKNOWLEDGED", "REJECTED", "CONTINUING")


class Report(models.Model):
    """One report about a case: whether it is made, what it says, who agreed, what became of it."""

    class State(models.TextChoices):
        NOT_STARTED = "NOT_STARTED", _("Not started")
        DECISION_PENDING = "DECISION_PENDING", _("To be decided")
        NO_FILE = "NO_FILE", _("Decided not to file")
        DRAFT = "DRAFT", _("Draft")
        IN_REVIEW = "IN_REVIEW", _("In review")
        APPROVED = "APPROVED", _("Approved")
        FILED = "FILED", _("Filed")
        ACKNOWLEDGED = "ACKNOWLEDGED", _("Acknowledged")
        REJECTED = "REJECTED", _("Rejected by the authority")
        AMENDED = "AMENDED", _("Being amended")
        CONTINUING = "CONTINUING", _("Filed, and it goes on")

    class NoFile(models.TextChoices):
        """Why nothing is reported."""

        EXPLAINED = "EXPLAINED", _("The activity has a lawful explanation")
        NO_SUSPICION = "NO_SUSPICION", _("The facts do not amount to a suspicion")
        BELOW_THRESHOLD = "BELOW_THRESHOLD", _("Below the threshold of reporting")
        REPORTED = "REPORTED", _("Reported already")
        NOT_OURS = "NOT_OURS", _("Not for this institution to report")
        OTHER = "OTHER", _("Another reason")

    case = models.ForeignKey(Case, models.PROTECT, related_name="reports")
    number = models.PositiveIntegerField()  # of its case
    continues = models.OneToOneField("self", models.PROTECT, null=True, related_name="continued_by")
    state = models.CharField(max_length=16, choices=State.choices, default=State.NOT_STARTED)
    no_file = models.CharField(max_length=16, choices=NoFile.choices, blank=True)
    reason = models.TextField(blank=True)  # why nothing is filed
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    # Whoever asked for the agreement, and whoever gave it: two people (the constraint below).
    four_eyes = models.BooleanField(default=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    submitted_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True)
    filed_on = models.DateField(null=True)
    reference = models.CharField(max_length=120, blank=True)  # the authority's, or our own
    answer = models.TextField(blank=True)  # what was missing, or why it was rejected

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="report_numbered"),
            models.CheckConstraint(
                condition=~Q(state__in=DECIDED)
                | Q(submitted_by__isnull=False, approved_by__isnull=False)
                & (Q(four_eyes=False) | ~Q(approved_by=F("submitted_by"))),
                name="report_approved_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=~Q(state="NO_FILE") | ~Q(no_file="") & ~Q(reason=""),
                name="not_filed_for_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("FILED", "ACKNOWLEDGED", "REJECTED", "CONTINUING"))
                | Q(filed_on__isnull=False),
                name="filed_on_a_day",
            ),
        ]

    def __str__(self) -> str:
        return gettext("{case} report {number}").format(case=self.case, number=self.number)

    @property
    def is_written(self) -> bool:
        """Its words may still change."""
        return self.state in (Report.State.DRAFT, Report.State.AMENDED)

    @property
    def asks_not_to_file(self) -> bool:
        """Somebody proposed not to file, and nobody has agreed yet."""
        return self.state == Report.State.DECISION_PENDING and bool(self.no_file)

    @property
    def current(self) -> "ReportVersion | None":
        """What it says now."""
        return self.versions.order_by("-number").first()

    @property
    def proposal(self) -> str:
        """A digest of what somebody would agree to: these words, this reason, by this person."""
        version = self.current
        said = [self.pk, self.no_file, self.reason, self.submitted_by_id]
        said += [version.sha256 if version else "", str(self.submitted_at)]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


class ReportVersion(models.Model):
    """What a report said from then on; rows are never edited."""

    report = models.ForeignKey(Report, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    content = models.JSONField()  # section → field → text, see cases/sections.py
    sha256 = models.CharField(max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["report", "number"], name="report_version_numbered")
        ]

    def __str__(self) -> str:
        return f"version {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        plain = json.dumps(self.content, sort_keys=True, ensure_ascii=False)
        self.sha256 = hashlib.sha256(plain.encode()).hexdigest()
        super().save(*args, **kwargs)
