"""Who is always blocked, and whom a score alone does not stop: entries that end but stay."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from scoring.engine.lists import ENTITIES


class ListEntryQuerySet(models.QuerySet["ListEntry"]):
    """Questions asked of the lists."""

    def living(self) -> "ListEntryQuerySet":
        """Not ended; whether it has run out is another matter."""
        return self.exclude(state=ListEntry.State.ENDED)

    def in_force(self) -> "ListEntryQuerySet":
        endless = models.Q(expires_at=None)
        return self.filter(endless | models.Q(expires_at__gt=Now()), state=ListEntry.State.ACTIVE)

    def run_out(self) -> "ListEntryQuerySet":
        return self.living().filter(expires_at__lte=Now())


class ListEntry(models.Model):
    """One user, card, device or merchant on one list, why, until when, and by whom.

    Nothing of what it says is ever edited: it ends, and another one is made.
    """

    class Kind(models.TextChoices):
        DENY = "DENY", _("Deny")
        ALLOW = "ALLOW", _("Allow")

    class Entity(models.TextChoices):
        USER = "user", _("User")
        CARD = "card", _("Card")
        DEVICE = "device", _("Device")
        MERCHANT = "merchant", _("Merchant")

    class State(models.TextChoices):
        PROPOSED = "PROPOSED", _("Waits for a second person")
        ACTIVE = "ACTIVE", _("In force")
        ENDED = "ENDED", _("Ended")

    kind = models.CharField(max_length=5, choices=Kind.choices)
    entity = models.CharField(max_length=8, choices=Entity.choices)
    key = models.BigIntegerField()  # as in scoring_transaction: engine/keys.py
    value = models.CharField(max_length=200)
    reason = models.CharField(max_length=500)
    behind = models.CharField(max_length=80, blank=True)  # the alert it came from
    expires_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=State.choices)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(db_default=Now())
    four_eyes = models.BooleanField(default=True)  # the policy when it was proposed
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    in_force_since = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=500, blank=True)

    objects = ListEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "entity", "key"],
                condition=~models.Q(state="ENDED"),
                name="listed_once",
            ),
            models.CheckConstraint(
                condition=models.Q(entity__in=ENTITIES) & ~models.Q(key=0),
                name="listed_is_somebody",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="ALLOW") | models.Q(expires_at__isnull=False),
                name="allowed_until_a_date",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="ALLOW", state="ACTIVE")
                | models.Q(approved_by__isnull=False)
                & (models.Q(four_eyes=False) | ~models.Q(approved_by=models.F("proposed_by"))),
                name="allowed_by_a_second_person",
            ),
        ]
        indexes = [
            models.Index(fields=["key"], name="listed_key"),
            models.Index(
                fields=["expires_at"], condition=models.Q(state="ACTIVE"), name="listed_in_force"
            ),
        ]

    def __str__(self) -> str:
        return f"L-{self.pk}"


class ListVersion(models.Model):
    """Goes up by one with every change, in its transaction, so that processes know to look again.

    One row; who changes a list waits for whoever changes one at the same moment.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return str(self.version)
