"""Playbooks for programs."""

from typing import Any

from django.http import Http404
from rest_framework import serializers as s
from rest_framework.request import Request

from alerts import playbooks as verbs
from alerts.guards import Refused
from alerts.models import Alert, Playbook
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Person, Strict, Text, Whole


class PlaybookIn(Strict):
    """A new version of it."""

    text = Text(max_length=verbs.TEXT_LENGTH)
    steps = s.ListField(
        child=Text(max_length=verbs.STEP_LENGTH), min_length=1, max_length=verbs.MOST_STEPS
    )
    reason = Text(max_length=500, help_text="Why it changes")
    seen = Whole(min_value=0, max_value=2**31, help_text="The version that was read")


class PlaybookOut(s.ModelSerializer):
    """What to do about one kind of fraud."""

    typology = s.ChoiceField(Alert.Typology.values)
    version = s.IntegerField(help_text="0: as this release says it")
    steps = s.ListField(child=s.CharField())
    by = Person()
    at = s.DateTimeField(allow_null=True)

    class Meta:
        model = Playbook
        fields = ("typology", "version", "text", "steps", "reason", "by", "at")


class PlaybooksOut(s.Serializer):
    """One per kind of fraud."""

    playbooks = PlaybookOut(many=True)


class Playbooks(Resource):
    """All playbooks."""

    @does("readPlaybooks", "alert.view", PlaybooksOut)
    def get(self, request: Request) -> dict[str, Any]:
        """What to do about each kind of fraud, in the version in force."""
        return {"playbooks": verbs.all_standing()}


class OnePlaybook(Resource):
    """The playbook of one kind of fraud."""

    refusals = (Refused,)

    @does("readPlaybook", "alert.view", PlaybookOut)
    def get(self, request: Request, typology: str) -> Playbook:
        """The version in force."""
        return verbs.standing(_known(typology))

    @does("writePlaybook", "alert.lead", PlaybookOut, body=PlaybookIn, status=201, refused=(409,))
    def post(self, request: Request, typology: str, given: dict[str, Any]) -> Playbook:
        """Write a new version, in force at once; the ones before stay. For leads."""
        made = verbs.write(by=request.user, typology=_known(typology), **given)
        made.refresh_from_db()
        return made


def _known(typology: str) -> str:
    if typology not in Alert.Typology.values:
        raise Http404
    return typology
