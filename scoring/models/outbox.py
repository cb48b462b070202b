"""What is told to upstream systems: written with what it tells of, sent afterwards."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from anomalyshield.leases import Leased
from scoring.models.resolutions import Resolution


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    """Questions asked of endpoints."""

    def subscribed_to(self, event: str) -> "EndpointQuerySet":
        return self.filter(events__contains=[event])


class Endpoint(models.Model):
    """An address of an upstream system and how it is spoken to.

    Its secret is stored nowhere: it is derived from SECRET_KEY and a random salt, so a copy of the
    database alone cannot sign. `mark` tells whether SECRET_KEY is still the one it was made with.
    """

    class State(models.TextChoices):
        ACTIVE = "ACTIVE", _("Active")
        PAUSED = "PAUSED", _("Paused")
        STOPPED = "STOPPED", _("Stopped")  # by the platform; `stopped_because` says why

    class Finality(models.TextChoices):
        NEVER = "", _("Nothing: what was sent can be reversed")
        DECLINED = "DECLINED", _("A declined payment, once it was told")
        ANY = "ANY", _("Whatever was told")

    name = models.CharField(max_length=80, unique=True)
    url = models.CharField(max_length=500)
    events = ArrayField(models.CharField(max_length=32))
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    stopped_because = models.CharField(max_length=200, blank=True)
    finality = models.CharField(max_length=8, choices=Finality.choices, blank=True)
    salt = models.BinaryField(max_length=32)
    mark = models.CharField(max_length=16)
    former_salt = models.BinaryField(max_length=32, null=True)  # signs too until `former_until`
    former_until = models.DateTimeField(null=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    failures = models.PositiveIntegerField(default=0)  # in a row
    failing_since = models.DateTimeField(null=True)
    rest_until = models.DateTimeField(null=True)  # not asked before: it failed again and again

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class OutboundEvent(models.Model):
    """One thing that happened, as the bytes that are sent. Its id is the `webhook-id`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    type = models.CharField(max_length=32)
    body = models.TextField()
    key = models.CharField(max_length=64, blank=True)  # events with one key keep their order
    made_at = models.DateTimeField(db_default=Now())
    resolution = models.OneToOneField(Resolution, models.PROTECT, null=True, related_name="event")

    class Meta:
        indexes = [
            models.Index(  # they are many and are dropped when they are told: scoring/retention.py
                fields=["made_at"],
                condition=models.Q(type="features.computed"),
                name="outbound_features",
            )
        ]

    def __str__(self) -> str:
        return f"msg_{self.id.hex}"


class Delivery(Leased):
    """An event on its way to one endpoint. DONE means it answered 2xx, or that the
    broker reported it as kept.

    `attempts` counts workers that died of it; `tries` counts requests, which have a schedule of
    days (`scoring/webhooks/relay.py`).
    """

    event = models.ForeignKey(OutboundEvent, models.PROTECT, related_name="deliveries")
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="deliveries")
    tries = models.PositiveSmallIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True)  # of the last answer
    said = models.CharField(max_length=200, blank=True)  # in our words; never what they answered
    sent_at = models.DateTimeField(null=True)
    final = models.BooleanField(default=False)  # they hold it to be final: no undo any more

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="delivered_once_each")
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                condition=models.Q(state__in=["READY", "RUNNING"]),
                name="delivery_due",
            ),
            models.Index(fields=["endpoint", "-id"], name="delivery_latest"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"
