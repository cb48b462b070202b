"""What became of the payment a decision holds: rows that are added and never changed."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from scoring.models.decisions import Decision


class Resolution(models.Model):
    """One step in the life of a held payment; the last of a decision's chain is how it stands.

    A REVIEW or BLOCK without any is held. A reversal takes back the one it follows.
    """

    class State(models.TextChoices):
        HELD = "HELD", _("Held")
        RELEASED = "RELEASED", _("Released")
        DECLINED = "DECLINED", _("Declined")

    decision = models.ForeignKey(Decision, models.PROTECT, related_name="resolutions")
    state = models.CharField(max_length=8, choices=State.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())
    reason = models.CharField(max_length=16, blank=True)  # the value of the label given with it
    behind = models.CharField(max_length=80, blank=True)  # A-12, or the case that closed it
    is_reversal = models.BooleanField(default=False)
    # Points back like a label, so the chain has one end and of two at once the second fails.
    follows = models.OneToOneField("self", models.PROTECT, null=True, related_name="followed_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["decision"], condition=models.Q(follows=None), name="one_first_resolution"
            ),
            models.CheckConstraint(
                condition=models.Q(is_reversal=False) | models.Q(follows__isnull=False),
                name="a_reversal_reverses_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} by {self.by or 'the installation'}"
