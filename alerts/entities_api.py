"""Users, cards, devices and merchants for programs: read, and the notes pinned to them."""

from typing import Any

from rest_framework.request import Request

from alerts import links, pinned
from alerts.entities import Entity, find, hidden_from
from alerts.entity_shapes import EntityAsked, EntityNoteIn, EntityNoteOut, EntityOut
from alerts.link_shapes import GraphOut, LinksAsked
from alerts.models import EntityNote
from alerts.portrait import Portrait, portrait, sees_notes
from alerts.views.entities import known
from alerts.views.links import asked_of, last_payment, outcomes_of, sentence, unknowing
from anomalyshield.audit.record import record
from anomalyshield.rest.paging import latest_first, unreadable
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, page
from scoring.models import Transaction
from scoring.views.transactions import read_cursor


class AboutEntity(Resource):
    """One entity. Its value stands in the address; `/` and `%` in it are encoded twice."""

    refusals = (pinned.Refused,)

    def hides(self, user: Any) -> bool:
        return hidden_from(user)


class OneEntity(AboutEntity):
    @does("readEntity", "alert.view", EntityOut, asked=EntityAsked)
    def get(self, request: Request, kind: str, value: str, asked: dict[str, Any]) -> Portrait:
        """A user, card, device or merchant: its baseline, peers, frauds, alerts and payments.

        Whoever reads values masked finds merchants only; a key bound to a source finds what that
        source sent. `/` and `%` in the value are percent-encoded twice.
        """
        found = find(kind, value, request.user)
        if "before" in asked and read_cursor(asked["before"]) is None:
            unreadable()
        told = portrait(found, request.user, **asked)
        if not self.hides(request.user):
            paid = Transaction(pk=told.rows[0].pk)
            record(by=request.user, action="data.read", object=paid, after={"page": found.kind})
        return told


class EntityLinks(AboutEntity):
    @does("readEntityLinks", "alert.view", GraphOut, asked=LinksAsked)
    def get(self, request: Request, kind: str, value: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Whom an entity is linked with: at most 60, ways to confirmed frauds first.

        Each edge says how many payments, since when, until when, how much and how many frauds.
        """
        root = find(kind, value, request.user)
        last = last_payment(root)
        span = asked_of(asked, asked, root, last.event_time)
        found = links.graph(root, unknowing(span, request.user))
        if not self.hides(request.user):
            record(by=request.user, action="data.read", object=last, after={"page": "links"})
        outcomes = outcomes_of(found, request.user)
        words = sentence(found, self.hides(request.user))
        return {"graph": found, "outcomes": outcomes, "sentence": words}


class EntityNotes(AboutEntity):
    @does("listEntityNotes", "alert.work", page(EntityNoteOut), asked=Listed)
    def get(self, request: Request, kind: str, value: str, asked: dict[str, Any]) -> dict[str, Any]:
        """The notes pinned to an entity, latest first."""
        return latest_first(self._notes(known(request, kind, value), request.user), asked)

    @does("noteEntity", "alert.work", EntityNoteOut, body=EntityNoteIn, status=201)
    def post(self, request: Request, kind: str, value: str, given: dict[str, Any]) -> EntityNote:
        """Pin a note to an entity."""
        found = known(request, kind, value)
        return pinned.pin(by=request.user, entity=found, text=given["note"])

    def _notes(self, found: Entity, user: Any) -> Any:
        notes = EntityNote.objects.about(found.kind, found.key)
        return notes if sees_notes(user) else notes.none()


class RetractNote(AboutEntity):
    @does("retractEntityNote", "alert.work", EntityNoteOut)
    def post(self, request: Request, kind: str, value: str, pk: int) -> EntityNote:
        """Take a note back: its author, or a lead."""
        found = known(request, kind, value)
        note = self.found(EntityNote.objects.about(found.kind, found.key), pk)
        return pinned.retract(by=request.user, note=note)
