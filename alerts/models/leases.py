"""Who looks at which alert right now."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from alerts.models.alerts import Alert


class AlertLeaseQuerySet(models.QuerySet["AlertLease"]):
    """Questions asked of leases."""

    def living(self) -> "AlertLeaseQuerySet":
        """Those that have not run out, by the clock of the database."""
        return self.filter(until__gt=Now())

    def of_others(self, person: Any) -> "AlertLeaseQuerySet":
        return self.living().exclude(person=person)


class AlertLease(models.Model):
    """An alert that somebody was given as their next: nobody else is, until it runs out.

    It forbids nothing but being given: whoever opens the alert by hand reads who has it.
    """

    alert = models.OneToOneField(Alert, models.CASCADE, related_name="lease")
    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="alert_lease"
    )
    until = models.DateTimeField()

    objects = AlertLeaseQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.person_id} looks at {self.alert_id}"

    @property
    def minutes_left(self) -> int:
        """Begun ones count."""
        left = (self.until - timezone.now()).total_seconds()
        return max(1, int(-(-left // 60)))
