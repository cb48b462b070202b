"""The allow and deny lists for programs: read, put on, approved, ended, taken over from a file."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, Moment, Person, Personal, Strict, Text, page
from scoring import listfile, lists
from scoring.models import ListEntry
from scoring.views.lists import STATES, narrow

POINTERS = {"expires": "expires_at"}  # what the verb calls a field → what a body does


class ListAsked(Listed):
    """The filters of the page."""

    kind = s.ChoiceField(ListEntry.Kind.choices, required=False)
    entity = s.ChoiceField(ListEntry.Entity.choices, required=False)
    state = s.ChoiceField(
        [value for value, _ in STATES if value], required=False, help_text="Without: living ones"
    )
    q = s.CharField(
        max_length=200, required=False, help_text="Finds nothing where values are masked"
    )


class WishIn(Strict):
    """Whom, on which list, why and until when."""

    kind = s.ChoiceField(ListEntry.Kind.choices)
    entity = s.ChoiceField(ListEntry.Entity.choices)
    value = Text(max_length=400, help_text="As it stands in the payments")
    reason = Text(max_length=500)
    expires_at = Moment(
        required=False, allow_null=True, help_text="ALLOW needs one, at most 180 days away"
    )


class EndIn(Strict):
    """Why it ends."""

    reason = Text(max_length=500)


class ListFileIn(s.Serializer):
    """CSV with the columns list, type, value, reason, and expires if there is one."""

    file = s.FileField()


class EntryOut(s.ModelSerializer):
    """One user, card, device or merchant on one list."""

    name = s.CharField(source="__str__", help_text="L-12")
    value = Personal()
    reason = s.SerializerMethodField(help_text="Empty where personal values are masked")
    ended_because = s.SerializerMethodField(help_text="Empty where personal values are masked")
    proposed_by = Person()
    approved_by = Person()
    ended_by = Person(help_text="null: its time was over, or it has not ended")

    class Meta:
        model = ListEntry
        fields = (
            "id", "name", "kind", "entity", "value", "state", "reason", "behind", "expires_at",
            "proposed_by", "proposed_at", "approved_by", "in_force_since", "ended_by",
            "ended_at", "ended_because",
        )  # fmt: skip

    def get_reason(self, entry: ListEntry) -> str:
        return "" if self.context["hidden"] else entry.reason

    def get_ended_because(self, entry: ListEntry) -> str:
        return "" if self.context["hidden"] else entry.ended_because


class TakenOverOut(s.Serializer):
    """What a file brought."""

    made = s.IntegerField(help_text="Lines that stood there already are not counted")
    waiting = s.IntegerField(help_text="Of them, those that wait for a second person")


class AboutEntry(Resource):
    """One entry. Every verb answers the entry as it is then."""

    refusals = (lists.Refused,)

    def one(self, request: Request, pk: int) -> ListEntry:
        return self.found(narrow({"state": "all"}, request.user), pk)


class Lists(AboutEntry):
    """Both lists."""

    @does("listEntries", "list.view", page(EntryOut), asked=ListAsked)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Entries of both lists, latest first."""
        found = narrow({name: value for name, value in asked.items() if value}, request.user)
        if "q" in asked and self.hides(request.user):
            found = found.none()  # asking for a masked value and seeing rows would confirm it
        return latest_first(found, asked)

    @does("putOnList", "list.edit", EntryOut, body=WishIn, status=201, refused=(409,))
    def post(self, request: Request, given: dict[str, Any]) -> ListEntry:
        """Deny at once, or propose to allow; a second person approves that. 409 if listed."""
        try:
            made = lists.put(by=request.user, wish=lists.Wish(**given))
        except lists.Already as already:
            raise Problem(409, "already_listed", str(already), pointer="/value") from None
        except lists.Refused as refusal:
            pointer = f"/{POINTERS.get(refusal.field, refusal.field)}"
            raise Problem(400, "refused", str(refusal), pointer=pointer) from None
        return self.one(request, made.pk)


class OneEntry(AboutEntry):
    @does("readEntry", "list.view", EntryOut, versioned=True)
    def get(self, request: Request, pk: int) -> ListEntry:
        """One entry, living or ended."""
        return self.one(request, pk)


class Approve(AboutEntry):
    @does("approveEntry", "list.approve", EntryOut, versioned=True)
    def post(self, request: Request, pk: int) -> ListEntry:
        """Put a proposed entry into force; never by who proposed it."""
        lists.approve(by=request.user, entry=self.one(request, pk))
        return self.one(request, pk)


class End(AboutEntry):
    @does("endEntry", "list.edit", EntryOut, body=EndIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> ListEntry:
        """Take somebody off a list, or withdraw or refuse what was proposed."""
        lists.end(by=request.user, entry=self.one(request, pk), **given)
        return self.one(request, pk)


class TakeOver(Resource):
    parser_classes = (MultiPartParser,)

    @does("takeOverList", "list.edit", TakenOverOut, body=ListFileIn, status=201)
    def post(self, request: Request, given: dict[str, Any]) -> dict[str, int]:
        """Put every line of a CSV file on its list, or none: 400 names each line to mend."""
        try:
            content = given["file"].read(listfile.MOST_BYTES + 1)
            made = listfile.take_over(by=request.user, content=content)
        except listfile.Unreadable as trouble:
            errors = [
                {"pointer": "/file", "detail": f"Line {line}, {field}: {sentence}"}
                for line, field, sentence in trouble.troubles
            ]
            raise Problem(400, "unreadable", str(trouble), errors=errors) from None
        waiting = sum(one.state == ListEntry.State.PROPOSED for one in made)
        return {"made": len(made), "waiting": waiting}
