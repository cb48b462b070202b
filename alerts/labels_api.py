"""Labels for programs: what transactions turned out to be, read, said and corrected.

They live in this room because saying one is for the queue of the transaction's alert.
"""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from alerts.models import Alert
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, Moment, Person, Strict, Text, Whole, page
from scoring import labels
from scoring.models import Label, Transaction
from scoring.withheld import readable

BIGGEST = 2**63 - 1


class LabelsAsked(Listed):
    """Which labels."""

    transaction = s.IntegerField(min_value=1, max_value=BIGGEST, required=False)
    value = s.ChoiceField(Label.Value.choices, required=False)
    origin = s.ChoiceField(Label.Origin.choices, required=False)
    standing = s.BooleanField(
        required=False, default=False, help_text="Only the last word on each transaction"
    )
    known_since = s.DateTimeField(required=False)
    known_before = s.DateTimeField(required=False)


FILTERS = {
    "transaction": "transaction_id",
    "value": "value",
    "origin": "origin",
    "known_since": "known_at__gte",
    "known_before": "known_at__lt",
}


class LabelIn(Strict):
    """What a transaction was. Said again by the same person within 15 minutes, it corrects."""

    transaction = Whole(min_value=1, max_value=BIGGEST, help_text="Its `id` here")
    value = s.ChoiceField(Label.Value.choices)
    typology = s.ChoiceField(Alert.Typology.choices, required=False, help_text="If fraud")
    note = Text(max_length=4000, required=False)
    known_at = Moment(required=False, help_text="Since when it is known; without: now")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("typology") and given["value"] != Label.Value.TRUE_FRAUD:
            raise s.ValidationError({"typology": "A typology is a kind of fraud."})
        return given


class LabelOut(s.ModelSerializer):
    """One statement about one transaction; a correction is a later one that points back."""

    transaction = s.IntegerField(source="transaction_id")
    by = Person(source="labeller", help_text="null: a report from outside")
    note = s.SerializerMethodField(help_text="Empty where personal values are masked")
    supersedes = s.IntegerField(source="supersedes_id", allow_null=True)
    superseded_by = s.SerializerMethodField(help_text="null: it is the last word")

    class Meta:
        model = Label
        fields = (
            "id", "transaction", "value", "origin", "typology", "by", "known_at", "note",
            "supersedes", "superseded_by",
        )  # fmt: skip

    def get_note(self, label: Label) -> str:
        return "" if self.context["hidden"] else label.note

    def get_superseded_by(self, label: Label) -> int | None:
        later = getattr(label, "superseded_by", None)
        return later.pk if later else None


class Labels(Resource):
    """The labels."""

    refusals = (labels.Refused,)

    @does("listLabels", "transaction.view", page(LabelOut), asked=LabelsAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Labels by transaction, value, origin and time, latest first."""
        rows = readable(Label.objects.select_related("labeller", "superseded_by"), request.user)
        if asked.pop("standing"):
            rows = rows.standing()
        return latest_first(
            rows.filter(**{FILTERS[name]: asked[name] for name in FILTERS if name in asked}), asked
        )

    @does("giveLabel", "label.write", LabelOut, body=LabelIn, status=201)
    def post(self, request: Request, given: dict[str, Any]) -> Label:
        """Say what a transaction was, or correct the caller's own label within 15 minutes.

        After that, and for the label of somebody else, it takes a second person: 409, and
        proposeCorrection. Saying the same again changes nothing and answers the label that stands.
        """
        paid = _theirs(request.user, given.pop("transaction"))
        said = labels.give(by=request.user, transaction=paid, origin=Label.Origin.API, **given)
        return Label.objects.select_related("labeller", "superseded_by").get(pk=said.pk)


class OneLabel(Resource):
    """One label."""

    @does("readLabel", "transaction.view", LabelOut, versioned=True)
    def get(self, request: Request, pk: int) -> Label:
        """One label."""
        return self.one(request, pk)

    def one(self, request: Request, pk: int) -> Label:
        rows = Label.objects.select_related("labeller", "superseded_by")
        return self.found(readable(rows, request.user), pk)


def _theirs(user: Any, number: int) -> Transaction:
    """A transaction without an alert is anybody's to label; with one, its queue's."""
    paid = Transaction.objects.filter(pk=number).first()
    alert = Alert.objects.filter(hits__transaction=number)
    if paid is None or (alert.exists() and not alert.visible_to(user).exists()):
        raise Problem(400, "unknown_transaction", "No such transaction.", pointer="/transaction")
    return paid
