"""A change of the policy, asked by one person and answered by another."""

from django.conf import settings
from django.db import models

from scoring.models.decisions import DecisionPolicy


class PolicyRequest(models.Model):
    """Someone asks for other values; someone else puts them into force, or does not."""

    class State(models.TextChoices):
        OPEN = "OPEN"
        APPROVED = "APPROVED"
        REFUSED = "REFUSED"

    base = models.ForeignKey(DecisionPolicy, models.PROTECT, related_name="+")  # what it changes
    values = models.JSONField()  # engine.decision.Policy.as_dict(), whole
    reason = models.TextField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)
    four_eyes = models.BooleanField(default=True)  # the rule of the house when it was answered
    policy = models.OneToOneField(
        DecisionPolicy, models.PROTECT, null=True, related_name="request"
    )  # the version it became

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="OPEN"), name="one_open_policy_request"
            ),
            models.CheckConstraint(
                condition=~models.Q(
                    state="APPROVED", four_eyes=True, asked_by=models.F("answered_by")
                ),
                name="policy_by_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"change of {self.base}"
