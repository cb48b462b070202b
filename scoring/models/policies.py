"""A change of the policy, asked by one person and answered by another."""

from django.db import models

from anomalyshield.asking import Asked
from scoring.models.decisions import DecisionPolicy


class PolicyRequest(Asked):
    """Someone asks for other values; someone else puts them into force, or does not."""

    base = models.ForeignKey(DecisionPolicy, models.PROTECT, related_name="+")  # what it changes
    values = models.JSONField()  # engine.decision.Policy.as_dict(), whole
    four_eyes = models.BooleanField(default=True)  # the rule of the house when it was answered
    policy = models.OneToOneField(
        DecisionPolicy, models.PROTECT, null=True, related_name="request"
    )  # the version it became

    class Meta(Asked.Meta):
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
