"""What the house has said about cases of a queue, and who may change it."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction

from alerts.models import Alert, Queue
from anomalyshield.audit.record import record
from cases.models import QueueTerms


def asks_for_approval(alerts: Sequence[Alert]) -> bool:
    """Whether a case of these needs a second person to be opened: one strict queue is enough."""
    if not settings.FOUR_EYES:
        return False
    queues = {alert.queue_id for alert in alerts}
    return QueueTerms.objects.filter(queue__in=queues, creation_approval=True).exists()


def terms_of(queue: Queue) -> QueueTerms:
    """Its terms, or the defaults, unsaved."""
    return getattr(queue, "terms", None) or QueueTerms(queue=queue)


@transaction.atomic
def change_terms(*, by: Any, queue: Queue, **values: Any) -> QueueTerms:
    """From now on new cases of this queue are handled so; those under way stay as they are."""
    queue = Queue.objects.select_for_update(no_key=True).get(pk=queue.pk)
    terms = terms_of(queue)
    before = told(terms)
    for name, value in values.items():
        setattr(terms, name, value)
    terms.save()
    if (after := told(terms)) != before:
        record(by=by, action="case.terms_changed", object=queue, before=before, after=after)
    return terms


def told(terms: QueueTerms) -> dict[str, Any]:
    """As the trail and programs read them."""
    return {"creation_approval": terms.creation_approval}
