"""Routes: which queue takes which decision, in order; versions that two people put in force."""

import hashlib
import json

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from alerts.models.queues import Queue


class Routing(models.Model):
    """A version of the whole list. Drafts are edited; whatever was proposed once never is again."""

    class State(models.TextChoices):
        DRAFT = "DRAFT", _("Draft")
        PROPOSED = "PROPOSED", _("Waiting for approval")
        ACTIVE = "ACTIVE", _("In force")
        RETIRED = "RETIRED", _("Replaced")
        REFUSED = "REFUSED", _("Refused")

    number = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    drafted_at = models.DateTimeField(db_default=Now())
    reason = models.TextField(blank=True)  # of whoever proposed it
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)
    four_eyes = models.BooleanField(default=True)  # the policy when it was proposed

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="ACTIVE"), name="one_active_routing"
            ),
            models.CheckConstraint(
                condition=~models.Q(
                    state__in=["ACTIVE", "RETIRED"],
                    four_eyes=True,
                    answered_by=models.F("proposed_by"),
                ),
                name="routing_by_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"routing {self.number}"

    @property
    def digest(self) -> str:
        """Of its content and its proposal: an approval is of this and of nothing else."""
        content = [self.number, self.reason, self.proposed_by_id]
        content += [route.content for route in self.routes.select_related("queue")]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


class Route(models.Model):
    """One line: the decisions that meet every condition go to this queue. The first match takes."""

    class Grouping(models.TextChoices):
        TYPOLOGY = "TYPOLOGY", _("by suspicion")
        USER = "USER", _("by customer")
        CARD = "CARD", _("by card")
        DEVICE = "DEVICE", _("by device")
        MERCHANT = "MERCHANT", _("by merchant")
        NONE = "NONE", _("not at all")

    routing = models.ForeignKey(Routing, models.CASCADE, related_name="routes")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=80)
    conditions = models.JSONField(default=dict)  # alerts/conditions.py; empty: takes everything
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="routes")
    grouping = models.CharField(max_length=8, choices=Grouping.choices, default=Grouping.TYPOLOGY)
    window_hours = models.PositiveIntegerField(default=24)  # between payments of one alert
    sla_minutes = models.PositiveIntegerField(null=True, blank=True)  # empty: the queue's
    is_default = models.BooleanField(default=False)

    class Meta:
        ordering = ["is_default", "position", "id"]  # the default is always the last
        constraints = [
            models.UniqueConstraint(
                fields=["routing"], condition=models.Q(is_default=True), name="one_default_route"
            ),
            models.CheckConstraint(
                condition=models.Q(is_default=False) | models.Q(conditions={}),
                name="default_route_takes_everything",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def sla(self) -> int:
        """Minutes until somebody should have looked."""
        return self.sla_minutes or self.queue.sla_minutes

    @property
    def content(self) -> dict[str, object]:
        """What it says, for a digest and the trail."""
        return {
            "name": self.name,
            "conditions": self.conditions,
            "queue": self.queue.slug,
            "grouping": self.grouping,
            "window_hours": self.window_hours,
            "sla_minutes": self.sla_minutes,
            "default": self.is_default,
        }
