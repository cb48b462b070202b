"""Sources for programs: listed, made, changed."""

from typing import Any

from django.db import IntegrityError, transaction
from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Flag, Listed, Strict, Text, Whole, page
from scoring import hooks, keeping, source_documents, source_rules
from scoring.columns import Refused
from scoring.models import Source, SourceVersion
from scoring.sampled import MOST_CHARACTERS, try_sample
from scoring.source_health import health_of
from scoring.sourcing import change_source, load_document, make_source

LENGTH = {"min_value": 0, "max_value": 2**31 - 1, "required": False}


class SourceChangeIn(Strict):
    """What changes; what is not named stays. The name stays: keys and files are bound to it."""

    title = Text(max_length=120, allow_blank=True, required=False)
    kind = s.ChoiceField(Source.Kind.choices, required=False)
    connection = s.DictField(
        required=False, help_text="How it is reached: settings of its kind, none of them secret"
    )
    secrets = s.DictField(
        child=Text(allow_blank=True, max_length=20_000, trim_whitespace=False),
        required=False,
        help_text="Sealed, and told to nobody again; an empty one is forgotten",
    )
    schema = s.DictField(
        required=False, allow_null=True, help_text="JSON Schema (2020-12) of a record as it is sent"
    )
    currency = Text(max_length=3, required=False, help_text="ISO 4217")
    timezone = Text(max_length=64, required=False, help_text="IANA, of times without an offset")
    mapping = s.DictField(child=Text(), required=False, help_text="Their column: our field")
    pii = s.ListField(
        child=Text(max_length=200),
        max_length=200,
        required=False,
        help_text="Fields that tell who somebody is",
    )
    late = s.ChoiceField(Source.Late.choices, required=False)
    late_after = Whole(**LENGTH, help_text="Seconds before its receipt")
    future = s.ChoiceField(Source.Future.choices, required=False)
    future_after = Whole(**LENGTH, help_text="Seconds after its receipt")
    active = Flag(required=False, help_text="Takes new files and transactions")


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
    connection = s.DictField()
    schema = s.DictField(allow_null=True)
    pii = s.ListField(child=s.CharField())
    secrets = s.SerializerMethodField(help_text="The names of those it has")

    class Meta:
        model = Source
        fields = (
            "id", "name", "title", "kind", "connection", "secrets", "schema", "currency",
            "timezone", "mapping", "pii", "late", "late_after", "future", "future_after",
            "active", "version", "created_at",
        )  # fmt: skip

    def get_secrets(self, source: Source) -> list[str]:
        return sorted(source.sealed)


class SourceMadeOut(SourceOut):
    """A new source, with the secret that was made for it, told this once."""

    signing_secret = s.CharField(allow_blank=True, default="", help_text="Of webhooks only")

    class Meta(SourceOut.Meta):
        fields = (*SourceOut.Meta.fields, "signing_secret")


class SigningSecretIn(Strict):
    """Another secret of a source of webhooks."""

    secret = Text(
        max_length=500, required=False, help_text="Theirs; without it one is made and told once"
    )


class SigningSecretOut(s.Serializer):
    """A secret, told this once."""

    signing_secret = s.CharField()


class SourceVersionOut(s.ModelSerializer):
    """What a source said from then on."""

    values = s.DictField()
    changed = s.ListField(child=s.CharField(), help_text="Fields, and secret:<name>")

    class Meta:
        model = SourceVersion
        fields = ("number", "by", "at", "changed", "values")


class HealthOut(s.Serializer):
    """Figures of a source; those of its files stand with the files."""

    heard_at = s.DateTimeField(allow_null=True, help_text="Within half a minute")
    events = s.IntegerField(help_text="That came one by one, in the span")
    span = s.FloatField(help_text="Seconds that were looked at: an hour, less where much comes")
    per_minute = s.FloatField()
    lag = s.FloatField(allow_null=True, help_text="Seconds from event to storing: the middle one")
    lag_most = s.FloatField(allow_null=True, help_text="Of the slowest twentieth")
    rejected_day = s.IntegerField()
    rejected_waiting = s.IntegerField()


class DocumentIn(Strict):
    """A source as YAML."""

    yaml = Text(max_length=source_documents.MOST, trim_whitespace=False)


class DocumentOut(s.Serializer):
    """A source as YAML, without its secrets."""

    yaml = s.CharField()


class TrySampleIn(Strict):
    """Records, and the source they are tried on as it would be."""

    sample = Text(
        max_length=MOST_CHARACTERS,
        trim_whitespace=False,
        help_text="A JSON object, a list of them, one a line, or CSV with a header",
    )
    source = SourceChangeIn(help_text="What a source says; readSource tells what one says now")


