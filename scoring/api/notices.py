"""The door for chargebacks and other late words about payments, and the list of them."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, Moment, Strict, Text, page
from anomalyshield.templatetags.words import masked_if
from scoring import accepting
from scoring.accepting import Accepted, Sent
from scoring.admitting import any_gate
from scoring.api.events import SOURCE, EventErrorOut, Events, asked_source, one_or_many, told
from scoring.api.rows import MOST_ROWS, too_many, wrong_fields
from scoring.api.scoring import ONCE
from scoring.engine.transaction import Invalid
from scoring.models import Notice, Source
from scoring.noticing import KNOWN_OTHERWISE
from scoring.privacy import sees_numbers
from scoring.withheld import readable_notices


class NoticeIn(Strict):
    """A chargeback or another late word, by our names; a source's mapping may know others."""

    notice_id = Text(max_length=128, help_text="Its sender's own; the same one is taken once")
    transaction_id = Text(max_length=128, help_text="Of the payment, as its source calls it")
    source = Text(max_length=64, required=False, help_text="Of the payment, if it may be several")
    kind = s.ChoiceField(Notice.Kind.choices, required=False, help_text="Without: CHARGEBACK")
    known_at = Moment(
        required=False,
        help_text="Since when it is known; a date alone is the end of that day. Without: now",
    )
    label = s.ChoiceField(
        ["fraud", "legitimate", "inconclusive"],
        required=False,
        help_text="Without: what the kind says; a chargeback by its reason code",
    )
    amount = s.DecimalField(max_digits=18, decimal_places=4, required=False)
    currency = Text(max_length=3, required=False)
    reason_code = Text(max_length=32, required=False, help_text="Of the scheme, such as 10.4")


class NoticesOut(s.Serializer):
    """What became of them."""

    id = s.UUIDField()
    received = s.IntegerField()
    accepted = s.IntegerField()
    waiting = s.IntegerField(help_text="Of the accepted: their payments have not come yet")
    repeated = s.IntegerField(help_text="Known already, with the same content")
    rejected = s.IntegerField(help_text="Refused and kept")
    errors = EventErrorOut(many=True)


class NoticesAsked(Listed):
    """Which of them."""

    source = s.CharField(max_length=64, required=False, help_text="Who sent it, by name")
    state = s.ChoiceField(Notice.State.choices, required=False)
    kind = s.ChoiceField(Notice.Kind.choices, required=False)
    transaction = s.IntegerField(min_value=1, max_value=2**63 - 1, required=False)


class NoticeOut(s.ModelSerializer):
    """One of them, and what became of it."""

    notice_id = s.CharField(source="external_id")
    source = s.CharField(source="source.name")
    payment_source = s.CharField(source="payment_source.name")
    transaction_id = s.SerializerMethodField(help_text="Masked for people who see no payments")
    transaction = s.IntegerField(source="transaction_id", allow_null=True)
    label = s.IntegerField(source="label_id", allow_null=True, help_text="The one it gave")
    value = s.CharField(help_text="Empty: it says nothing of fraud")
    received_at = s.DateTimeField(source="at")

    class Meta:
        model = Notice
        fields = (
            "id", "notice_id", "source", "payment_source", "transaction_id", "transaction", "kind",
            "value", "known_at", "amount", "currency", "reason_code", "state", "received_at",
            "settled_at", "label",
        )  # fmt: skip

    def get_transaction_id(self, notice: Notice) -> str:
        return masked_if(notice.payment_id, not sees_numbers(self.context["user"]))


class SendNotices(Events):
    """Send chargebacks, reports of fraud and disputes won, with the date they became known.

    One JSON object, a list of them, or newline-delimited JSON. The same `notice_id` with the same
    content is taken once. A payment nobody has sent yet is waited for. Of one alone, a fault is
    answered 400; of several, those with faults are kept and the others taken.
    """

    @extend_schema(
        operation_id="sendNotices",
        request={
            "application/json": one_or_many("NoticesIn", NoticeIn),
            "application/x-ndjson": OpenApiTypes.STR,
        },
        responses={202: NoticesOut, **dict.fromkeys((409, 413, 415, 422, 429, 503))},
        parameters=[ONCE, SOURCE],
    )
    def post(self, request: Request) -> HttpResponse:
        return self.dispatch(request)

    def answer(self, request: HttpRequest, given: Any) -> dict[str, Any]:
        source = asked_source(request)
        if isinstance(given, dict):
            return _told(_one(source, given))
        if not isinstance(given, list) or not given:
            raise Problem(400, "not_an_object", "Send a notice, or a list of them.", pointer="")
        if len(given) > MOST_ROWS:
            raise too_many("")
        return _told(_taken(source, [one if isinstance(one, Sent) else Sent(one) for one in given]))


class Notices(Resource):
    """What came from outside."""

    @does("listNotices", "events.write", page(NoticeOut), asked=NoticesAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Chargebacks and other late words, and what became of each; latest first."""
        rows = readable_notices(Notice.objects.visible_to(request.user), request.user)
        names = {"source": "source__name", "state": "state", "kind": "kind"}
        names["transaction"] = "transaction_id"
        wanted = {names[name]: asked[name] for name in names if name in asked}
        found = rows.filter(**wanted).select_related("source", "payment_source")
        return latest_first(found, asked)


def _one(source: Source, record: dict[str, Any]) -> Accepted:
    """One alone: what is wrong with it is the answer, and its sender still has it."""
    gate = any_gate(source, timezone.now(), notices=True)
    try:
        gate.admit(record)
    except Invalid as invalid:
        raise wrong_fields(invalid) from None
    done = _taken(source, [Sent(record)])
    for reasons in done.rejected.values():
        known = KNOWN_OTHERWISE in reasons.values()
        sentence = "; ".join(f"{name} {why}" for name, why in reasons.items())
        pointer = f"/{next(iter(reasons))}"
        code = "conflicting_duplicate" if known else "invalid"
        raise Problem(409 if known else 400, code, f"{sentence}; it is kept.", pointer=pointer)
    return done


def _taken(source: Source, sent: list[Sent]) -> Accepted:
    gate = any_gate(source, timezone.now(), notices=True)
    try:
        return accepting.accept(source=source, sent=sent, door=Source.Kind.REST, gate=gate)
    except accepting.Inactive as inactive:
        raise Problem(403, "source_inactive", str(inactive)) from None


def _told(done: Accepted) -> dict[str, Any]:
    answer = {**told(done), "waiting": done.waiting}
    return {name: answer[name] for name in NoticesOut().fields}
