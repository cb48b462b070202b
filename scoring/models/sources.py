"""Where transactions come from, and what was refused at the door."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from guardian.models import GroupObjectPermission
from guardian.shortcuts import assign_perm

from anomalyshield.accounts.grants import granted
from anomalyshield.accounts.roles import ENGINEER

USE = "scoring.use_source"


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


class Source(models.Model):
    """An upstream system. Transaction ids are unique within their source."""

    class Kind(models.TextChoices):
        REST = "rest"
        CSV = "csv"
        PARQUET = "parquet"

    name = models.SlugField(max_length=64, unique=True)
    title = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.CSV)
    currency = models.CharField(max_length=3, default=base_currency)
    timezone = models.CharField(max_length=64, default="UTC")
    mapping = models.JSONField(default=dict, blank=True)  # their column -> our field
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SourceQuerySet.as_manager()

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

    def teams(self) -> "models.QuerySet[GroupObjectPermission]":
        """The groups that keep it."""
        app, _, codename = USE.partition(".")
        return GroupObjectPermission.objects.filter(
            permission__codename=codename,
            permission__content_type__app_label=app,
            object_pk=str(self.pk),
        )


class RejectedRecord(models.Model):
    """A record that did not become a transaction: where it stood, what it said, why not."""

    source = models.ForeignKey(Source, models.PROTECT)
    upload = models.ForeignKey("scoring.Upload", models.CASCADE, null=True, related_name="rejects")
    position = models.BigIntegerField()  # row number in a file, 1-based; 0 for REST
    record = models.JSONField()
    reasons = models.JSONField()  # {"amount": "is not a number"}
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            # A chunk of a file read again after a crash must not double its rejects.
            models.UniqueConstraint(
                fields=["upload", "position"],
                condition=models.Q(upload__isnull=False),
                name="reject_once_per_row",
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} row {self.position}"
