"""The audit trail: one row per effect, sealed into a hash chain shortly after it commits."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class AuditEvent(models.Model):
    """One thing that happened, written in the transaction that made it happen.

    Rows are inserted unsealed; one sealer numbers committed rows and chains their hashes
    (`seal.py`). Triggers refuse UPDATE and DELETE except the sealer's columns, once.
    """

    class Outcome(models.TextChoices):
        DONE = "DONE", _("Done")
        DENIED = "DENIED", _("Denied")

    at = models.DateTimeField(db_default=Now())
    # Names, not foreign keys: the trail outlives the account it speaks of.
    actor = models.CharField(max_length=150)  # user name, "key:<prefix>", "worker", "command"
    role = models.CharField(max_length=100, blank=True)
    ip = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=36, blank=True)
    action = models.CharField(max_length=64)  # "alert.decided"
    object_type = models.CharField(max_length=64, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.DONE)
    reason = models.TextField(blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    # The sealer's columns.
    number = models.BigIntegerField(null=True, unique=True)
    previous = models.BinaryField(max_length=32, null=True)
    digest = models.BinaryField(max_length=32, null=True)

    class Meta:
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="audit_object"),
            models.Index(fields=["actor", "-id"], name="audit_actor"),
            models.Index(fields=["action", "-id"], name="audit_action"),
            models.Index(fields=["id"], condition=models.Q(number=None), name="audit_unsealed"),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor}"
