"""Where transactions come from, and every version of what is said about it."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _lazy
from guardian.models import GroupObjectPermission
from guardian.shortcuts import assign_perm

from anomalyshield.accounts.grants import granted
from anomalyshield.accounts.roles import ENGINEER
from scoring.engine.exchange import Table

USE = "scoring.use_source"
CONSUMER, SPARK = "consumer", "spark"  # who reads the topics of a source of Kafka


def base_currency() -> str:
    return settings.BASE_CURRENCY


class SourceQuerySet(models.QuerySet["Source"]):
    """Questions asked of sources."""

    def visible_to(self, user: Any) -> "SourceQuerySet":
        """Admins see all; who keeps sources, those granted to them or their group; a key, its own
        or, bound to none, all."""
        if (key := getattr(user, "key", None)) is not None:
            return self.filter(pk=key.source_id) if key.source_id else self.all()
        if not user.may("source.view"):
            return self.none()
        return self.all() if user.may("user.manage") else self.filter(granted(user, USE))

    def open_to(self, user: Any) -> "SourceQuerySet":
        """Where this person may send files: who keeps no sources sees only what they sent."""
        return self.visible_to(user) if user.may("source.view") else self.all()

    def left_to_spark(self) -> "SourceQuerySet":
        """Those that are switched on, and that no reader of ours may read."""
        return self.filter(active=True, kind=Source.Kind.KAFKA, connection__reader=SPARK)

    def read_here(self) -> "SourceQuerySet":
        """Those that are switched on and not left to Spark."""
        # By their numbers: excluding by a key leaves out whose connection lacks it.
        return self.filter(active=True).exclude(pk__in=Source.objects.left_to_spark().values("pk"))


class Source(models.Model):
    """An upstream system. Transaction ids are unique within their source.

    `connection` says how it is reached and is shown; `sealed` are its secrets by name, which
    `scoring.secrets` opens. Both have the settings of its kind (`scoring/connections.py`).
    """

    class Kind(models.TextChoices):
        REST = "rest"
        CSV = "csv"
        PARQUET = "parquet"
        KAFKA = "kafka"
        MQTT = "mqtt"
        WEBHOOK = "webhook"

    class Late(models.TextChoices):
        ACCEPT = "ACCEPT", _lazy("Take it, however old it is")
        REJECT = "REJECT", _lazy("Refuse what is older than this when it comes")

    class Future(models.TextChoices):
        REJECT = "REJECT", _lazy("Refuse what is further ahead than this")
        CLAMP = "CLAMP", _lazy("Take it as of now")

    name = models.SlugField(max_length=64, unique=True)
    title = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.CSV)
    currency = models.CharField(max_length=3, default=base_currency)
    timezone = models.CharField(max_length=64, default="UTC")
    mapping = models.JSONField(default=dict, blank=True)  # their column -> our field
    connection = models.JSONField(default=dict, blank=True)
    sealed = models.JSONField(default=dict, blank=True)  # name of a secret -> sealed text
    # Names of sources: then its records are notices about their payments, and no payments.
    about = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    schema = models.JSONField(null=True, blank=True)  # JSON Schema of a record as it is sent
    pii = ArrayField(models.CharField(max_length=200), default=list, blank=True)  # their columns
    places = models.BooleanField(default=False)  # look up where a stated location lies
    late = models.CharField(max_length=8, choices=Late.choices, default=Late.ACCEPT)
    late_after = models.PositiveIntegerField(default=86_400)  # seconds before its receipt
    future = models.CharField(max_length=8, choices=Future.choices, default=Future.REJECT)
    future_after = models.PositiveIntegerField(default=300)  # seconds after its receipt
    active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    heard_at = models.DateTimeField(null=True, editable=False)  # within half a minute
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SourceQuerySet.as_manager()
    # Not a column: the exchange rates, where a thread reads records that may ask no database.
    rates: Table | None = None
    signing_secret = ""  # not a column: told once, by the verb that made it

    class Meta:
        ordering = ["name"]
        permissions = [("use_source", "May read this source's transactions and rejects")]

    def __str__(self) -> str:
        return self.title or self.name

    def save(self, *args: Any, **more: Any) -> None:
        """A new source belongs to all data engineers until an admin says otherwise."""
        new = self._state.adding
        super().save(*args, **more)
        if new:
            assign_perm(USE, Group.objects.get_or_create(name=ENGINEER)[0], self)

    @property
    def lacks(self) -> str:
        """The setting its connection must still say before anybody can read it; empty: none."""
        said = self.connection
        if self.kind == self.Kind.KAFKA:
            reached = said.get("bootstrap_servers") or settings.KAFKA_SERVERS
            return "" if reached else "bootstrap_servers"
        wanted = ("host", "topic") if self.kind == self.Kind.MQTT else ()
        return next((name for name in wanted if not said.get(name)), "")

    @property
    def reader(self) -> str:
        """Who reads its topics: our consumer or Spark alone; empty for what is not of Kafka."""
        kafka = self.kind == self.Kind.KAFKA
        return str(self.connection.get("reader", CONSUMER)) if kafka else ""

    @property
    def left_to_spark(self) -> bool:
        return self.reader == SPARK

    @property
    def last_heard(self) -> datetime | None:
        """When something came from it; `last` is of its files, where a list has asked for that."""
        heard = [self.heard_at, getattr(self, "last", None)]
        return max((moment for moment in heard if moment), default=None)

    def teams(self) -> "models.QuerySet[GroupObjectPermission]":
        """The groups that keep it."""
        app, _, codename = USE.partition(".")
        return GroupObjectPermission.objects.filter(
            permission__codename=codename,
            permission__content_type__app_label=app,
            object_pk=str(self.pk),
        )


class SourceVersion(models.Model):
    """What a source said from then on, without its secrets. Never changed, never deleted."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    values = models.JSONField()  # every field of scoring.sourcing.TOLD
    changed = ArrayField(models.CharField(max_length=64), default=list)  # fields, secret:<name>
    by = models.CharField(max_length=150)  # as the trail names them
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["source", "number"], name="source_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.source.name} version {self.number}"
