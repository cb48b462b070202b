"""The door for events nobody waits for: acknowledged when stored, decided by workers."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield import strictjson
from anomalyshield.problems import Problem, step
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, page
from scoring import accepting, backlog
from scoring.accepting import Accepted, Sent
from scoring.admitting import any_gate
from scoring.api.endpoint import Endpoint, within
from scoring.api.rows import MOST_ROWS, source_of, too_many, wrong_fields
from scoring.api.scoring import ONCE
from scoring.api.shapes import TransactionIn
from scoring.engine.transaction import Invalid
from scoring.models import Decision, Receipt, Source

LINES = {"application/x-ndjson", "application/jsonl", "application/x-jsonlines"}
TOLD = 100  # errors named in the answer; all of them are kept
SOURCE = OpenApiParameter(
    "source", str, description="Its name; not needed with a source's own key. Else `rest`"
)


class EventErrorOut(s.Serializer):
    """A record that was refused and is kept for whoever mends it."""

    index = s.IntegerField(help_text="Counted from 0, in the order sent")
    detail = s.CharField()
    errors = s.ListField(child=s.DictField(child=s.CharField()))


class EventsOut(s.Serializer):
    """What became of the records, and where to ask about their decisions."""

    id = s.UUIDField()
    status_url = s.CharField()
    received = s.IntegerField()
    accepted = s.IntegerField(help_text="Stored; their decisions follow")
    repeated = s.IntegerField(help_text="Known already, with the same content")
    rejected = s.IntegerField(help_text="Refused and kept")
    errors = EventErrorOut(many=True, help_text=f"The first {TOLD} of the rejected")


class EventReceiptOut(s.ModelSerializer):
    """Where records that came together stand."""

    source = s.CharField(source="source.name")
    received = s.IntegerField(source="read")
    decided = s.SerializerMethodField(help_text="Of the accepted ones")
    finished = s.SerializerMethodField(help_text="All accepted ones are decided")

    class Meta:
        model = Receipt
        fields = (
            "id", "source", "door", "at", "received", "accepted", "repeated", "rejected",
            "decided", "finished",
        )  # fmt: skip

    def get_decided(self, receipt: Receipt) -> int:
        return decisions_of(receipt).count()

    def get_finished(self, receipt: Receipt) -> bool:
        return decisions_of(receipt).count() == len(receipt.transaction_ids)


class EventDecisionOut(s.ModelSerializer):
    """The decision of one event."""

    decision_id = s.IntegerField(source="pk")
    transaction_id = s.CharField(source="transaction.external_id")
    risk_level = s.CharField(source="level")
    recommendation = s.CharField(source="outcome")
    reason_codes = s.ListField(child=s.CharField())

    class Meta:
        model = Decision
        fields = (
            "decision_id", "transaction_id", "risk_score", "risk_level", "recommendation",
            "reason_codes",
        )  # fmt: skip


def one_or_many(name: str, shape: type[s.Serializer]) -> PolymorphicProxySerializer:
    """One record, or a list of them: as the manual shows what is sent."""
    return PolymorphicProxySerializer(
        component_name=name,
        serializers=[shape, shape(many=True)],
        resource_type_field_name=None,
        many=False,
    )


class Events(Endpoint):
    """Send events without waiting for their decisions: 202 as soon as they are stored.

    One JSON object, a list of them, or newline-delimited JSON (`application/x-ndjson`) with up to
    10,000 records. The same transaction id with the same content is stored once, however often it
    is sent. Of one event alone, a fault is answered 400 (409 for an id that means another event);
    of several, those with faults are kept, named under `errors`, and the others taken.
    """

    action: ClassVar[str] = "events.write"
    kinds: ClassVar[frozenset[str]] = frozenset({"application/json", *LINES})
    status = 202

    @extend_schema(
        operation_id="sendEvents",
        request={
            "application/json": one_or_many("EventsIn", TransactionIn),
            "application/x-ndjson": OpenApiTypes.STR,
        },
        responses={202: EventsOut, **dict.fromkeys((409, 413, 415, 422, 429, 503))},
        parameters=[ONCE, SOURCE],
    )
    def post(self, request: Request) -> HttpResponse:
        return self.dispatch(request)

    def limited(self, user: Any) -> None:
        """Also without a rate of its own: a door that stores at once could be flooded."""
        within(user, getattr(getattr(user, "key", None), "per_minute", None) or settings.RATE_LIMIT)
        hold_back()

    def read(self, request: HttpRequest, raw: bytes) -> Any:
        return _lines(raw) if request.content_type in LINES else strictjson.loads(raw)

    def answer(self, request: HttpRequest, given: Any) -> dict[str, Any]:
        source = asked_source(request)
        if isinstance(given, dict):
            return told(_one(source, given))
        if not isinstance(given, list):
            raise Problem(400, "not_an_object", "Send an event, or a list of them.", pointer="")
        if not given:
            raise Problem(400, "required", "There is no event in it.", pointer="")
        if len(given) > MOST_ROWS:
            raise too_many("")
        sent = [one if isinstance(one, Sent) else Sent(one) for one in given]
        return told(_taken(source, sent))


class OneReceipt(Resource):
    """Events that came together."""

    @does("readEvents", "events.write", EventReceiptOut)
    def get(self, request: Request, pk: uuid.UUID) -> Receipt:
        """How many of the events that came together are decided."""
        return receipt_of(self, request, pk)


class ReceiptDecisions(Resource):
    """Their decisions."""

    @does("listEventDecisions", "events.write", page(EventDecisionOut), asked=Listed)
    def get(self, request: Request, pk: uuid.UUID, asked: dict[str, Any]) -> dict[str, Any]:
        """The decisions there are so far, latest first."""
        found = receipt_of(self, request, pk)
        return latest_first(decisions_of(found).select_related("transaction"), asked)


def receipt_of(resource: Resource, request: Request, pk: uuid.UUID) -> Receipt:
    mine = Source.objects.visible_to(request.user).order_by().values("pk")
    found: Receipt = resource.found(
        Receipt.objects.filter(source__in=mine).select_related("source"), pk
    )
    return found


def decisions_of(receipt: Receipt) -> Any:
    return Decision.objects.filter(transaction_id__in=receipt.transaction_ids)


def hold_back() -> None:
    """503 while too many events wait for their decision: before anything is read or stored."""
    if wait := backlog.wait_for():
        sentence = f"Too many events wait for their decision; nothing was taken. Wait {wait} s."
        raise Problem(503, "backlog", sentence, retry_after=wait)


def asked_source(request: HttpRequest) -> Source:
    """The source of the key, the one that is named, else the common one of REST."""
    name = request.GET.get("source", "")
    own = getattr(getattr(request.user, "key", None), "source", None)
    if not name or (own is not None and name == own.name):
        return source_of(request)
    if own is not None:
        raise Problem(403, "other_source", f"This key is of {own.name} alone.", pointer="/source")
    found = (
        Source.objects.visible_to(request.user).filter(name=name[:64].replace("\x00", "")).first()
    )
    if found is None:
        raise Problem(400, "unknown_source", "There is no source of this name.", pointer="/source")
    if not found.active:
        raise Problem(403, "source_inactive", f"The source {found.name} is switched off.")
    return found


def _one(source: Source, record: dict[str, Any]) -> Accepted:
    """One event alone: what is wrong with it is the answer, and its sender still has it."""
    gate = any_gate(source, timezone.now())
    try:
        gate.admit(record)
    except Invalid as invalid:
        raise wrong_fields(invalid) from None
    done = _taken(source, [Sent(record)], gate)
    if done.rejected:
        sentence = "transaction_id is already known with other content; yours is kept for review."
        raise Problem(409, "conflicting_duplicate", sentence, pointer="/transaction_id")
    return done


def _taken(source: Source, sent: list[Sent], gate: Any = None) -> Accepted:
    try:
        return accepting.accept(source=source, sent=sent, door=Source.Kind.REST, gate=gate)
    except accepting.Inactive as inactive:
        raise Problem(403, "source_inactive", str(inactive)) from None


def _lines(raw: bytes) -> list[Sent]:
    """A record a line; a line that is no JSON is refused by itself."""
    found = []
    for line in raw.split(b"\n"):
        if not line.strip():
            continue
        if len(found) >= MOST_ROWS:
            raise too_many("")
        try:
            found.append(Sent(strictjson.loads(line)))
        except Problem as problem:
            found.append(Sent(line, wrong={"record": f"is not JSON: {problem.text}"}))
    return found


def told(done: Accepted) -> dict[str, Any]:
    """The answer of 202."""
    receipt = done.receipt
    return {
        "id": str(receipt.pk),
        "status_url": reverse("api-receipt", args=[receipt.pk]),
        "received": receipt.read,
        "accepted": receipt.accepted,
        "repeated": receipt.repeated,
        "rejected": receipt.rejected,
        "errors": [
            {"index": at, "detail": str(Invalid(reasons)), "errors": _pointers(at, reasons)}
            for at, reasons in sorted(done.rejected.items())[:TOLD]
        ],
    }


def _pointers(at: int, reasons: dict[str, str]) -> list[dict[str, str]]:
    return [
        {
            # What is wrong with the whole of it has no field to point at.
            "pointer": f"/{at}" if field == "record" else f"/{at}/{step(field)}",
            "detail": f"{field} {reason}",
        }
        for field, reason in reasons.items()
    ]
