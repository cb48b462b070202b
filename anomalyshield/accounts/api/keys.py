"""Keys of machines, for programs of those who hand them out."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.accounts import keys
from anomalyshield.accounts.authentication import forget_keys
from anomalyshield.accounts.models import ApiKey, User
from anomalyshield.accounts.roles import SCOPES
from anomalyshield.accounts.views.keys import visible
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_made_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, Moment, Person, Strict, Text, Whole, page


class KeyIn(Strict):
    """A new key."""

    name = Text(max_length=100, help_text="The system that will use it")
    scopes = s.ListField(child=s.ChoiceField(list(SCOPES)), min_length=1)
    source = Text(
        max_length=64, required=False, allow_null=True, help_text="The only one it speaks for"
    )
    expires_at = Moment(required=False, allow_null=True)
    per_minute = Whole(
        required=False, allow_null=True, min_value=1, max_value=1_000_000,
        help_text="Requests; null: what holds for every key",
    )  # fmt: skip


class KeyOut(s.ModelSerializer):
    """A key, without what opens doors."""

    scopes = s.ListField(child=s.ChoiceField(list(SCOPES)))
    source = s.CharField(source="source.name", allow_null=True, default=None)
    created_by = Person()

    class Meta:
        model = ApiKey
        fields = (
            "id", "name", "prefix", "scopes", "source", "per_minute", "created_by", "created_at",
            "expires_at",            "revoked_at", "last_used_at",
        )  # fmt: skip


class KeyMadeOut(KeyOut):
    """A key, told this once."""

    key = s.CharField(help_text="Send it as X-Api-Key; only a hash of it is kept")

    class Meta(KeyOut.Meta):
        fields = (*KeyOut.Meta.fields, "key")


class AboutKey(Resource):
    """One key the caller made; admins see all."""

    def one(self, request: Request, pk: Any) -> ApiKey:
        return self.found(visible(request.user), pk)


class Keys(AboutKey):
    """The keys."""

    @does("listKeys", "key.manage", page(KeyOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Keys, revoked ones too, latest first."""
        return latest_made_first(visible(request.user), asked, "created_at")

    @does("makeKey", "key.manage", KeyMadeOut, body=KeyIn, status=201)
    def post(self, request: Request, given: dict[str, Any]) -> ApiKey:
        """Make a key. The answer holds it, and nothing else ever does."""
        given["source"] = _source(request.user, given.get("source"))
        try:
            made, key = keys.make_key(by=request.user, **given)
        except keys.NotYours as refusal:
            raise Problem(403, "not_yours", str(refusal)) from None
        except keys.Refused as refusal:
            raise Problem(400, "refused", str(refusal), pointer="/expires_at") from None
        found = self.one(request, made.pk)
        found.key = key
        return found


class OneKey(AboutKey):
    @does("readKey", "key.manage", KeyOut, versioned=True)
    def get(self, request: Request, pk: Any) -> ApiKey:
        """One key."""
        return self.one(request, pk)


class Revoke(AboutKey):
    @does("revokeKey", "key.manage", KeyOut, versioned=True)
    def post(self, request: Request, pk: Any) -> ApiKey:
        """Nothing opens with this key any more, within seconds. Twice changes nothing."""
        keys.revoke_key(by=request.user, key=self.one(request, pk))
        forget_keys()
        return self.one(request, pk)


def _source(user: User, name: str | None) -> Any:
    """The source of this name that the caller may open with a key; accounts know no sources."""
    if name is None:
        return None
    sources: Any = ApiKey._meta.get_field("source").related_model
    if found := sources.objects.visible_to(user).filter(name=name).first():
        return found
    raise Problem(400, "unknown_source", "There is no source of this name.", pointer="/source")
