"""People and the keys of machines."""

import uuid
from functools import cached_property

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models.functions import Now

from anomalyshield.accounts.browsers import named
from anomalyshield.accounts.roles import TITLES, actions_of


class People(UserManager["User"]):
    """Every person who can log in."""


class User(AbstractUser):
    """A person. What they may do comes from their groups, one per role; see `roles.py`."""

    is_lead = models.BooleanField(
        default=False, help_text="May reassign others' alerts, act in bulk"
    )
    may_unmask = models.BooleanField(
        default=False, help_text="May see personal data, with a reason"
    )
    timezone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=8, blank=True, default="")  # empty: as the browser asks
    keys = models.BooleanField(default=True)  # single letters act (WCAG 2.1.4: can be switched off)
    displays = models.JSONField(default=dict)  # page → how it looks to them, as they chose
    queues_seen: list[int] | None = None  # while one page is made: asked once

    objects = People()

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @cached_property
    def group_names(self) -> list[str]:
        """In their order; asked once per object, by the rights and by the trail."""
        return sorted(group.name for group in self.groups.all())

    @cached_property
    def roles(self) -> set[str]:
        return set(self.group_names) & set(TITLES)

    @property
    def role_titles(self) -> list[str]:
        """The roles in words, in the order of the table."""
        return [title for role, title in TITLES.items() if role in self.roles]

    @cached_property
    def actions(self) -> frozenset[str]:
        return actions_of(self.roles)

    def may(self, action: str) -> bool:
        """Suspended wins over every role."""
        return self.is_active and action in self.actions

    @property
    def hints_closed(self) -> list[str]:
        """The pages whose first words they have read and put away."""
        return list(self.displays.get("hints_closed", []))

    @property
    def initials(self) -> str:
        names = [self.first_name, self.last_name] if self.first_name else [self.username]
        return "".join(name[:1] for name in names if name).upper()


class OpenSession(models.Model):
    """One browser in which a person is logged in; gone with the session it stands beside."""

    session = models.OneToOneField("sessions.Session", models.CASCADE)
    user = models.ForeignKey(User, models.CASCADE, related_name="open_sessions")
    ip = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=300, blank=True)
    opened_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.user} in {self.browser}"

    @property
    def browser(self) -> str:
        return named(self.agent)


class KeyQuerySet(models.QuerySet["ApiKey"]):
    """Questions asked of keys."""

    def living(self) -> "KeyQuerySet":
        """Not revoked and not past their end; whether their maker may still act is not asked."""
        unending = models.Q(expires_at=None) | models.Q(expires_at__gt=Now())
        return self.filter(unending, revoked_at=None)


class ApiKey(models.Model):
    """A machine's credential: only a prefix and a SHA-256 of it are kept; shown once.

    A fast hash is right here: the key has 190 random bits, there is nothing to guess.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.BinaryField(max_length=32)
    scopes = models.JSONField(default=list)  # names from roles.SCOPES
    source = models.ForeignKey("scoring.Source", models.PROTECT, null=True, blank=True)
    per_minute = models.PositiveIntegerField(null=True, blank=True)  # requests; null: the setting
    created_by = models.ForeignKey(User, models.PROTECT, related_name="keys_made")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = KeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class RateWindow(models.Model):
    """How many requests somebody made within one window; see `limits.py`."""

    pk = models.CompositePrimaryKey("who", "slot")
    who = models.CharField(max_length=100)
    slot = models.BigIntegerField()
    count = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["slot"], name="rate_slot")]

    def __str__(self) -> str:
        return f"{self.count} requests of {self.who}"


class LoginAttempts(models.Model):
    """How often someone tried to log in within one window; see `throttle.py`."""

    who = models.CharField(max_length=64)  # SHA-256 of the name; empty: all names of the address
    address = models.CharField(max_length=45)
    slot = models.BigIntegerField()
    count = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["who", "address", "slot"], name="one_count_per_window")
        ]
        indexes = [models.Index(fields=["slot"], name="attempts_slot")]

    def __str__(self) -> str:
        return f"{self.count} tries from {self.address}"
