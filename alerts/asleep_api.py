"""Setting alerts aside until later, for programs."""

from typing import Any

from rest_framework.request import Request

from alerts import snoozing
from alerts.api import AboutAlert
from alerts.api_shapes import AlertOut
from alerts.models import Alert
from anomalyshield.rest.resource import does
from anomalyshield.rest.shapes import Flag, Moment, Strict, Text


class SnoozeIn(Strict):
    """Until when it is set aside, and why."""

    until = Moment(help_text="At most 30 days away")
    reason = Text(max_length=snoozing.REASON_LENGTH)
    for_customer = Flag(
        required=False, help_text="Their answer is waited for: the clock stands still until then"
    )


class SnoozeOne(AboutAlert):
    @does("snoozeAlert", "alert.work", AlertOut, body=SnoozeIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Alert:
        """Set an alert aside; it comes back by the clock, or when a payment joins it."""
        snoozing.snooze(by=request.user, alert=self.one(request, pk), **given)
        return self.one(request, pk)


class Wake(AboutAlert):
    @does("wakeAlert", "alert.work", AlertOut, versioned=True)
    def post(self, request: Request, pk: int) -> Alert:
        """Take a snoozed alert up again; within ten minutes that takes the snooze back."""
        snoozing.wake(by=request.user, alert=self.one(request, pk))
        return self.one(request, pk)
