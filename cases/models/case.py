"""A case: one subject under investigation, its state, and who answered for it."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from alerts.models import Alert

WAITING = ("PENDING_CREATION_APPROVAL", "PENDING_CLOSURE_APPROVAL", "PENDING_REOPEN_APPROVAL")
ENDED = ("CLOSED", "PENDING_REOPEN_APPROVAL", "ABANDONED")
CLOSED = ("CLOSED", "PENDING_REOPEN_APPROVAL")  # asking to reopen it opens nothing
UNOPENED = ("DRAFT", "PENDING_CREATION_APPROVAL", "ABANDONED")
TAKING = ("DRAFT", "OPEN", "IN_PROGRESS", "SUSPENDED", "RETURNED")


class CaseQuerySet(models.QuerySet["Case"]):
    """Questions asked of cases."""

    def visible_to(self, user) -> "CaseQuerySet":
        from alerts.visibility import queues_of

        seen = Case.alerts.through.objects.filter(alert__queue__in=queues_of(user))
        named = Q(restricted=False) | Q(pk__in=user.restricted_cases.values("case_id"))
        return self.filter(named, pk__in=seen.values("case_id"))

    def open(self) -> "CaseQuerySet":
        """Neither closed nor abandoned."""
        return self.exclude(status__in=ENDED)

    def under_way(self) -> "CaseQuerySet":
        """Open and still taking alerts: nothing about it waits for approval."""
        return self.filter(status__in=TAKING)

    def late(self) -> "CaseQuerySet":
        """Something of theirs should have been done by now, or looked at again."""
        waited = Q(status="SUSPENDED", waits_until__lt=Now())
        return self.filter(Q(due_at__lt=Now()) | waited)

    def awaiting(self, user) -> "CaseQuerySet":
        """Those this person may answer as the second one: opening, closure or reopening."""
        own = (
            Q(status="PENDING_CREATION_APPROVAL", submitted_by=user)
            | Q(status="PENDING_CLOSURE_APPROVAL", proposed_by=user, four_eyes=True)
            | Q(
                status="PENDING_REOPEN_APPROVAL",
                reopenings__state="ASKED",
                reopenings__asked_by=user,
                reopenings__four_eyes=True,
            )
        )
        mine = Case.objects.filter(own).values("pk")
        return self.filter(status__in=WAITING).exclude(pk__in=mine)

    def with_counts(self) -> "CaseQuerySet":
        # Counting groups, and a grouped query forgets the model's own ordering.
        counted = self.annotate(
            alert_count=models.Count("alerts"), at_stake=models.Sum("alerts__total")
        )
        return counted.order_by("-pk")


class Case(models.Model):
    """One subject under investigation."""

    class Status(models.TextChoices):
        DRAFT = "DRAFT", _("Draft")
        PENDING_CREATION_APPROVAL = "PENDING_CREATION_APPROVAL", _("Opening waits for approval")
        OPEN = "OPEN", _("Open")
        IN_PROGRESS = "IN_PROGRESS", _("In progress")
        SUSPENDED = "SUSPENDED", _("Suspended")
        PENDING_CLOSURE_APPROVAL = "PENDING_CLOSURE_APPROVAL", _("Closure waits for approval")
        RETURNED = "RETURNED", _("Returned")
        CLOSED = "CLOSED", _("Closed")
        PENDING_REOPEN_APPROVAL = "PENDING_REOPEN_APPROVAL", _("Reopening waits for approval")
        ABANDONED = "ABANDONED", _("Abandoned")

    class Outcome(models.TextChoices):
        CONFIRMED = "CONFIRMED", _("Fraud confirmed")
        REFUTED = "REFUTED", _("No fraud")
        INCONCLUSIVE = "INCONCLUSIVE", _("Inconclusive")

    class Waiting(models.TextChoices):
        """What a suspended case waits for."""

        CUSTOMER = "CUSTOMER", _("the customer")
        BANK = "BANK", _("another bank")
        POLICE = "POLICE", _("police or court")
        COLLEAGUE = "COLLEAGUE", _("another team")
        OTHER = "OTHER", _("something else")

    title = models.CharField(max_length=200)
    subject = models.CharField(max_length=200)  # the entity investigated, usually a user id
    level = models.CharField(max_length=8)
    status = models.CharField(max_length=26, choices=Status.choices, default=Status.OPEN)
    alerts = models.ManyToManyField(Alert, related_name="cases")
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(db_default=Now())
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="cases")
    # For those alone who are named in CaseAccess; for everybody else it does not exist.
    restricted = models.BooleanField(default=False)
    # Where a queue's terms ask for it, somebody else agrees that it is opened (constraint below).
    creation_asked = models.BooleanField(default=False)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    submitted_at = models.DateTimeField(null=True)
    admitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    admitted_at = models.DateTimeField(null=True)
    # The nearest of its running clocks; none while all stand still (cases/clocks.py keeps it).
    due_at = models.DateTimeField(null=True)
    waits_for = models.CharField(max_length=9, choices=Waiting.choices, blank=True)
    waits_until = models.DateTimeField(null=True)
    # The proposal that waits, or the last one; approved by someone else (the constraint below).
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    findings = models.TextField(blank=True)
    left_open = models.TextField(blank=True)  # why it can be closed with tasks undone
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    proposed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(  # or abandoned
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True)
    four_eyes = models.BooleanField(default=True)  # the policy when closure was proposed

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["subject"], name="case_subject"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="case_due"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status__in=CLOSED, four_eyes=True, closed_by=F("proposed_by")),
                name="case_closed_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=CLOSED) | ~Q(outcome=""), name="closed_with_an_outcome"
            ),
            # The constraint above says nothing about a NULL: two named persons, or no closure.
            models.CheckConstraint(
                condition=~Q(status__in=CLOSED)
                | Q(proposed_by__isnull=False, closed_by__isnull=False),
                name="case_closed_by_named_persons",
            ),
            models.CheckConstraint(
                condition=Q(creation_asked=False)
                | Q(status__in=UNOPENED)
                | Q(submitted_by__isnull=False, admitted_by__isnull=False)
                & ~Q(admitted_by=F("submitted_by")),
                name="case_opened_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=~Q(status="SUSPENDED") | ~Q(waits_for=""), name="suspended_for_something"
            ),
            models.CheckConstraint(
                condition=~Q(status="ABANDONED") | Q(closed_by__isnull=False),
                name="abandoned_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return f"C-{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status not in ENDED

    @property
    def takes_content(self) -> bool:
        """Alerts, files and tasks may be added: nothing about it waits for a second person."""
        return self.status in TAKING

    @property
    def awaits_approval(self) -> bool:
        return self.status == Case.Status.PENDING_CLOSURE_APPROVAL

    @property
    def is_late(self) -> bool:
        return self.due_at is not None and self.due_at < timezone.now()

    @property
    def looks_again(self) -> bool:
        """The day on which somebody wanted to look again has come, and nobody has."""
        waited = self.status == Case.Status.SUSPENDED and self.waits_until
        return bool(waited and waited <= timezone.now())

    @property
    def state_in_words(self) -> str:
        """Its state; of a closed one what it was."""
        if self.status == Case.Status.CLOSED:
            return self.get_outcome_display()
        return self.get_status_display()

    @property
    def proposal(self) -> str:
        """A digest of what is proposed: an approval is of this content and no other."""
        if self.status == Case.Status.PENDING_CREATION_APPROVAL:
            return _digest(self.pk, "open", self.title, self.submitted_by_id, self.submitted_at)
        if self.status == Case.Status.PENDING_REOPEN_APPROVAL:
            asked = self.reopenings.get(state="ASKED")
            return _digest(self.pk, "reopen", asked.reason, asked.asked_by_id, asked.asked_at)
        closure = (
            str(self.outcome),
            self.findings,
            self.left_open,
            self.proposed_by_id,
            self.proposed_at,
        )
        return _digest(self.pk, *closure)


def _digest(*content: Any) -> str:
    plain = [
        one.astimezone(UTC).isoformat() if isinstance(one, datetime) else one for one in content
    ]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:16]
