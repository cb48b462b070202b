"""Users and their roles, for programs of admins."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.accounts import people
from anomalyshield.accounts.models import User
from anomalyshield.accounts.roles import TITLES
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Flag, Listed, Strict, Text, page

USERNAME = r"^[\w.@+-]+\Z"
ROLES = list(TITLES)


class UsersAsked(Listed):
    """Which people."""

    role = s.ChoiceField(ROLES, required=False)
    active = s.BooleanField(required=False, help_text="Without: the suspended ones too")


class UserIn(Strict):
    """A new person."""

    username = s.RegexField(USERNAME, max_length=150, help_text="Letters, digits and . @ + - _")
    full_name = Text(max_length=150, required=False)  # in one word, it is a first name
    roles = s.ListField(child=s.ChoiceField(ROLES), required=False, default=list)
    is_lead = Flag(required=False, default=False, help_text="May reassign alerts, act in bulk")
    email = s.EmailField(
        max_length=254, required=False, allow_blank=True, help_text="Where reports are sent to"
    )


class StandingIn(Strict):
    """What a person may do from now on; what is not named stays."""

    roles = s.ListField(child=s.ChoiceField(ROLES), required=False, help_text="All of them")
    is_lead = Flag(required=False)
    may_unmask = Flag(required=False, help_text="May see personal data unmasked, with a reason")
    email = s.EmailField(
        max_length=254, required=False, allow_blank=True, help_text="Where reports are sent to"
    )
    is_active = Flag(required=False, help_text="false suspends: every way in ends")


class UserOut(s.ModelSerializer):
    """A person and what they may do."""

    full_name = s.CharField(source="get_full_name")
    roles = s.ListField(child=s.ChoiceField(ROLES))

    class Meta:
        model = User
        fields = (
            "id", "username", "full_name", "email", "roles", "is_lead", "may_unmask", "is_active",
            "timezone",
        )  # fmt: skip

    def to_representation(self, user: User) -> dict[str, Any]:
        told = super().to_representation(user)
        return told | {"roles": sorted(told["roles"])}


class UserMadeOut(UserOut):
    """A person with their first password, told this once."""

    password = s.CharField(help_text="Kept nowhere in clear")

    class Meta(UserOut.Meta):
        fields = (*UserOut.Meta.fields, "password")


class PasswordOut(s.Serializer):
    """A new password, told this once."""

    password = s.CharField(help_text="Kept nowhere in clear")


class AboutUser(Resource):
    """One person."""

    refusals = (people.Refused,)

    def one(self, request: Request, pk: int) -> User:
        return self.found(everyone(), pk)


class Users(AboutUser):
    """The people."""

    @does("listUsers", "user.manage", page(UserOut), asked=UsersAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """People, latest first."""
        found = everyone()
        if "role" in asked:
            found = found.filter(groups__name=asked["role"])
        if "active" in asked:
            found = found.filter(is_active=asked["active"])
        return latest_first(found, asked)

    @does("makeUser", "user.manage", UserMadeOut, body=UserIn, status=201)
    def post(self, request: Request, given: dict[str, Any]) -> User:
        """Make a person; the answer holds their first password. 409 if the name is taken."""
        try:
            made, password = people.make_user(by=request.user, **given)
        except people.Refused as refusal:
            raise Problem(409, "taken", str(refusal), pointer="/username") from None
        found = self.one(request, made.pk)
        found.password = password  # of this answer only: the row keeps a hash
        return found


class OneUser(AboutUser):
    @does("readUser", "user.manage", UserOut, versioned=True)
    def get(self, request: Request, pk: int) -> User:
        """One person and their roles."""
        return self.one(request, pk)

    @does("changeUser", "user.manage", UserOut, body=StandingIn, versioned=True)
    def patch(self, request: Request, pk: int, given: dict[str, Any]) -> User:
        """Give roles, take them, suspend. Never oneself, and never the last admin.

        Suspending ends sessions, tokens and keys, and gives what they worked on back to its queue.
        """
        people.change_user(by=request.user, user=self.one(request, pk), **given)
        return self.one(request, pk)


class Password(AboutUser):
    @does("giveNewPassword", "user.manage", PasswordOut)
    def post(self, request: Request, pk: int) -> dict[str, str]:
        """Give somebody a new password; whoever was logged in as them is not any more."""
        found = self.one(request, pk)
        return {"password": people.give_new_password(by=request.user, user=found)}


def everyone() -> "QuerySet[User]":
    return User.objects.prefetch_related("groups")
