"""Sources for programs: listed, made, changed."""

from typing import Any

from django.db import IntegrityError, transaction
from rest_framework.request import Request

from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, page
from scoring import hooks, keeping, source_documents, source_rules
from scoring.api.source_shapes import (
    DocumentIn,
    DocumentOut,
    HealthOut,
    KeepersIn,
    KeepersOut,
    SigningSecretIn,
    SigningSecretOut,
    SourceChangeIn,
    SourceIn,
    SourceMadeOut,
    SourceOut,
    SourceVersionOut,
    TestedOut,
    TriedSampleOut,
    TrySampleIn,
)
from scoring.columns import Refused
from scoring.models import Source
from scoring.sampled import try_sample
from scoring.source_health import health_of
from scoring.sourcing import change_source, load_document, make_source
from scoring.streaming.reaching import try_connection


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


class TestSource(Resource):
    """Its connection."""

    @does("testSource", "source.edit", TestedOut)
    def post(self, request: Request, pk: int) -> dict[str, Any]:
        """Try to reach the source's broker: name, TCP, TLS, log-in, topic. Nothing is read."""
        source = self.found(Source.objects.visible_to(request.user), pk)
        steps = try_connection(by=request.user, source=source)
        return {"reached": all(step.good for step in steps), "steps": steps}


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
            "aside": [{"column": c, "field": ours, "rows": n} for c, ours, n in tried.beside],
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
