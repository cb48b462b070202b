"""The audit trail for programs: one's own actions, or everyone's for admins."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.accounts.views.trail import readable
from anomalyshield.audit.models import AuditEvent
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, page

FILTERS = ("actor", "action", "object_type", "object_id", "outcome", "request_id")


class TrailAsked(Listed):
    """What is looked for; each compared as a whole."""

    actor = s.CharField(max_length=150, required=False, help_text="ana, key:as_1a2b3c4d, worker")
    action = s.CharField(max_length=64, required=False, help_text="Like alert.decided")
    object_type = s.CharField(max_length=64, required=False, help_text="Like alerts.alert")
    object_id = s.CharField(max_length=64, required=False)
    outcome = s.ChoiceField(AuditEvent.Outcome.choices, required=False)
    request_id = s.CharField(max_length=36, required=False)


class EventOut(s.ModelSerializer):
    """One thing that happened, or was refused."""

    before = s.DictField(allow_null=True)
    after = s.DictField(allow_null=True)
    number = s.IntegerField(allow_null=True, help_text="In the sealed chain; null: not sealed yet")
    digest = s.SerializerMethodField(help_text="SHA-256 over it and the digest before, in hex")

    class Meta:
        model = AuditEvent
        fields = (
            "id", "number", "digest", "at", "actor", "role", "ip", "request_id", "action",
            "object_type", "object_id", "outcome", "reason", "before", "after",
        )  # fmt: skip

    def get_digest(self, event: AuditEvent) -> str | None:
        return bytes(event.digest).hex() if event.digest else None


class Trail(Resource):
    """The trail."""

    @does("listEvents", "audit.own", page(EventOut), asked=TrailAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """What the caller did, or anybody for admins, latest first."""
        wanted = {name: asked[name] for name in FILTERS if name in asked}
        return latest_first(readable(request.user).filter(**wanted), asked)


class OneEvent(Resource):
    @does("readEvent", "audit.own", EventOut, versioned=True)
    def get(self, request: Request, pk: int) -> AuditEvent:
        """One event of the trail."""
        return self.one(request, pk)

    def one(self, request: Request, pk: int) -> AuditEvent:
        found: QuerySet[AuditEvent] = readable(request.user)
        return self.found(found, pk)
