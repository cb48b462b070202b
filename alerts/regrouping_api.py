"""Alerts put together, taken apart and closed as duplicates, for programs."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from alerts import duplicates
from alerts import regrouping as verbs
from alerts.api import AboutAlert
from alerts.api_shapes import AlertOut
from alerts.forms import NOTE_LENGTH
from alerts.models import Alert, Regrouping
from alerts.visibility import queues_of
from anomalyshield.problems import Problem
from anomalyshield.rest.resource import does
from anomalyshield.rest.shapes import Person, Strict, Text, Whole


class MergeIn(Strict):
    """The alerts whose payments go into this one."""

    alerts = s.ListField(
        child=Whole(min_value=1, max_value=2**62), min_length=1, max_length=verbs.MOST
    )
    reason = Text(max_length=500, required=False)


class SplitIn(Strict):
    """The payments that go into an alert of their own."""

    transactions = s.ListField(
        child=Whole(min_value=1, max_value=2**62), min_length=1, max_length=Alert.MOST
    )
    reason = Text(max_length=500, required=False)


class DuplicateIn(Strict):
    """Which alert is about the same."""

    of = Whole(min_value=1, max_value=2**62)
    note = Text(max_length=NOTE_LENGTH, required=False)


class RegroupingOut(s.ModelSerializer):
    """Payments that were moved into an alert, and from which."""

    kind = s.ChoiceField(Regrouping.Kind.values)
    by = Person()
    payments = s.SerializerMethodField(help_text="Alert → how many of its payments were moved")
    undone_by = Person()

    class Meta:
        model = Regrouping
        fields = ("id", "kind", "into", "payments", "reason", "by", "at", "undone_at", "undone_by")

    def get_payments(self, done: Regrouping) -> dict[str, int]:
        return {pk: len(places) for pk, places in done.moved.items()}


class Merge(AboutAlert):
    @does("mergeAlerts", "alert.work", RegroupingOut, body=MergeIn, status=201)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Regrouping:
        """Put all payments of other alerts of the queue into this one; they point to it."""
        into, wanted = self.one(request, pk), set(given.pop("alerts"))
        others = list(Alert.objects.visible_to(request.user).filter(pk__in=wanted))
        if len(others) < len(wanted):
            raise Problem(400, "unknown_alert", "One of them does not exist.", pointer="/alerts")
        return _whole(verbs.merge(by=request.user, into=into, alerts=others, **given))


class Split(AboutAlert):
    @does("splitAlert", "alert.work", RegroupingOut, body=SplitIn, status=201)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Regrouping:
        """Put some payments of this alert into one of their own; `into` of the answer."""
        payments = given.pop("transactions")
        alert = self.one(request, pk)
        return _whole(verbs.split(by=request.user, alert=alert, payments=payments, **given))


class UndoRegrouping(AboutAlert):
    @does("undoRegrouping", "alert.work", RegroupingOut)
    def post(self, request: Request, pk: int) -> Regrouping:
        """Take a merge or a split back within ten minutes: payments are where they were."""
        seen = Regrouping.objects.filter(into__queue__in=queues_of(request.user))
        return _whole(verbs.undo(by=request.user, regrouping=self.found(seen, pk)))


class Duplicate(AboutAlert):
    @does("closeAsDuplicate", "label.write", AlertOut, body=DuplicateIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Alert:
        """Close an alert that another one is about already; its payments get no label."""
        of = Alert.objects.visible_to(request.user).filter(pk=given.pop("of")).first()
        if of is None:
            raise Problem(400, "unknown_alert", "There is no such alert.", pointer="/of")
        found = self.one(request, pk)
        duplicates.close_as_duplicate(by=request.user, alert=found, of=of, **given)
        return self.one(request, pk)


def _whole(done: Regrouping) -> Regrouping:
    done.refresh_from_db()
    return done
