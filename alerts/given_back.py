"""An alert leaves an investigation without a verdict: it stands in the queue again."""

from typing import Any

from django.db import transaction

from alerts.models import Alert
from anomalyshield.audit.record import record


@transaction.atomic
def give_back(*, by: Any, alert: Alert, why: str) -> Alert:
    """To its queue, for whoever has time. One that was decided meanwhile stays as it is."""
    alert = Alert.objects.select_for_update(of=("self",)).get(pk=alert.pk)
    if alert.status != Alert.Status.ESCALATED:
        return alert
    before = {"status": alert.status}
    alert.status, alert.assignee = Alert.Status.NEW, None
    alert.save(update_fields=["status", "assignee"])
    after = {"status": alert.status}
    record(by=by, action="alert.given_back", object=alert, before=before, after=after, reason=why)
    return alert
