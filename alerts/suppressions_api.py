"""What raises no alert for a while, for programs."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from alerts import suppressing
from alerts.api import AboutAlert
from alerts.guards import Refused
from alerts.models import Alert, SuppressedHit, Suppression
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Flag, Listed, Moment, Person, Strict, Text, page
from anomalyshield.templatetags.words import masked_if


class SuppressionIn(Strict):
    """Which reasons of whom raise no alert, why and until when."""

    codes = s.ListField(
        child=s.ChoiceField(sorted(suppressing.POSSIBLE)),
        min_length=1,
        max_length=len(suppressing.POSSIBLE),
        help_text="SCORE: the score alone",
    )
    kind = s.ChoiceField(Alert.Kind.choices, help_text="Of whom the alert's payment names")
    reason = Text(max_length=suppressing.REASON_LENGTH)
    expires_at = Moment(help_text="At most 30 days away, for leads 180")
    releases = Flag(required=False, help_text="The payments it keeps out; else they stay held")


class EndSuppressionIn(Strict):
    """Why it ends."""

    reason = Text(max_length=suppressing.REASON_LENGTH)


class SuppressionsAsked(Listed):
    """Those in force, or those that have ended."""

    over = s.BooleanField(required=False, default=False)


class SuppressionOut(s.ModelSerializer):
    """One reason of one entity that raises no alert in its queue."""

    name = s.CharField(source="__str__", help_text="S-3")
    queue = s.CharField(source="queue.slug")
    kind = s.ChoiceField(Alert.Kind.values)
    value = s.SerializerMethodField()
    reason = s.SerializerMethodField(help_text="Empty where personal values are masked")
    author = Person()
    ended_by = Person(help_text="null: its time was over, or it has not ended")
    ended_because = s.SerializerMethodField(help_text="Empty where personal values are masked")
    hits = s.IntegerField(help_text="Payments it kept out")
    frauds = s.IntegerField(help_text="Of them, those that turned out to be fraud")

    class Meta:
        model = Suppression
        fields = (
            "id", "name", "queue", "code", "kind", "value", "reason", "releases", "alert",
            "author", "at", "expires_at", "ended_at", "ended_by", "ended_because", "hits",
            "frauds",
        )  # fmt: skip

    def get_value(self, one: Suppression) -> str:
        personal = one.kind != Alert.Kind.MERCHANT
        return masked_if(one.value, personal and self.context["hidden"])

    def get_reason(self, one: Suppression) -> str:
        return "" if self.context["hidden"] else one.reason

    def get_ended_because(self, one: Suppression) -> str:
        return "" if self.context["hidden"] else one.ended_because


class MadeOut(s.Serializer):
    """What is in force now, one for each reason."""

    suppressions = s.ListField(child=s.IntegerField(), help_text="For /api/v1/suppressions/{id}")


class KeptOutOut(s.ModelSerializer):
    """A payment that raised no alert."""

    transaction = s.IntegerField(source="transaction_id", help_text="/api/v1/transactions/{id}")
    decision = s.IntegerField(source="decision_id", help_text="For /api/v1/decisions/{id}")

    class Meta:
        model = SuppressedHit
        fields = ("transaction", "decision", "at")


class AboutSuppression(Resource):
    """One suppression. Every verb answers it as it is then."""

    refusals = (Refused,)

    def one(self, request: Request, pk: int) -> Suppression:
        return self.found(Suppression.objects.visible_to(request.user).for_the_page(), pk)


class Suppress(AboutAlert):
    @does("suppressAlert", "alert.work", MadeOut, body=SuppressionIn, status=201)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> dict[str, list[int]]:
        """Raise no further alert for these reasons of this entity; the alert stays as it is."""
        made = suppressing.suppress(by=request.user, alert=self.one(request, pk), **given)
        return {"suppressions": [one.pk for one in made]}


class Suppressions(Resource):
    """Suppressions of the caller's queues."""

    @does("listSuppressions", "alert.view", page(SuppressionOut), asked=SuppressionsAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """What raises no alert now, or did until it ended, latest first."""
        rows = Suppression.objects.visible_to(request.user).for_the_page()
        return latest_first(rows.over() if asked["over"] else rows.living(), asked)


class OneSuppression(AboutSuppression):
    @does("readSuppression", "alert.view", SuppressionOut, versioned=True)
    def get(self, request: Request, pk: int) -> Suppression:
        """One suppression, in force or ended."""
        return self.one(request, pk)


class KeptOut(AboutSuppression):
    @does("listKeptOut", "alert.view", page(KeptOutOut), asked=Listed)
    def get(self, request: Request, pk: int, asked: dict[str, Any]) -> dict[str, Any]:
        """Every payment a suppression kept out, latest first."""
        return latest_first(self.one(request, pk).kept_out.all(), asked)


class EndSuppression(AboutSuppression):
    @does("endSuppression", "alert.work", SuppressionOut, body=EndSuppressionIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Suppression:
        """Raise alerts again from now on; what it kept out stays listed."""
        suppressing.end(by=request.user, suppression=self.one(request, pk), **given)
        return self.one(request, pk)
