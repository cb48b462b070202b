"""What the house has said about cases of a queue, and who may change it."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction

from alerts.models import Alert, Queue
from anomalyshield.audit.record import record
from cases.models import Case, QueueTerms

SAID = ("creation_approval", "hours_critical", "hours_high", "hours_medium", "hours_low")


def asks_for_approval(alerts: Sequence[Alert]) -> bool:
    """Whether a case of these needs a second person to be opened: one strict queue is enough."""
    if not settings.FOUR_EYES:
        return False
    queues = {alert.queue_id for alert in alerts}
    return QueueTerms.objects.filter(queue__in=queues, creation_approval=True).exists()


def terms_of(queue: Queue) -> QueueTerms:
    """Its terms, or the defaults, unsaved."""
    return getattr(queue, "terms", None) or QueueTerms(queue=queue)


def terms_for(case: Case) -> QueueTerms:
    """Of the queues of its alerts, those that leave the least time; the defaults where none are."""
    queues = Queue.objects.filter(alerts__cases=case).select_related("terms__calendar").distinct()
    found = [terms_of(queue) for queue in queues]
    return min(found, key=lambda one: (one.hours(case.level), one.pk), default=QueueTerms())


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
    calendar = terms.calendar.name if terms.calendar else None
    return {**{name: getattr(terms, name) for name in SAID}, "calendar": calendar}
