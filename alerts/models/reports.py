"""Figures that are sent by e-mail as they come due, and each letter as a row of work."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from anomalyshield.leases import Leased


class ScheduledReportQuerySet(models.QuerySet["ScheduledReport"]):
    """Questions asked of scheduled reports."""

    def visible_to(self, user) -> "ScheduledReportQuerySet":
        """One's own and those one receives; admins see all."""
        if user.may("user.manage"):
            return self
        mine = models.Q(owner=user) | models.Q(pk__in=user.reports_received.values("pk"))
        return self.filter(mine)

    def owned_by(self, user) -> "ScheduledReportQuerySet":
        """Those this person may change."""
        return self if user.may("user.manage") else self.filter(owner=user)


class ScheduledReport(models.Model):
    """Which figures, how often, and to whom: people of this installation and nobody else."""

    class Cadence(models.TextChoices):
        DAILY = "DAILY", _("every day")
        WEEKLY = "WEEKLY", _("every Monday")
        MONTHLY = "MONTHLY", _("on the first of the month")

    name = models.CharField(max_length=80)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="reports_owned"
    )
    tab = models.CharField(max_length=20)  # a key of alerts.analytics.TABS
    last = models.CharField(max_length=4)  # the length of time
    cadence = models.CharField(max_length=8, choices=Cadence.choices)
    hour = models.PositiveSmallIntegerField(default=7)  # on the owner's clocks
    recipients = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="reports_received")
    next_at = models.DateTimeField()
    paused = models.BooleanField(default=False)
    made_at = models.DateTimeField(db_default=Now())

    objects = ScheduledReportQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["next_at"], condition=models.Q(paused=False), name="scheduled_report_due"
            )
        ]

    def __str__(self) -> str:
        return self.name


class ReportLetter(Leased):
    """One report of one moment to one person: built for them, sent, and tried again."""

    report = models.ForeignKey(ScheduledReport, models.CASCADE, related_name="letters")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    slot = models.DateTimeField()  # when it was due
    test = models.BooleanField(default=False)
    tries = models.PositiveSmallIntegerField(default=0)
    note = models.CharField(max_length=200, blank=True)  # why nothing was sent

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["report", "recipient", "slot"], name="one_letter_of_a_slot"
            )
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                condition=models.Q(state__in=["READY", "RUNNING"]),
                name="report_letter_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.report} to {self.recipient}"
