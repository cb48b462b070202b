"""Everything one alert was judged by, for programs."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from alerts.api import AboutAlert
from alerts.views.evidence import taken
from anomalyshield.rest.resource import does


class AlertEvidenceOut(s.Serializer):
    """One alert as it was judged: version 1 of `anomalyshield.alert-evidence`."""

    schema = s.CharField()
    version = s.IntegerField()
    made_at = s.DateTimeField()
    made_by = s.CharField()
    masked = s.BooleanField(help_text="Whether personal values show their ends only")
    alert = s.DictField(help_text="What stands on it")
    payments = s.ListField(
        child=s.DictField(),
        help_text="Each with its decision (model version and sha256, policy with its values, "
        "rules and what they compared), its explanation (base + contributions = margin), its "
        "labels and what became of it",
    )
    features = s.DictField(allow_null=True, help_text="That its leading payment was scored on")
    lists = s.DictField(help_text="Entries that were met, and the version of the lists")
    verdicts = s.ListField(child=s.DictField())
    snoozes = s.ListField(child=s.DictField())
    regroupings = s.ListField(child=s.DictField())
    notes = s.ListField(child=s.DictField(), help_text="None where personal values are masked")
    trail = s.ListField(
        child=s.DictField(), help_text="Its events with the hashes of the audit chain"
    )


class Evidence(AboutAlert):
    """The evidence of one alert."""

    @does("readAlertEvidence", "report.export", AlertEvidenceOut)
    def get(self, request: Request, pk: int) -> dict[str, Any]:
        """Everything the alert was judged by, to be checked without this installation."""
        return taken(self.one(request, pk), by=request.user, form="api")
