"""Alerts for programs: the queue, one alert, and everything its page can do with it."""

from typing import Any

from rest_framework.request import Request

from alerts import listing, query, snoozing, triage
from alerts.api_shapes import (
    AlertOut,
    AlertRowOut,
    AlertsAsked,
    DecisionIn,
    ListedOut,
    ListingIn,
    NoteIn,
)
from alerts.forms import named_in
from alerts.models import Alert
from alerts.query_fields import Asker
from alerts.views.alert_page import find
from alerts.visibility import queues_of
from anomalyshield.audit.record import record
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import unreadable
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import page
from scoring import opinions
from scoring.api.explanations import OpinionOut
from scoring.lists import Wish


class Alerts(Resource):
    """The alert queue."""

    @does("listAlerts", "alert.view", page(AlertRowOut), asked=AlertsAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Alerts of the caller's queues, most urgent first; decided ones, latest first.

        What no index serves in `q` is looked for among 20,000 alerts at a time: a page may be
        short or empty and still have a `next`.
        """
        if asked["mine"] and request.user.pk is None:
            raise Problem(400, "nobodys", "A key has no alerts of its own.", pointer="/mine")
        limit, cursor = asked.pop("limit"), asked.pop("cursor", "")
        asked = {name: value for name, value in asked.items() if value}
        seen = list(queues_of(request.user))
        readable(asked.get("q", ""), Asker(request.user, seen, self.hides(request.user)))
        asks = listing.question(asked, request.user, seen)
        if cursor and not listing.is_cursor(cursor, asks.order):
            unreadable()
        # Asking for a masked value and seeing rows would confirm it.
        queues = [] if "user" in asked and self.hides(request.user) else asks.queues
        narrowed = listing.narrow(Alert.objects.all(), asks.filters, request.user)
        found = listing.page_of(narrowed, queues, asks.order, cursor, limit, asks.rest)
        return {"results": found.rows, "next": found.after or None}


class AboutAlert(Resource):
    """One alert of a queue the caller sees. Every verb answers the alert as it is then."""

    refusals = (triage.Refused,)

    def one(self, request: Request, pk: int) -> Alert:
        return find(request, pk)


class OneAlert(AboutAlert):
    @does("readAlert", "alert.view", AlertOut, versioned=True)
    def get(self, request: Request, pk: int) -> Alert:
        """One alert, with its payment, its reasons and what was said about it."""
        found = self.one(request, pk)
        if not self.hides(request.user):
            record(by=request.user, action="data.read", object=found)
        snoozing.looked(by=request.user, alert=found)
        return found


class SecondOpinion(AboutAlert):
    @does("readSecondOpinion", "alert.view", OpinionOut)
    def get(self, request: Request, pk: int) -> dict[str, Any]:
        """Whether a second method comes to the same reasons: neighbours scored, a line through."""
        return opinions.second(self.one(request, pk).decision)


class Claim(AboutAlert):
    @does("claimAlert", "alert.work", AlertOut, versioned=True)
    def post(self, request: Request, pk: int) -> Alert:
        """Make an alert the caller's; of two people at once one is told who won."""
        triage.claim(by=request.user, alert=self.one(request, pk))
        return self.one(request, pk)


class Release(AboutAlert):
    @does("releaseAlert", "alert.work", AlertOut, versioned=True)
    def post(self, request: Request, pk: int) -> Alert:
        """Give an alert back to its queue."""
        triage.release(by=request.user, alert=self.one(request, pk))
        return self.one(request, pk)


class Decide(AboutAlert):
    @does("decideAlert", "label.write", AlertOut, body=DecisionIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Alert:
        """Close an alert with what it was; its transaction is labelled, its payment resolved."""
        found = self.one(request, pk)
        put = _wishes(found, given.pop("put", []))
        triage.decide(by=request.user, alert=found, put=put, **given)
        return self.one(request, pk)


class PutOnList(AboutAlert):
    @does("listAlert", "list.edit", ListedOut, body=ListingIn, status=201)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> dict[str, list[int]]:
        """Put somebody of an alert on a list; who stands there already is left as they are."""
        found = self.one(request, pk)
        put = _wishes(found, given["put"])
        made = triage.put_on_list(by=request.user, alert=found, put=put)
        return {"entries": [entry.pk for entry in made]}


class Undo(AboutAlert):
    @does("undoAlert", "label.change", AlertOut, versioned=True)
    def post(self, request: Request, pk: int) -> Alert:
        """Take a decision back within ten minutes."""
        triage.undo(by=request.user, alert=self.one(request, pk))
        return self.one(request, pk)


class Comment(AboutAlert):
    @does("noteAlert", "alert.work", AlertOut, body=NoteIn, status=201, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Alert:
        """Write a note on an alert, open or decided."""
        found = self.one(request, pk)
        triage.comment(by=request.user, alert=found, text=given["note"])
        return self.one(request, pk)


def readable(text: str, asker: Asker) -> None:
    """A search that cannot be read is refused with the place and the reason of each mistake."""
    problems = query.read(text, asker).problems if text else ()
    if problems:
        errors = [
            {"pointer": "/q", "detail": f"{one.sentence} (characters {one.start} to {one.end})"}
            for one in problems
        ]
        raise Problem(400, "unreadable_query", problems[0].sentence, pointer="/q", errors=errors)


def _wishes(alert: Alert, put: list[dict[str, Any]]) -> list[Wish]:
    """The values come from the payment: nobody mistypes them."""
    named = named_in(alert)
    for index, one in enumerate(put):
        if one["entity"] not in named:
            sentence = f"The payment names no {one['entity']}."
            raise Problem(400, "unknown_entity", sentence, pointer=f"/put/{index}/entity")
    return [Wish(value=named[one["entity"]], **one) for one in put]
