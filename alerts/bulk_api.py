"""Many alerts at once, for programs of leads."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from alerts import bulk
from alerts.api import readable
from alerts.api_shapes import AlertsAsked, CertaintyIn
from alerts.forms import NOTE_LENGTH
from alerts.models import Alert, Bulk, BulkItem
from alerts.query_fields import Asker
from alerts.staffing import analysts
from alerts.visibility import queues_of
from anomalyshield.problems import Problem
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Moment, Person, Strict, Text, Whole


class BulkAsked(Strict):
    """Filters of the list: all open alerts that answer them, of every page."""

    level, queue, reason, suspected, user, q = (
        AlertsAsked._declared_fields[name]
        for name in ("level", "queue", "reason", "suspected", "user", "q")
    )


class ChoiceIn(Strict):
    """One alert, as it was looked over."""

    alert = Whole(min_value=1, max_value=2**62)
    seen = Whole(min_value=1, max_value=2**31, help_text="The `hit_count` that was read")


class BulkIn(CertaintyIn):
    """What is done to which alerts, and why."""

    action = s.ChoiceField(Bulk.Action.choices)
    alerts = s.ListField(child=ChoiceIn(), min_length=1, max_length=bulk.MOST)
    reason = Text(max_length=NOTE_LENGTH)
    disposition = s.ChoiceField(Alert.VERDICTS, required=False, help_text="To decide")
    typology = s.ChoiceField(Alert.Typology.choices, required=False, help_text="If fraud")
    to = Text(max_length=150, required=False, help_text="To assign: a user name")
    until = Moment(required=False, help_text="To snooze: when they come back")


class LookedOverOut(s.Serializer):
    """Those it would be done to, how different they are, and those left out."""

    alerts = s.SerializerMethodField(help_text="As `alerts` of the act")
    held = s.SerializerMethodField(help_text="Somebody else works on these")
    more = s.BooleanField(help_text="Than are done at once: these are the most urgent")
    levels = s.DictField(child=s.IntegerField(), source="by_level")
    suspicions = s.DictField(child=s.IntegerField(), source="by_suspicion")
    entities = s.IntegerField()
    payments = s.IntegerField()
    totals = s.ListField(child=s.DecimalField(20, 4), help_text="Least and most, base currency")
    scores = s.ListField(child=s.FloatField(), help_text="Least and most")

    def get_alerts(self, preview: bulk.Preview) -> list[dict[str, int]]:
        return [{"alert": one.pk, "seen": one.hit_count} for one in preview.alerts]

    def get_held(self, preview: bulk.Preview) -> list[int]:
        return [one.pk for one in preview.held]


class BulkItemOut(s.ModelSerializer):
    """What became of one alert."""

    class Meta:
        model = BulkItem
        fields = ("alert", "refusal", "undone")


class BulkOut(s.ModelSerializer):
    """An act on many alerts, alert by alert."""

    by = Person()
    undone_by = Person()
    items = BulkItemOut(many=True)

    class Meta:
        model = Bulk
        fields = (
            "id", "action", "disposition", "reason", "by", "at", "undone_at", "undone_by", "items",
        )  # fmt: skip


class AboutBulk(Resource):
    """An act on many alerts."""

    refusals = (bulk.Refused,)

    def one(self, request: Request, pk: int) -> Bulk:
        return self.found(bulk.of_person(request.user), pk)


class Bulks(AboutBulk):
    """Acts on many alerts."""

    @does("lookOver", "alert.lead", LookedOverOut, asked=BulkAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> bulk.Preview:
        """Look all matching alerts over: how many, how different, and who holds which."""
        seen = list(queues_of(request.user))
        readable(asked.get("q", ""), Asker(request.user, seen))
        return bulk.matching(request.user, asked)

    @does("actOnMany", "alert.lead", BulkOut, body=BulkIn, status=201, refused=(409,))
    def post(self, request: Request, given: dict[str, Any]) -> Bulk:
        """Decide, assign, give back or snooze many alerts, each on its own. For leads."""
        choices = [bulk.Choice(**one) for one in given.pop("alerts")]
        if "to" in given:
            given["to"] = _person(given["to"])
        return bulk.act(by=request.user, choices=choices, **given)


class OneBulk(AboutBulk):
    @does("readBulk", "alert.lead", BulkOut, versioned=True)
    def get(self, request: Request, pk: int) -> Bulk:
        """What became of each alert."""
        return self.one(request, pk)


class UndoBulk(AboutBulk):
    @does("undoBulk", "alert.lead", BulkOut, refused=(409,))
    def post(self, request: Request, pk: int) -> Bulk:
        """Take all of it back within ten minutes; each alert is as it was before."""
        bulk.undo(by=request.user, bulk=self.one(request, pk))
        return self.one(request, pk)


def _person(name: str) -> Any:
    found = analysts().filter(username=name).first()
    if found is None:
        raise Problem(400, "unknown_user", "No analyst is called that.", pointer="/to")
    return found
