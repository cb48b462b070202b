"""Rows of work that are given to one person at a time, each with its own lease in the row.

Alerts have theirs in a table of its own (`alerts/models/leases.py`): their rows are written while
they are looked at. These are written once, when they are answered.
"""

from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

Row = TypeVar("Row", bound=models.Model)


class HeldQuerySet(models.QuerySet[Row]):
    """Questions asked of rows that somebody may be looking at."""

    def free_for(self, user: Any) -> Self:
        """Nobody else looks at it now, by the clock of the database."""
        others = models.Q(held_until__gt=Now()) & ~models.Q(holder_id=user.pk)
        return self.exclude(others)


class Held(models.Model):
    """Whose next one it was, and until when nobody else is given it."""

    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    held_until = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def is_held(self) -> bool:
        """Whether somebody looks at it now."""
        return self.held_until is not None and self.held_until > timezone.now()

    def is_held_from(self, person: Any) -> bool:
        return self.is_held and self.holder_id != person.pk
