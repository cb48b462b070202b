"""The quarantine for programs: refused records read, counted, mended, replayed, let go."""

from typing import Any, ClassVar

from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.problems import Problem, step
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, Person, Strict, Text, page
from scoring import mending
from scoring.models import RejectedRecord, Source
from scoring.source_health import reasons_of

RIGHT = "quarantine.work"
STATES = RejectedRecord.State.values


class RejectsIn(Listed):
    """Which refused records."""

    source = s.CharField(max_length=64, required=False, help_text="Its name")
    state = s.ChoiceField(STATES, required=False, default="OPEN")


class RejectOut(s.ModelSerializer):
    """A refused record; of personal fields, the ends."""

    source = s.CharField(source="source.name")
    record = s.SerializerMethodField()
    reasons = s.DictField(child=s.CharField())
    file = s.IntegerField(source="upload_id", allow_null=True)
    receipt = s.UUIDField(source="receipt_id", allow_null=True)
    transaction = s.IntegerField(
        source="became_id", allow_null=True, help_text="What it became after all"
    )
    settled_by = Person()

    class Meta:
        model = RejectedRecord
        fields = (
            "id", "source", "file", "receipt", "position", "place", "at", "record", "cut",
            "reasons", "state", "transaction", "settled_by", "settled_at",
        )  # fmt: skip

    def get_record(self, reject: RejectedRecord) -> Any:
        return mending.masked(reject)


class ReasonCountOut(s.Serializer):
    """How many wait for one reason."""

    field = s.CharField()
    reason = s.CharField()
    records = s.IntegerField()


class ReasonsOut(s.Serializer):
    """Reasons, the most frequent first."""

    results = ReasonCountOut(many=True)


class SourceNamed(Strict):
    """A source by its name."""

    source = Text(max_length=64, required=False)


class ReplayIn(Strict):
    """The mended record; without one, the record as it stands."""

    record = s.DictField(required=False)


class DropIn(Strict):
    """Why it is let go."""

    reason = Text(max_length=300)


class ManyIn(Strict):
    """Those of a source that wait, or of them those with one reason."""

    source = Text(max_length=64)
    field = Text(max_length=200, required=False, help_text="With `why`: of countRejects")
    why = Text(max_length=500, required=False)


class DropManyIn(ManyIn):
    """The same, and why they are let go."""

    reason = Text(max_length=300)


class ReplayedOut(s.Serializer):
    """What became of many."""

    taken = s.IntegerField()
    still = s.IntegerField(help_text="Refused again, by their reasons as they are now")
    left = s.IntegerField(help_text="Not tried yet: ask again")


class DroppedOut(s.Serializer):
    """How many were let go."""

    dropped = s.IntegerField()


class AboutReject(Resource):
    """Refused records of sources the caller keeps."""

    refusals: ClassVar[tuple[type[Exception], ...]] = (mending.Refused,)

    def one(self, request: Request, pk: Any) -> RejectedRecord:
        found: RejectedRecord = self.found(_rows(request), pk)
        return found


class Rejects(AboutReject):
    @does("listRejects", RIGHT, page(RejectOut), asked=RejectsIn)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Refused records, those that wait unless another state is asked, latest first."""
        rows = _rows(request).filter(state=asked["state"])
        if "source" in asked:
            rows = rows.filter(source=_source(request, asked["source"]))
        return latest_first(rows, asked)


class RejectReasons(AboutReject):
    @does("countRejects", RIGHT, ReasonsOut, asked=SourceNamed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """What records wait for, the most frequent first; of the latest 50,000."""
        if "source" in asked:
            numbers = [_source(request, asked["source"]).pk]
        else:
            kept = Source.objects.visible_to(request.user).order_by()
            numbers = list(kept.values_list("pk", flat=True))
        return {"results": reasons_of(numbers)}


class OneReject(AboutReject):
    @does("readReject", RIGHT, RejectOut, versioned=True)
    def get(self, request: Request, pk: int) -> RejectedRecord:
        """One refused record."""
        return self.one(request, pk)


class ReplayOne(AboutReject):
    @does("replayReject", RIGHT, RejectOut, body=ReplayIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> RejectedRecord:
        """Take it as if it came now, mended or as it stands; 400 names what is still wrong.

        A personal value sent back as it was shown, its ends only, stays what it was.
        """
        try:
            record = given.get("record")
            mending.replay(by=request.user, reject=self.one(request, pk), record=record)
        except mending.StillWrong as wrong:
            errors = [
                {"pointer": f"/record/{step(field)}", "detail": f"{field} {reason}"}
                for field, reason in wrong.reasons.items()
            ]
            raise Problem(400, "invalid", str(wrong), errors=errors) from None
        return self.one(request, pk)


class DropOne(AboutReject):
    @does("dropReject", RIGHT, RejectOut, body=DropIn, versioned=True)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> RejectedRecord:
        """Let it go; it stays on record."""
        mending.drop(by=request.user, reject=self.one(request, pk), reason=given["reason"])
        return self.one(request, pk)


class ReplayMany(AboutReject):
    @does("replayRejects", RIGHT, ReplayedOut, body=ManyIn)
    def post(self, request: Request, given: dict[str, Any]) -> Any:
        """Replay what waits of a source, as it stands; up to 5,000 at once."""
        source, reason = _source(request, given["source"], "/source"), _reason(given)
        return mending.replay_all(by=request.user, source=source, reason=reason)


class DropMany(AboutReject):
    @does("dropRejects", RIGHT, DroppedOut, body=DropManyIn)
    def post(self, request: Request, given: dict[str, Any]) -> dict[str, int]:
        """Let go what waits of a source, or of one reason."""
        source, because = _source(request, given["source"], "/source"), _reason(given)
        why = given["reason"]
        count = mending.drop_all(by=request.user, source=source, reason=why, because=because)
        return {"dropped": count}


def _rows(request: Request) -> Any:
    rows = RejectedRecord.objects.visible_to(request.user)
    return rows.select_related("source", "upload", "settled_by")


def _source(request: Request, name: str, pointer: str = "/source") -> Source:
    found = Source.objects.visible_to(request.user).filter(name=name.replace("\x00", "")).first()
    if found is None:
        raise Problem(400, "unknown_source", "There is no source of this name.", pointer=pointer)
    return found


def _reason(given: dict[str, Any]) -> tuple[str, str] | None:
    if ("field" in given) != ("why" in given):
        missing = "why" if "field" in given else "field"
        raise Problem(400, "required", "A reason is a field and why.", pointer=f"/{missing}")
    return (given["field"], given["why"]) if "field" in given else None
