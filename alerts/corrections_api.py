"""Corrections of labels for programs: proposed, listed, approved or refused by a second person."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from alerts import corrections
from alerts.models import Alert, Correction
from alerts.visibility import labels_for
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, Person, Strict, Text, page
from scoring.models import Label

REASON = 2000


class CorrectionIn(Strict):
    """What a label should say instead, and why."""

    value = s.ChoiceField(Label.Value.choices)
    typology = s.ChoiceField(Alert.Typology.choices, required=False, help_text="If fraud")
    reason = Text(max_length=REASON)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("typology") and given["value"] != Label.Value.TRUE_FRAUD:
            raise s.ValidationError({"typology": "A typology is a kind of fraud."})
        return given


class CorrectionApprovalIn(Strict):
    """Words with it, if there are any."""

    answer = Text(max_length=REASON, required=False)


class CorrectionRefusalIn(Strict):
    """Why the label stays as it is."""

    answer = Text(max_length=REASON)


class CorrectionsAsked(Listed):
    """Which corrections."""

    state = s.ChoiceField(Correction.State.choices, required=False)


class CorrectionOut(s.ModelSerializer):
    """What somebody wants a label to say, and what a second person answered."""

    label = s.IntegerField(source="label_id", help_text="The one it changes")
    transaction = s.IntegerField(source="label.transaction_id")
    alert = s.SerializerMethodField(help_text="In which the transaction lies; null: in none")
    said = s.ChoiceField(Label.Value.choices, source="label.value", help_text="By that label")
    proposed_by = Person()
    answered_by = Person()
    made = s.IntegerField(source="made_id", allow_null=True, help_text="The label that came of it")
    payment = s.SerializerMethodField(help_text="What the payment became by it; null: as it was")
    final = s.CharField(help_text="Why the payment stays as it is: upstream holds it to be final")

    class Meta:
        model = Correction
        fields = (
            "id", "state", "label", "transaction", "alert", "said", "value", "typology", "reason",
            "proposed_by", "proposed_at", "answered_by", "answered_at", "answer", "made",
            "payment", "final",
        )  # fmt: skip

    def get_alert(self, correction: Correction) -> int | None:
        return correction.alert.pk if correction.alert else None

    def get_payment(self, correction: Correction) -> str | None:
        return correction.resolution.state if correction.resolution else None


class Corrections(Resource):
    """The corrections."""

    @does("listCorrections", "label.change", page(CorrectionOut), asked=CorrectionsAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Corrections of labels of the caller's queues, latest first."""
        rows = Correction.objects.visible_to(request.user).for_the_page()
        if "state" in asked:
            rows = rows.filter(state=asked["state"])
        return latest_first(rows, asked)


class Propose(Resource):
    """A label, and what it should say instead."""

    refusals = (corrections.Refused,)

    @does("proposeCorrection", "label.change", CorrectionOut, body=CorrectionIn, status=201)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Correction:
        """Ask that a label says something else; it does when a second person approves it."""
        label = self.found(labels_for(request.user), pk)
        made = corrections.propose(by=request.user, label=label, **given)
        return Correction.objects.for_the_page().get(pk=made.pk)


class AboutCorrection(Resource):
    """One correction. Every verb answers it as it is then."""

    refusals = (corrections.Refused,)

    def one(self, request: Request, pk: int) -> Correction:
        return self.found(Correction.objects.visible_to(request.user).for_the_page(), pk)


class OneCorrection(AboutCorrection):
    @does("readCorrection", "label.change", CorrectionOut, versioned=True)
    def get(self, request: Request, pk: int) -> Correction:
        """One correction."""
        return self.one(request, pk)


class Approve(AboutCorrection):
    @does(
        "approveCorrection",
        "label.change",
        CorrectionOut,
        body=CorrectionApprovalIn,
        versioned=True,
    )
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Correction:
        """Let the label say what was proposed, as a second person; upstream is told."""
        corrections.approve(by=request.user, correction=self.one(request, pk), **given)
        return self.one(request, pk)


class Refuse(AboutCorrection):
    @does(
        "refuseCorrection", "label.change", CorrectionOut, body=CorrectionRefusalIn, versioned=True
    )
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Correction:
        """Let the label stand; who proposed it withdraws it so."""
        corrections.refuse(by=request.user, correction=self.one(request, pk), **given)
        return self.one(request, pk)
