"""The next alert, for programs: given to one at a time."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from alerts import leasing, snoozing
from alerts.api import AboutAlert, readable
from alerts.api_shapes import AlertOut, AlertsAsked
from alerts.models import Alert, AlertLease
from alerts.query_fields import Asker
from alerts.review_shapes import BehindIn
from alerts.visibility import queues_of
from anomalyshield.problems import Problem
from anomalyshield.rest.resource import does
from anomalyshield.rest.shapes import Person


class NextIn(BehindIn):
    """Which alerts come into question; the filters of the list."""

    level, queue, reason, suspected, q = (
        AlertsAsked._declared_fields[name]
        for name in ("level", "queue", "reason", "suspected", "q")
    )


class LeaseOut(s.ModelSerializer):
    """Who looks at an alert, and until when."""

    person = Person()

    class Meta:
        model = AlertLease
        fields = ("alert", "person", "until")


class TakeNext(AboutAlert):
    """The next alert."""

    @does("takeNextAlert", "alert.work", AlertOut, body=NextIn, refused=(404,))
    def post(self, request: Request, given: dict[str, Any]) -> Alert:
        """Be given the most urgent alert nobody has, for five minutes; 404 when none waits."""
        seen = list(queues_of(request.user))
        readable(given.get("q", ""), Asker(request.user, seen, self.hides(request.user)))
        behind = given.pop("behind", None)
        after = self.one(request, behind) if behind else None
        found = leasing.take_next(by=request.user, asked=given, behind=after)
        if found is None:
            raise Problem(404, "nothing_waits", "Nothing waits here that nobody is looking at.")
        snoozing.looked(by=request.user, alert=found)
        return self.one(request, found.pk)


class Renew(AboutAlert):
    @does("renewAlert", "alert.work", LeaseOut, refused=(409,))
    def post(self, request: Request, pk: int) -> AlertLease:
        """Keep looking at an alert: five minutes from now; 409 if somebody else has it now."""
        lease = leasing.renew(by=request.user, alert=self.one(request, pk))
        if lease is None:
            raise Problem(409, "not_yours", "It is not yours to look at any more.")
        return lease


class Leave(AboutAlert):
    @does("leaveAlert", "alert.work", None, status=204)
    def post(self, request: Request, pk: int) -> None:
        """Look at something else: the alert is free for whoever asks next."""
        leasing.leave(by=request.user, alert=self.one(request, pk))
