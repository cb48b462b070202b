"""When somebody is gone: what they were working on goes back to where others find it."""

from typing import Any

from django.db import transaction

from alerts import reviews, triage
from alerts.models import Alert


@transaction.atomic
def return_alerts(*, by: Any, of: Any) -> int:
    """Give every open alert of this person back to its queue, each on the trail; how many."""
    held = Alert.objects.open().filter(assignee=of).order_by("pk")
    for alert in held:
        triage.release(by=by, alert=alert)
    return len(held)


def on_suspension(sender: Any, by: Any, user: Any, **_: Any) -> None:
    return_alerts(by=by, of=user)
    reviews.give_back(by=by, of=user)
