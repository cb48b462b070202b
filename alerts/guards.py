"""What every verb on an alert asks first: as it is now, still open, and nobody else's."""

from typing import Any

from django.utils.translation import gettext as _

from alerts.models import Alert
from anomalyshield.templatetags.words import within
from scoring import labels

# The alert, or the label it would give, does not allow this now; the message is a sentence for the
# person who asked.
Refused = labels.Refused


def leads(by: Any) -> bool:
    """The right by role is not enough: an analyst must be a lead as well; admins need not."""
    return by.may("alert.lead") and (by.is_lead or by.may("user.manage"))


def locked(alert: Alert) -> Alert:
    """As it is now, and nobody else changes it before this transaction ends."""
    return (
        Alert.objects.select_for_update(of=("self",))
        .select_related("transaction", "assignee", "closed_by")
        .get(pk=alert.pk)
    )


def name_of(person: Any) -> str:
    return person.get_username() if person else ""


def still_open(alert: Alert) -> None:
    if alert.status == Alert.Status.MERGED:
        raise Refused(
            _("{alert} was merged into {merged_into}.").format(
                alert=alert, merged_into=alert.merged_into
            )
        )
    if alert.status == Alert.Status.CLOSED:
        raise Refused(
            _("{alert} was already decided by {closed_by}: {verdict}.").format(
                alert=alert,
                closed_by=alert.closed_by,
                verdict=within(alert.get_disposition_display()),
            )
        )


def nobody_elses(alert: Alert, by: Any) -> None:
    if alert.assignee is None or alert.assignee == by or leads(by):
        return
    raise Refused(
        _("{assignee} is working on {alert}. Ask them, or a lead, to release it.").format(
            assignee=alert.assignee, alert=alert
        )
    )
