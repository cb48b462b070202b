"""The cost model: versions of its figures, asked by one person and put into force by a second."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from anomalyshield.asking import Asked


class CostModel(models.Model):
    """A version of what fraud and the work against it cost. Rows are never edited."""

    version = models.PositiveIntegerField(unique=True)
    values = models.JSONField()  # engine.costs.Costs.as_dict()
    active = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )  # who asked for it and answers for its figures
    created_at = models.DateTimeField(db_default=Now())  # when it came into force
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["active"], condition=models.Q(active=True), name="one_active_cost_model"
            )
        ]

    def __str__(self) -> str:
        return f"cost model {self.version}"


class CostRequest(Asked):
    """Someone asks for other figures; someone else puts them into force, or does not."""

    base = models.ForeignKey(CostModel, models.PROTECT, related_name="+")  # what it changes
    values = models.JSONField()  # engine.costs.Costs.as_dict(), whole
    four_eyes = models.BooleanField(default=True)  # the rule of the house when it was answered
    became = models.OneToOneField(CostModel, models.PROTECT, null=True, related_name="request")

    class Meta(Asked.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="OPEN"), name="one_open_cost_request"
            ),
            models.CheckConstraint(
                condition=~models.Q(
                    state="APPROVED", four_eyes=True, asked_by=models.F("answered_by")
                ),
                name="costs_by_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"change of {self.base}"
