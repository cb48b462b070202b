"""Sources for programs: listed, made, changed."""

from typing import Any

from django.db import IntegrityError
from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Flag, Listed, Strict, Text, page
from scoring import keeping
from scoring.columns import Refused, checked_options
from scoring.engine import fields
from scoring.models import Source
from scoring.sourcing import change_source, make_source


class SourceChangeIn(Strict):
    """What changes; what is not named stays. The name stays: keys and files are bound to it."""

    title = Text(max_length=120, allow_blank=True, required=False)
    kind = s.ChoiceField(Source.Kind.choices, required=False)
    currency = Text(max_length=3, required=False, help_text="ISO 4217")
    timezone = Text(max_length=64, required=False, help_text="IANA, of times without an offset")
    mapping = s.DictField(child=Text(), required=False, help_text="Their column: our field")
    active = Flag(required=False, help_text="Takes new files and transactions")

    def validate_currency(self, value: str) -> str:
        return _read(fields.currency, value)

    def validate_timezone(self, value: str) -> str:
        return _read(fields.zone_name, value)

    def validate_mapping(self, value: dict[str, str]) -> dict[str, str]:
        try:
            return dict(checked_options({"mapping": value}).get("mapping", {}))
        except Refused as refusal:
            raise s.ValidationError(str(refusal)) from None


class SourceIn(SourceChangeIn):
    """A new source."""

    name = Text(
        max_length=64,
        help_text="Letters, digits, - and _; it cannot be changed later",
        validators=Source._meta.get_field("name").validators[:1],
    )


class SourceOut(s.ModelSerializer):
    """A source and what it says once for all its records."""

    mapping = s.DictField(child=s.CharField())

    class Meta:
        model = Source
        fields = (
            "id", "name", "title", "kind", "currency", "timezone", "mapping", "active",
            "created_at",
        )  # fmt: skip


class KeepersIn(Strict):
    """Who sees it from now on; admins always do."""

    all_engineers = Flag()
    people = s.ListField(child=Text(max_length=150), max_length=200, help_text="By user name")


class KeepersOut(s.Serializer):
    """Who keeps a source."""

    all_engineers = s.BooleanField()
    people = s.ListField(child=s.CharField())


class Sources(Resource):
    """The sources."""

    @does("listSources", "source.view", page(SourceOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Sources the caller keeps, latest first."""
        return latest_first(Source.objects.visible_to(request.user), asked)

    @does("makeSource", "source.edit", SourceOut, body=SourceIn, status=201, refused=(409,))
    def post(self, request: Request, given: dict[str, Any]) -> Source:
        """Make a source under a name nobody has yet."""
        try:
            return make_source(by=request.user, **given)
        except IntegrityError:
            taken = f"There is a source named {given['name']} already."
            raise Problem(409, "taken", taken, pointer="/name") from None


class OneSource(Resource):
    """One source."""

    @does("readSource", "source.view", SourceOut, versioned=True)
    def get(self, request: Request, pk: int) -> Source:
        """One source."""
        return self.one(request, pk)

    @does("changeSource", "source.edit", SourceOut, body=SourceChangeIn, versioned=True)
    def patch(self, request: Request, pk: int, given: dict[str, Any]) -> Source:
        """Change what a source says of its records from now on; stored ones stay as they are."""
        return change_source(by=request.user, source=self.one(request, pk), **given)

    def one(self, request: Request, pk: int) -> Source:
        return self.found(Source.objects.visible_to(request.user), pk)


class Keepers(Resource):
    """Who keeps a source."""

    @does("readKeepers", "user.manage", KeepersOut)
    def get(self, request: Request, pk: int) -> dict[str, Any]:
        """Who keeps a source: all data engineers, or some people."""
        return _keepers(self.one(request, pk))

    @does("setKeepers", "user.manage", KeepersOut, body=KeepersIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> dict[str, Any]:
        """Say who keeps a source: data engineers, or who holds it already."""
        source, people = self.one(request, pk), []
        for index, name in enumerate(given["people"]):
            if (found := keeping.eligible(source).filter(username=name).first()) is None:
                sentence = "No data engineer is called that."
                raise Problem(400, "unknown_user", sentence, pointer=f"/people/{index}")
            people.append(found)
        team = given["all_engineers"]
        keeping.set_keepers(by=request.user, source=source, people=people, whole_team=team)
        return _keepers(source)

    def one(self, request: Request, pk: int) -> Source:
        return self.found(Source.objects.all(), pk)


def _keepers(source: Source) -> dict[str, Any]:
    people = [person.get_username() for person in keeping.keepers(source)]
    return {"all_engineers": keeping.kept_by_team(source), "people": people}


def _read(how: Any, value: str) -> str:
    try:
        return str(how(value))
    except fields.Unfit as unfit:
        raise s.ValidationError(f"{value} {unfit}.") from None
