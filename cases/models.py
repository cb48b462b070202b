"""Investigation: a case, what is in it, and the two people who close it."""

import hashlib
import json
from datetime import UTC

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from alerts.models import Alert


class CaseQuerySet(models.QuerySet["Case"]):
    """Questions asked of cases."""

    def visible_to(self, user) -> "CaseQuerySet":
        from alerts.visibility import queues_of

        seen = Case.alerts.through.objects.filter(alert__queue__in=queues_of(user))
        return self.filter(pk__in=seen.values("case_id"))

    def open(self) -> "CaseQuerySet":
        return self.exclude(status=Case.Status.CLOSED)

    def under_way(self) -> "CaseQuerySet":
        """Open and still taking alerts: no closure waits for approval."""
        return self.filter(status__in=[Case.Status.OPEN, Case.Status.RETURNED])

    def awaiting(self, user) -> "CaseQuerySet":
        """Those this person may approve: proposed by somebody else, or needing only one."""
        waiting = self.filter(status=Case.Status.PENDING_CLOSURE_APPROVAL)
        return waiting.exclude(proposed_by=user, four_eyes=True)

    def with_counts(self) -> "CaseQuerySet":
        # Counting groups, and a grouped query forgets the model's own ordering.
        return self.annotate(alert_count=models.Count("alerts")).order_by("-pk")


class Case(models.Model):
    """One subject under investigation."""

    class Status(models.TextChoices):
        OPEN = "OPEN"
        PENDING_CLOSURE_APPROVAL = "PENDING_CLOSURE_APPROVAL", "Waiting for approval"
        RETURNED = "RETURNED"
        CLOSED = "CLOSED"

    class Outcome(models.TextChoices):
        CONFIRMED = "CONFIRMED", "Fraud confirmed"
        REFUTED = "REFUTED", "No fraud"
        INCONCLUSIVE = "INCONCLUSIVE"

    title = models.CharField(max_length=200)
    subject = models.CharField(max_length=200)  # the entity investigated, usually a user id
    level = models.CharField(max_length=8)
    status = models.CharField(max_length=24, choices=Status.choices, default=Status.OPEN)
    alerts = models.ManyToManyField(Alert, related_name="cases")
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(db_default=Now())
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="cases")
    # The proposal that waits, or the last one; approved by someone else (the constraint below).
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    findings = models.TextField(blank=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    proposed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True)
    four_eyes = models.BooleanField(default=True)  # the policy when closure was proposed

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(
                    status="CLOSED", four_eyes=True, closed_by=models.F("proposed_by")
                ),
                name="case_closed_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="CLOSED") | ~models.Q(outcome=""),
                name="closed_with_an_outcome",
            ),
            # The constraint above says nothing about a NULL: two named persons, or no closure.
            models.CheckConstraint(
                condition=~models.Q(status="CLOSED")
                | models.Q(proposed_by__isnull=False, closed_by__isnull=False),
                name="case_closed_by_named_persons",
            ),
        ]

    def __str__(self) -> str:
        return f"C-{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status != Case.Status.CLOSED

    @property
    def awaits_approval(self) -> bool:
        return self.status == Case.Status.PENDING_CLOSURE_APPROVAL

    @property
    def proposal(self) -> str:
        """A digest of what is proposed: an approval is of this content and no other."""
        at = self.proposed_at.astimezone(UTC).isoformat() if self.proposed_at else ""
        content = [self.pk, str(self.outcome), self.findings, self.proposed_by_id, at]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


class CaseEvent(models.Model):
    """One entry of a case's timeline."""

    class Kind(models.TextChoices):
        OPENED = "OPENED"
        ALERT_ADDED = "ALERT_ADDED"
        NOTE = "NOTE"
        EVIDENCE = "EVIDENCE"
        CLOSURE_PROPOSED = "CLOSURE_PROPOSED"
        RETURNED = "RETURNED"
        CLOSED = "CLOSED"

    case = models.ForeignKey(Case, models.CASCADE, related_name="timeline")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    text = models.TextField(blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%F %T}"


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
