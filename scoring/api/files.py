"""Files by the API: sent and acknowledged at once, asked about until they are finished."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers as s
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from anomalyshield import strictjson
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Download, Resource, does
from anomalyshield.rest.shapes import Listed, page
from scoring import uploads
from scoring.columns import OPTIONS, Refused
from scoring.models import Source, Upload
from scoring.receiving import went_wrong
from scoring.uploads import Unkept
from scoring.views.uploads import rejects_file, scored_file


class FileIn(s.Serializer):
    file = s.FileField(
        help_text="CSV, compressed or not, Excel or Parquet; the name's ending says which"
    )
    source = s.CharField(required=False, help_text="Its name; not needed with a source's own key")
    mapping = s.CharField(required=False, help_text='JSON: {"their column": "our field"}')
    label_column = s.CharField(required=False)
    label_known_column = s.CharField(required=False, help_text="When each label became known")
    label_delay_days = s.FloatField(required=False, help_text="Or: so many days after the event")
    options = s.CharField(required=False, help_text="Or all of these in one JSON object")
    hold = s.ChoiceField(
        ["true", "false"], required=False, help_text="true: it waits for preview, try and start"
    )


class ReceiptOut(s.Serializer):
    id = s.IntegerField()
    status_url = s.CharField()
    already_received = s.BooleanField()


class FileOut(s.Serializer):
    """Where a file stands."""

    id = s.IntegerField()
    name = s.CharField()
    source = s.CharField(source="source.name")
    state = s.CharField()
    stage = s.CharField()
    progress = s.FloatField(source="done_share", help_text="0..1, storing and scoring")
    read = s.IntegerField()
    accepted = s.IntegerField()
    repeated = s.IntegerField()
    rejected = s.IntegerField()
    scored = s.IntegerField()
    rows_per_second = s.FloatField(allow_null=True)
    finished = s.SerializerMethodField(
        help_text="Nothing of it will change any more; false of a held file: it waits for its start"
    )
    error = s.CharField()
    read_as = s.SerializerMethodField()
    sha256 = s.CharField()
    created_at = s.DateTimeField()
    stored_at = s.DateTimeField(allow_null=True)

    def get_finished(self, upload: Upload) -> bool:
        return not (upload.under_way or upload.state == Upload.State.WAITING)

    def get_read_as(self, upload: Upload) -> str:
        return str(upload.options.get("read_as", ""))


class Files(Resource):
    """The door for files."""

    actions: ClassVar[dict[str, str]] = {"POST": "events.write"}
    parser_classes = (MultiPartParser,)

    @does("listFiles", "events.write", page(FileOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Files the caller may see, latest first."""
        seen = Upload.objects.visible_to(request.user).select_related("source")
        return latest_first(seen, asked)

    @extend_schema(
        operation_id="sendFile",
        request={"multipart/form-data": FileIn},
        responses={202: ReceiptOut, 200: ReceiptOut},
    )
    def post(self, request: Request) -> Response:
        """Receive a file; 202 with where to ask about it, 200 if these bytes came before."""
        upload = received(request)
        address = reverse("ingest-file", args=[upload.pk])
        receipt = {
            "id": upload.pk,
            "status_url": address,
            "already_received": upload.already_received,
        }
        status = 200 if upload.already_received else 202
        return Response(receipt, status, headers={"Location": address})


class File(Resource):
    @does("readFile", "events.write", FileOut)
    def get(self, request: Request, pk: int) -> Upload:
        """Where one file stands."""
        return find(request, pk)


class FileCancel(Resource):
    """A file nobody wants any more."""

    @does("cancelFile", "events.write", FileOut, refused=(409,))
    def post(self, request: Request, pk: int) -> Upload:
        """Stop reading a file. What is stored already was received, and is scored."""
        if not uploads.cancel(by=request.user, upload=find(request, pk)):
            raise Problem(409, "nothing_left", "There was nothing left to read.")
        return find(request, pk)