class CellOut(s.Serializer):
    """One field of one record."""

    theirs = s.CharField()
    ours = s.CharField(help_text="Empty: kept as further data")
    value = s.CharField(help_text="As it would be stored")
    reason = s.CharField(help_text="Why it is refused; empty if it is not")


class TriedRecordOut(s.Serializer):
    """One record of the sample."""

    record = s.IntegerField(help_text="Counted from 1")
    cells = CellOut(many=True, help_text="Its fields, and those it lacks")


class SpoiltOut(s.Serializer):
    """How many records one field of them spoils."""

    field = s.CharField()
    reason = s.CharField()
    records = s.IntegerField()


class TriedSampleOut(s.Serializer):
    """What the sample would give."""

    read = s.IntegerField()
    accepted = s.IntegerField()
    rejected = s.IntegerField()
    reasons = SpoiltOut(many=True)
    records = TriedRecordOut(many=True, help_text="The first of them, field by field")


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

    @does("makeSource", "source.edit", SourceMadeOut, body=SourceIn, status=201, refused=(409,))
    def post(self, request: Request, given: dict[str, Any]) -> Source:
        """Make a source under a name nobody has yet."""
        try:
            with transaction.atomic():
                return make_source(by=request.user, **given)
        except Refused as refusal:
            raise not_so(refusal) from None
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
        try:
            return change_source(by=request.user, source=self.one(request, pk), **given)
        except Refused as refusal:
            raise not_so(refusal) from None

    def one(self, request: Request, pk: int) -> Source:
        return self.found(Source.objects.visible_to(request.user), pk)


class Versions(Resource):
    """What a source said, and who changed it."""

    @does("listSourceVersions", "source.view", page(SourceVersionOut), asked=Listed)
    def get(self, request: Request, pk: int, asked: dict[str, Any]) -> dict[str, Any]:
        """Every version of a source, latest first; secrets are named, never told."""
        source = self.found(Source.objects.visible_to(request.user), pk)
        return latest_first(source.versions.all(), asked)


class HealthOf(Resource):
    """How a source fares."""

    @does("readSourceHealth", "source.view", HealthOut)
    def get(self, request: Request, pk: int) -> Any:
        """When it was heard of, how much comes and how late, and what is refused."""
        return health_of(self.found(Source.objects.visible_to(request.user), pk))


class Secret(Resource):
    """The secret of a source of webhooks."""

    @does("rotateSourceSecret", "source.edit", SigningSecretOut, body=SigningSecretIn)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> dict[str, str]:
        """Another secret; the former one opens for a day beside it. It is told this once."""
        source = self.found(Source.objects.visible_to(request.user), pk)
        try:
            secret = hooks.rotate(by=request.user, source=source, **given)
        except Refused as refusal:
            raise not_so(refusal) from None
        return {"signing_secret": secret}


class Documents(Resource):
    """Sources as documents."""

    @does("loadSource", "source.edit", SourceMadeOut, body=DocumentIn)
    def post(self, request: Request, given: dict[str, Any]) -> Source:
        """Make or change the source that a YAML document names; what it leaves out stays."""
        try:
            return load_document(by=request.user, text=given["yaml"])[0]
        except Refused as refusal:
            text = f"{refusal.field}: {refusal}"
            raise Problem(400, "invalid", text, pointer="/yaml") from None


class OneDocument(Resource):
    """A source as a document."""

    @does("readSourceDocument", "source.view", DocumentOut)
    def get(self, request: Request, pk: int) -> dict[str, str]:
        """The YAML that makes this source again, without its secrets."""
        found = self.found(Source.objects.visible_to(request.user), pk)
        return {"yaml": source_documents.write(found)}


class TrySample(Resource):
    """What records would give."""

    @does("trySource", "source.edit", TriedSampleOut, body=TrySampleIn)
    def post(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Read a sample as such a source would, field by field; nothing is stored."""
        said = given["source"]
        secrets, kind = said.pop("secrets", {}), said.get("kind", Source.Kind.REST)
        try:
            fields, _ = source_rules.checked(kind, said, secrets)
        except Refused as refusal:
            refusal.field = f"source/{refusal.field}"
            raise not_so(refusal) from None
        try:
            tried = try_sample(Source(**fields), given["sample"])
        except Refused as refusal:
            raise not_so(refusal) from None
        return {
            "read": tried.read,
            "accepted": tried.accepted,
            "rejected": tried.rejected,
            "reasons": [
                {"field": field, "reason": reason, "records": records}
                for (field, reason), records in tried.most
            ],
            "records": [{"record": number, "cells": cells} for number, cells in tried.rows],
        }


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


def not_so(refusal: Refused) -> Problem:
    """A refusal of a verb, with the pointer to its field."""
    sentence = str(refusal)
    where = f"/{refusal.field}"
    return Problem(
        400, "invalid", sentence, pointer=where, errors=[{"pointer": where, "detail": sentence}]
    )
