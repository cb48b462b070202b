"""A file that waits, for programs: what its columns mean, what it would give, and the start."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.problems import Problem
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Number, Strict, Text
from scoring import dryrun, uploads
from scoring.api.files import FileOut, find
from scoring.api.source_shapes import AsideOut
from scoring.columns import Refused
from scoring.engine.translation import MARKS, UNITS
from scoring.models import Upload
from scoring.sources.base import Block, Unreadable
from scoring.translating import LONGEST_VALUE, MOST_VALUES
from scoring.views.previews import guessed, tried_with

EXAMPLES = 3
MOST_COLUMNS = 500


class WordsIn(Strict):
    """The file's own words."""

    fraud = s.ListField(child=Text(max_length=200), required=False)
    legitimate = s.ListField(child=Text(max_length=200), required=False)
    undecided = s.ListField(child=Text(max_length=200), required=False)
    unknown = s.ListField(child=Text(max_length=200), required=False)


class OptionsIn(Strict):
    """What a file means; see “What a file means” in the documents."""

    mapping = s.DictField(child=Text(max_length=64), required=False, help_text="Theirs: ours")
    constants = s.DictField(child=Text(max_length=200), required=False)
    empty_values = s.DictField(
        child=s.ListField(child=Text(max_length=LONGEST_VALUE), max_length=MOST_VALUES),
        required=False,
        help_text="Their column: the texts that mean none in it",
    )
    decimal_mark = s.ChoiceField(sorted(MARKS), required=False)
    date_format = Text(max_length=100, required=False, help_text="As of Python's strptime")
    time_columns = s.ListField(child=Text(max_length=255), max_length=MOST_COLUMNS, required=False)
    time_unit = s.ChoiceField(sorted(UNITS), required=False)
    time_origin = Text(max_length=64, required=False)
    id_columns = s.ListField(child=Text(max_length=255), max_length=MOST_COLUMNS, required=False)
    id_from = s.ChoiceField(["row"], required=False)
    label_column = Text(max_length=255, required=False)
    label_known_column = Text(max_length=255, required=False)
    label_delay_days = Number(required=False, min_value=0, max_value=3650)
    label_values = WordsIn(required=False)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Undo what the framework does to a field whose name makes one of its own methods.

        It takes `validate_empty_values`, which answers (is it empty, value), for a check of ours.
        """
        found = super().to_internal_value(data)
        if "empty_values" in found:
            _, found["empty_values"] = found["empty_values"]
        return found


class ColumnOut(s.Serializer):
    """A column of the file."""

    name = s.CharField()
    examples = s.ListField(child=s.CharField(allow_null=True))


class ReasonOut(s.Serializer):
    """Why rows would be refused."""

    field = s.CharField()
    why = s.CharField()
    rows = s.IntegerField()


class TriedOut(s.Serializer):
    """What the first rows would give; nothing of it is stored."""

    options = s.DictField(help_text="As they were understood: send them to start")
    read = s.IntegerField()
    accepted = s.IntegerField()
    rejected = s.IntegerField()
    known = s.IntegerField(help_text="Their ids are stored already")
    labelled = s.DictField(child=s.IntegerField())
    emptied = s.DictField(child=s.IntegerField(), help_text="Column: cells read as none")
    aside = AsideOut(many=True, help_text="Kept as further data of these rows, and not as ours")
    reasons = ReasonOut(many=True)


class ProposalOut(s.Serializer):
    """A text that probably means none; it does only once it is sent in empty_values."""

    column = s.CharField()
    value = s.CharField()
    share = s.FloatField(help_text="Of the rows looked at")
    rows = s.IntegerField()
    evidence = s.CharField()


class PreviewOut(s.Serializer):
    """A file that waits: its columns, and what they probably mean."""

    columns = ColumnOut(many=True)
    options = s.DictField(help_text="Proposed: as last time, else by names and by what they hold")
    evidence = s.DictField(child=s.CharField(), help_text="What speaks for a proposal")
    unsure = s.ListField(child=s.CharField(), help_text="Options a person has to look at")
    proposed = ProposalOut(many=True, help_text="For empty_values; in no option by itself")


class Waiting(Resource):
    """One file that waits to be started."""

    def one(self, request: Request, pk: int) -> Upload:
        found: Upload = find(request, pk)
        if found.state != Upload.State.WAITING:
            raise Problem(409, "not_waiting", f"This file is {found.state_in_words} already.")
        return found

    def block(self, upload: Upload) -> Block:
        try:
            return dryrun.head(upload)
        except Unreadable as unreadable:
            raise Problem(409, "unreadable", str(unreadable)) from None
        except FileNotFoundError:
            raise Problem(409, "gone", "The file is no longer kept; send it again.") from None


class Preview(Waiting):
    @does("previewFile", "events.write", PreviewOut, refused=(409,))
    def get(self, request: Request, pk: int) -> dict[str, Any]:
        """See the columns of a file that waits, and what they probably mean."""
        upload = self.one(request, pk)
        block = self.block(upload)
        rows, guess = dryrun.records(block)[:EXAMPLES], guessed(upload, block)
        columns = [
            {"name": name, "examples": [_text(row.get(name)) for row in rows]}
            for name in upload.options["columns"]
        ]
        return {"columns": columns, **vars(guess), "unsure": sorted(guess.unsure)}


class Try(Waiting):
    @does("tryFile", "events.write", TriedOut, body=OptionsIn, refused=(409,))
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> dict[str, Any]:
        """Say what the first thousand rows would give with these options."""
        upload = self.one(request, pk)
        try:
            tried, options = tried_with(upload, self.block(upload), given)
        except Refused as refusal:
            raise _wrong(refusal) from None
        reasons = [{"field": name, "why": why, "rows": rows} for (name, why), rows in tried.most]
        counts = {name: getattr(tried, name) for name in ("read", "accepted", "rejected", "known")}
        said = {name: options[name] for name in OptionsIn().fields if name in options}
        return {
            **counts,
            "options": said,
            "labelled": {str(value): rows for value, rows in tried.labels},
            "emptied": dict(tried.emptied),
            "aside": [{"column": c, "field": ours, "rows": n} for c, ours, n in tried.beside],
            "reasons": reasons,
        }


class Start(Waiting):
    @does("startFile", "events.write", FileOut, body=OptionsIn, refused=(409,))
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> Upload:
        """Let a file that waits be read, its columns meaning what these options say."""
        try:
            uploads.start(by=request.user, upload=self.one(request, pk), options=given)
        except Refused as refusal:
            raise _wrong(refusal) from None
        return find(request, pk)


def _wrong(refusal: Refused) -> Problem:
    if refusal.field == "file":
        return Problem(409, "not_waiting", str(refusal))
    return Problem(400, "refused", str(refusal), pointer=f"/{refusal.field}")


def _text(value: Any) -> str | None:
    return None if value is None else str(value)[:200]
