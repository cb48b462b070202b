"""What is one's own, for programs: who one is, and where one is logged in."""

from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.accounts import open_sessions, people
from anomalyshield.accounts.models import OpenSession, User
from anomalyshield.accounts.roles import ACTIONS, TITLES
from anomalyshield.accounts.sessions import living_tokens
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Flag, Listed, Strict, Text, page


class MeOut(s.ModelSerializer):
    """Who asks, and what they may do."""

    full_name = s.CharField(source="get_full_name")
    hints_closed = s.ListField(
        child=s.ChoiceField(people.HINTS), help_text="Pages whose first words were put away"
    )
    roles = s.ListField(child=s.ChoiceField(list(TITLES)))
    actions = s.ListField(child=s.ChoiceField(list(ACTIONS)), help_text="Rights, as in this manual")
    programs = s.SerializerMethodField(help_text="Refresh tokens of theirs that still work")

    class Meta:
        model = User
        fields = (
            "id", "username", "full_name", "roles", "actions", "is_lead", "may_unmask", "timezone",
            "language", "keys", "hints_closed", "programs",
        )  # fmt: skip

    def to_representation(self, user: User) -> dict[str, Any]:
        told = super().to_representation(user)
        return told | {"roles": sorted(told["roles"]), "actions": sorted(told["actions"])}

    def get_programs(self, user: User) -> int:
        return living_tokens(user.pk).count()


class MeIn(Strict):
    """What a person chooses for themselves."""

    timezone = Text(
        max_length=64,
        required=False,
        help_text="IANA; pages show times in it, answers stay in UTC",
    )
    language = s.ChoiceField(
        ["", *dict(settings.LANGUAGES)],
        required=False,
        help_text="Of pages; empty: as the browser asks. Answers here stay in English",
    )
    keys = Flag(required=False, help_text="Whether single letters act on pages")
    hints_closed = s.ListField(
        child=s.ChoiceField(people.HINTS),
        max_length=len(people.HINTS),
        required=False,
        help_text="Pages that no longer begin with their first words; none: all tell them again",
    )

    def validate_timezone(self, value: str) -> str:
        if value not in available_timezones():
            raise s.ValidationError("is not a time zone known here.")
        return value


class SessionOut(s.ModelSerializer):
    """One browser in which one is logged in."""

    browser = s.CharField()
    here = s.SerializerMethodField(help_text="It is the one that asks")

    class Meta:
        model = OpenSession
        fields = ("id", "browser", "ip", "opened_at", "seen_at", "here")

    def get_here(self, one: OpenSession) -> bool:
        return bool(one.session_id == self.context["request"].session.session_key)


class EndedOut(s.Serializer):
    """How many log-ins that were."""

    ended = s.IntegerField(help_text="Browsers, and programs with a refresh token")


class Me(Resource):
    """The person who asks."""

    @does("readMe", "session.own", MeOut, versioned=True)
    def get(self, request: Request) -> User:
        """Who asks, with their roles and rights."""
        return self.one(request)

    @does("changeMe", "session.own", MeOut, body=MeIn, versioned=True)
    def patch(self, request: Request, given: dict[str, Any]) -> User:
        """Choose how pages read: time zone, language, first words, and whether letters are keys."""
        if "timezone" in given:
            people.choose_timezone(by=request.user, timezone=given["timezone"])
        if "language" in given:
            people.choose_language(by=request.user, language=given["language"])
        if "hints_closed" in given:
            people.choose_hints(by=request.user, closed=given["hints_closed"])
        if "keys" in given:
            people.choose_keys(by=request.user, keys=given["keys"])
        return self.one(request)

    def one(self, request: Request) -> User:
        return User.objects.get(pk=request.user.pk)


class Sessions(Resource):
    """Where one is logged in."""

    @does("listSessions", "session.own", page(SessionOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """The browsers in which the caller is logged in, latest log-in first."""
        return latest_first(open_sessions.sessions_of(request.user), asked)


class EndSession(Resource):
    @does("endSession", "session.own", None, status=204)
    def post(self, request: Request, pk: int) -> None:
        """Log one of the caller's browsers out."""
        found = self.found(open_sessions.sessions_of(request.user), pk)
        here = found.session_id == request.session.session_key
        open_sessions.end_session(by=request.user, session=found)
        if here:
            request.session.flush()


class EndOthers(Resource):
    @does("endOtherSessions", "session.own", EndedOut)
    def post(self, request: Request) -> dict[str, int]:
        """Log out every browser but this one, and every program.

        A program that asks ends its own refresh token too; its access token works out its minutes.
        """
        here = request.session.session_key
        return {"ended": open_sessions.end_others(by=request.user, keep=here)}
