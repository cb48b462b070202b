"""The wish to go on with a closed case, and the second person's answer."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from cases.models.case import Case


class Reopening(models.Model):
    """Somebody asks to reopen a closed case; somebody else answers. Every one of them is kept."""

    class State(models.TextChoices):
        ASKED = "ASKED", _("Asked")
        APPROVED = "APPROVED", _("Approved")
        REFUSED = "REFUSED", _("Refused")

    case = models.ForeignKey(Case, models.CASCADE, related_name="reopenings")
    state = models.CharField(max_length=8, choices=State.choices, default=State.ASKED)
    reason = models.TextField()
    four_eyes = models.BooleanField(default=True)  # the policy when it was asked
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(db_default=Now())
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=models.Q(state="ASKED"), name="one_reopening_waits"
            ),
            # A comparison with NULL says nothing: the person is asked for by name first.
            models.CheckConstraint(
                condition=~models.Q(state="APPROVED")
                | models.Q(answered_by__isnull=False)
                & (models.Q(four_eyes=False) | ~models.Q(answered_by=models.F("asked_by"))),
                name="case_reopened_by_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"reopening of {self.case_id}"