class FileResume(Resource):
    """A file that was stopped."""

    @does("resumeFile", "events.write", FileOut, refused=(409,))
    def post(self, request: Request, pk: int) -> Upload:
        """Go on with a file that was stopped, where it stopped."""
        try:
            uploads.resume(by=request.user, upload=find(request, pk))
        except Refused as refusal:
            raise Problem(409, "nothing_kept", str(refusal)) from None
        return find(request, pk)


class FileRejects(Download):
    """The refused rows of one file, as CSV."""

    action = "events.write"

    @extend_schema(operation_id="readRejects", responses={(200, "text/csv"): str})
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        return rejects_file(request.user, find(request, pk))


class FileScored(Download):
    """All scored rows of one file; values that tell who somebody is, masked for most."""

    action = "events.write"

    @extend_schema(
        operation_id="readScored",
        parameters=[OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=["csv", "parquet"])],
        responses={
            (200, "text/csv"): str,
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, pk: int, kind: str) -> HttpResponseBase:
        return scored_file(request.user, find(request, pk), kind)


def received(request: Request) -> Upload:
    """Check what was sent and keep it; every refusal is a problem with the field's pointer."""
    given = {name: request.data[name] for name in request.data if name not in request.FILES}
    file = request.FILES.get("file")
    if reason := went_wrong(request._request):
        raise Problem(503, "no_room", reason, pointer="/file", retry_after=60)
    if file is None:
        raise Problem(400, "required", "Send the file as the part named file.", pointer="/file")
    source = source_of(request, given.pop("source", ""))
    hold = _held(given.pop("hold", "false"))
    options = options_of(given)
    try:
        return uploads.receive(
            by=request.user, source=source, name=file.name, file=file, options=options, hold=hold
        )
    except Unkept as refusal:
        raise Problem(503, "no_room", str(refusal), pointer="/file", retry_after=60) from None
    except Refused as refusal:
        pointer = f"/{refusal.field}"
        raise Problem(400, "refused", str(refusal), pointer=pointer) from None


def _held(said: str) -> bool:
    if said not in ("true", "false"):
        raise Problem(400, "invalid", "hold is true or false.", pointer="/hold")
    return said == "true"


def options_of(given: dict[str, Any]) -> dict[str, Any]:
    """The options, however they were sent: as parts of their own or as one JSON object."""
    options = _object(given.pop("options", "") or "{}", "options")
    if "mapping" in given:
        given["mapping"] = _object(given["mapping"] or "{}", "mapping")
    if unknown := sorted(set(given) - set(OPTIONS)):
        raise Problem(400, "unknown_field", "There is no such part.", pointer=f"/{unknown[0]}")
    return {**options, **given}


def _object(text: str, name: str) -> dict[str, Any]:
    try:
        value = strictjson.loads(str(text).encode())
    except Problem as problem:
        problem.pointer = f"/{name}{problem.pointer or ''}"
        raise
    if not isinstance(value, dict):
        raise Problem(400, "not_an_object", f"{name} is a JSON object.", pointer=f"/{name}")
    return value


def source_of(request: Request, name: str) -> Source:
    """The source asked for; a key that is bound to one speaks for no other."""
    own = getattr(request.user, "key", None) and request.user.key.source
    if own is not None and name in ("", own.name):
        return own  # type: ignore[no-any-return]
    if own is not None:
        raise Problem(403, "other_source", f"This key is of {own.name} alone.", pointer="/source")
    if not name:
        raise Problem(400, "required", "Name the source of the file.", pointer="/source")
    if found := Source.objects.visible_to(request.user).filter(name=name).first():
        return found
    raise Problem(400, "unknown_source", "There is no source of this name.", pointer="/source")


def find(request: HttpRequest | Request, pk: int) -> Upload:
    mine = Upload.objects.visible_to(request.user).select_related("source")
    return get_object_or_404(mine, pk=pk)
