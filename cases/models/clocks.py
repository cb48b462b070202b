"""Calendars of the house, and the clocks of a case with what made them stand still."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop as _noop

from cases import calendars
from cases.models.case import Case


class BusinessCalendar(models.Model):
    """When a house works: hours of each weekday in its time zone, and days on which nobody does.

    `week` as people write it (`{"mon": "09:00-12:00, 13:00-17:00"}`), `holidays` as
    `[["2026-12-25", "Christmas"]]`; both are read by `cases.calendars.read`.
    """

    WORKING_WEEK = dict.fromkeys(calendars.DAYS[:5], "09:00-17:00")

    name = models.CharField(max_length=80, unique=True)
    zone = models.CharField(max_length=64, default="UTC")
    week = models.JSONField(default=dict)
    holidays = models.JSONField(default=list, blank=True)
    is_default = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_calendar"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def default(cls) -> "BusinessCalendar":
        """By which every clock runs that no queue's terms say otherwise of."""
        found = cls.objects.filter(is_default=True).first()
        return found or cls.objects.create(
            name=_noop("Working days"), week=cls.WORKING_WEEK, is_default=True
        )

    @property
    def hours(self) -> calendars.Calendar:
        """For arithmetic."""
        return calendars.read(self.zone, self.week, [day for day, _ in self.holidays])


class ClockQuerySet(models.QuerySet["Clock"]):
    """Questions asked of clocks."""

    def running(self) -> "ClockQuerySet":
        """Neither stopped nor standing still."""
        return self.filter(stopped_at=None, due_at__isnull=False)


class Clock(models.Model):
    """Something that is due: the work on a case in business time, a report in calendar days."""

    class Kind(models.TextChoices):
        CASE = "CASE", _("Work on the case")
        REG_FILING = "REG_FILING", _("Report to the authority")
        CONTINUING = "CONTINUING", _("Report on what went on")

    REGULATORY = (Kind.REG_FILING, Kind.CONTINUING)

    case = models.ForeignKey(Case, models.CASCADE, related_name="clocks")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    calendar = models.ForeignKey(BusinessCalendar, models.PROTECT, related_name="clocks")
    started_at = models.DateTimeField()
    length = models.DurationField(null=True)  # of business time
    determined_on = models.DateField(null=True)  # what the days of a regulatory clock count from
    days = models.PositiveIntegerField(null=True)
    due_at = models.DateTimeField(null=True)  # none while it stands still
    stopped_at = models.DateTimeField(null=True)

    objects: Any = ClockQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "kind"], condition=Q(stopped_at=None), name="one_clock_of_a_kind"
            ),
            # The regulator's clock never stands still.
            models.CheckConstraint(
                condition=Q(kind="CASE") | Q(due_at__isnull=False, determined_on__isnull=False),
                name="regulatory_clock_never_pauses",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.case_id}"

    @property
    def is_regulatory(self) -> bool:
        return self.kind in self.REGULATORY

    @property
    def stands_still(self) -> bool:
        return self.stopped_at is None and self.due_at is None

    @property
    def was_late(self) -> bool:
        return bool(self.stopped_at and self.due_at and self.stopped_at > self.due_at)


class ClockPause(models.Model):
    """From when to when a clock stood still, and why."""

    clock = models.ForeignKey(Clock, models.CASCADE, related_name="pauses")
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    reason = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["clock"], condition=Q(ended_at=None), name="one_pause_at_a_time"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="paused_for_a_reason"),
        ]

    def __str__(self) -> str:
        return f"pause of {self.clock_id}"
